"""Education, played by npm's `soap`: the package of the tutorial's municipality, installed for both once."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.counterparties.starting import CONNECTORS, HERE, PASSWORD, ROOT, USER, Counterparty, running, without

_MODULES = ROOT / "tests" / "journeys" / "peers" / "municipality" / "node_modules"
_CONTRACT = CONNECTORS / "education" / "wsdl" / "education.wsdl"
MISSING = without("node", _MODULES / "soap")
REASON = "Node or its package soap is missing: npm ci --prefix tests/journeys/peers/municipality"


@contextmanager
def npm_soap(_folder: Path) -> Iterator[Mapping[str, Counterparty]]:
    """Run it; the institution by the connector's name."""
    command: list[str | Path] = ["node", HERE / "npm_soap" / "education.js", _CONTRACT]
    with running(command, {**os.environ, "NODE_PATH": str(_MODULES)}) as (port,):
        url = f"http://127.0.0.1:{port}"
        settings = {"base_url": url, "username": USER, "password": PASSWORD}
        yield {"education": Counterparty("education", url, settings)}

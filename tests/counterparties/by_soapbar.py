"""Higher Education, played by `soapbar`, a SOAP library for Python that is among the development tools."""

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.counterparties.starting import CONNECTORS, HERE, PASSWORD, USER, Counterparty, running

_CONTRACT = CONNECTORS / "higher_education" / "wsdl" / "documents.wsdl"
MISSING = importlib.util.find_spec("soapbar") is None
REASON = "the package soapbar is missing: make .venv/.made-dev"


@contextmanager
def soapbar(_folder: Path) -> Iterator[Mapping[str, Counterparty]]:
    """Run it; the institution by the connector's name."""
    command: list[str | Path] = [sys.executable, HERE / "soapbar" / "higher_education.py", _CONTRACT]
    with running(command, os.environ) as (port,):
        url = f"http://127.0.0.1:{port}"
        settings = {"base_url": url, "username": USER, "password": PASSWORD}
        yield {"higher_education": Counterparty("higher_education", url, settings)}

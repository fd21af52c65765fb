"""Starts the counterparties: servers of other people's SOAP frameworks that play an institution over its committed contract.

Each program under this folder prints `ready PORT …` when it listens on loopback, answers `GET /_effects/NAME` with what it
did and what it read in the requests, and ends at SIGTERM.
"""

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.gateways import until
from tests.journeys.house import SERVICES_BY_ID, House

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONNECTORS = ROOT / "connectors"
USER, PASSWORD = "jisr-counterparty", "counterparty-only"
_END_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Counterparty:
    """One institution that such a program plays."""

    name: str
    url: str
    settings: Mapping[str, Any]  #: The connector's.

    def seen(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What it did for this request, in order: operation id, what, and what it had read."""
        rows = httpx.get(f"{self.url}/_effects/{self.name}", trust_env=False).json()
        stem = request["id"].replace("-", "")
        return [row for row in rows if row["operation_id"].startswith(stem)]

    def answers(self) -> list[str]:
        """The content types of all its answers so far."""
        types: list[str] = httpx.get(f"{self.url}/_answers/{self.name}", trust_env=False).json()
        return types

    def effects(self) -> list[dict[str, Any]]:
        """Its ledger in the form of a sandbox's."""
        rows = httpx.get(f"{self.url}/_effects/{self.name}", trust_env=False).json()
        counted = Counter((row["operation_id"], row["what"]) for row in rows)
        return [{"operation_id": one, "what": what, "count": count} for (one, what), count in counted.items()]


@contextmanager
def running(command: Sequence[str | Path], environment: Mapping[str, str]) -> Iterator[list[int]]:
    """The ports that the program listens on; it is ended with the block."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=said, text=True, env=dict(environment)
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline().split()
            if line[:1] != ["ready"]:
                process.wait(timeout=_END_SECONDS)
                said.seek(0)
                raise AssertionError(f"{command[0]} did not start: {said.read()[-3000:]}")
            yield [int(port) for port in line[1:]]
        finally:
            process.terminate()
            process.wait(timeout=_END_SECONDS)
            process.stdout.close()


def without(*missing: str | Path | None) -> bool:
    """Whether something of this is not installed: a command by its name, a file by its path."""
    return not all((one.exists() if isinstance(one, Path) else shutil.which(str(one))) for one in missing)


def delayed(house: House, body: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Ask, and wait until the timeline says that the request is delayed for that reason; the request as it stands."""
    body = house.gateway.with_uploads(SERVICES_BY_ID[body["service"]], body)
    asked = house.gateway.submit(body, f"delayed-{body['service']}")
    assert asked.status_code == 202, asked.text
    request: dict[str, Any] = asked.json()

    def told() -> bool:
        return code in [event["facts"].get("code") for event in house.events(request) if event["kind"] == "delayed"]

    until(told, f"a delay because of {code}")
    return house.gateway.get(request["id"])


def envelope_of(connector: str, sample: str, version: str = "http://schemas.xmlsoap.org/soap/envelope/") -> bytes:
    """The message of a package's sample without any header: nobody says who sends it."""
    body = (CONNECTORS / connector / "samples" / sample / "request.xml").read_bytes()
    return b'<s:Envelope xmlns:s="%b"><s:Body>%b</s:Body></s:Envelope>' % (version.encode(), body)

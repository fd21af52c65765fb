"""What the fault tests look at: the timeline, the sealed evidence, and the payment's id and code."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from gateway.security.keyring import Keyring
from tests.gateways import CERTIFICATE, GatewayProcess


def stem_of(request: dict[str, Any]) -> str:
    """What all operation ids of a request begin with."""
    return str(request["id"]).replace("-", "")


def payment_of(request: dict[str, Any], number: int = 1) -> str:
    """The provider's transaction id of a request's payment."""
    return f"{stem_of(request)}-p{number}"


def certificate(
    *, mobile: str = "0930000001", national_number: str = "01230004567", year: int = 2015
) -> dict[str, Any]:
    """A paid request by this payer for this person."""
    return CERTIFICATE | {
        "applicant": CERTIFICATE["applicant"] | {"national_number": national_number},
        "input": CERTIFICATE["input"] | {"year": year},
        "payment": {"method": "syriatel_cash", "payer": {"mobile": mobile}},
    }


def until_asked(gateway: GatewayProcess, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A paid request that waits for its payer."""
    answer = gateway.submit(body or certificate(), key, wait=20)
    assert answer.status_code == 202, answer.text
    return gateway.until_state(answer.json()["id"], "awaiting_citizen")


def timeline(gateway: GatewayProcess, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The request's events, oldest first."""
    with gateway.client() as http:
        answer = http.get(f"/v1/requests/{request['id']}/events")
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def kinds(gateway: GatewayProcess, request: dict[str, Any]) -> list[str]:
    """What happened, in order."""
    return [event["kind"] for event in timeline(gateway, request)]


def codes(gateway: GatewayProcess, request: dict[str, Any]) -> list[str]:
    """The codes that the timeline tells, in order."""
    return [event["facts"]["code"] for event in timeline(gateway, request) if "code" in event["facts"]]


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of evidence: what lies in the database, and what it says when it is opened."""

    operation: str
    code: str
    http_status: int
    sealed: bytes
    response: bytes
    detail: dict[str, Any]


def evidence(gateway: GatewayProcess, request: dict[str, Any]) -> list[Kept]:
    """The evidence about a request's exchanges, oldest first, read from the database beside the running gateway."""
    keyring = Keyring.load(gateway.folder / "keyring.json")
    query = (
        "SELECT a.operation, e.code, e.http_status, e.response_bytes, e.detail FROM evidence e "
        f"JOIN attempts a ON a.id = e.attempt_id WHERE a.request_id = '{request['id']}' ORDER BY e.id"
    )
    return [
        Kept(
            operation,
            code,
            status,
            sealed or b"",
            keyring.open(sealed) if sealed else b"",
            json.loads(keyring.open(detail)),
        )
        for operation, code, status, sealed, detail in rows(gateway, query)
    ]


def rows(gateway: GatewayProcess, query: str) -> list[tuple[Any, ...]]:
    """The result of a query on the gateway's database; values that are asked for are written into it by the test."""
    if gateway.database_url.startswith("sqlite"):
        path = gateway.database_url.removeprefix("sqlite:///")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return list(connection.execute(query))
        finally:
            connection.close()
    return asyncio.run(_fetch(gateway.database_url, query))


async def _fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


class Calling:
    """A call in a thread of its own; it may end with a broken connection, as when the gateway dies under it."""

    def __init__(self, call: Callable[[], httpx.Response]) -> None:
        self.answer: httpx.Response | None = None
        self.broken = False
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._call()
        except httpx.TransportError:
            self.broken = True

    def end(self) -> httpx.Response | None:
        """Wait for its end: the answer, or None when the connection broke."""
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the call did not end"
        return self.answer

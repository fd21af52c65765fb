"""Replays sample cases against a server on the loopback that says what the sample says: a package proves itself.

The connector is the real one, opened from the folder as it was written.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from connectors.kit.contract import Call, Connector, Ports
from connectors.kit.errors import ConnectorError
from connectors.kit.outcome_file import shown
from connectors.kit.package import load_package
from connectors.kit.sandbox.mtom import is_mtom, without_attachments
from connectors.kit.tokens import LocalTokens

_MOST_REQUEST = 64 * 1024 * 1024
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@dataclass(slots=True)
class Said:
    """What the institution answers."""

    body: bytes
    status: int
    content_type: str


@dataclass(slots=True)
class Heard:
    """A request as it came: line, headers and body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Institution:
    """A server that gives one answer, whatever it is asked."""

    port: int = 0
    said: Said = field(default_factory=lambda: Said(b"", 500, "text/plain"))
    heard: list[Heard] = field(default_factory=list)
    token_path: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            size = int(headers.get("content-length") or 0)
            body = await reader.readexactly(size) if size <= _MOST_REQUEST else b""
            kind = headers.get("content-type", "")
            body = without_attachments(kind, body) if is_mtom(kind) else body
            method, target, _ = head[0].split(" ", 2)
            answer = self._answer(Heard(method, target, headers, body))
            status = f"HTTP/1.1 {answer.status} Said\r\nContent-Length: {len(answer.body)}\r\nConnection: close\r\n"
            typed = f"Content-Type: {answer.content_type}\r\n" if answer.body else ""
            writer.write(f"{status}{typed}\r\n".encode() + answer.body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass  # the connector's business
        finally:
            writer.close()

    def _answer(self, heard: Heard) -> Said:
        if self.token_path and heard.target.partition("?")[0] == self.token_path:
            return Said(
                b'{"access_token": "sample", "token_type": "Bearer", "expires_in": 600}', 200, "application/json"
            )
        self.heard.append(heard)
        return self.said


@asynccontextmanager
async def replaying(folder: Path, settings: Mapping[str, Any], token_path: str = "") -> AsyncIterator["Replay"]:
    """The package in `folder`, opened on an institution of its own. Raises ManifestError and MappingError."""
    from connectors.registry import open_connector  # below the registry: it is asked for as a tool would

    institution = Institution(token_path=token_path)
    server = await asyncio.start_server(institution.serve, "127.0.0.1", 0, limit=2**20)
    institution.port = server.sockets[0].getsockname()[1]
    connector = None
    try:
        filled = {name: str(value).replace("{port}", str(institution.port)) for name, value in settings.items()}
        connector = open_connector(load_package(folder), Ports(filled, LocalTokens(), lambda: _NOW))
        yield Replay(connector, institution)
    finally:
        if connector is not None:
            await connector.close()
        server.close()
        await server.wait_closed()


class Replay:
    """Plays cases."""

    def __init__(self, connector: Connector, institution: Institution) -> None:
        self._connector = connector
        self._institution = institution

    async def play(
        self, operation: str, document: Mapping[str, Any], said: Said
    ) -> tuple[Heard | None, dict[str, Any]]:
        """What the connector sends for this canonical document, and what it makes of the answer, as in outcome.json."""
        self._institution.said = said
        self._institution.heard.clear()
        call = Call(str(document["operation_id"]), document)
        try:
            outcome = await self._connector.send(self._connector.prepare(operation, call))
        except ConnectorError as error:
            return self._last(), {"error": error.code, "why": str(error)}
        return self._last(), shown(outcome)

    def _last(self) -> Heard | None:
        return self._institution.heard[0] if self._institution.heard else None


def as_json(tree: Any) -> str:
    """JSON as the packages write it."""
    return msgspec.json.format(_ENCODER.encode(tree), indent=2).decode() + "\n"

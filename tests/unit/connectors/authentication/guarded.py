"""A real HTTP server that lets a request in only when it proves who sends it, and a package that speaks to it."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from connectors.kit.contract import Connector, Ports
from connectors.kit.errors import ConnectorError
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.packages import ANSWER, MANIFEST, call, write_package

OPERATIONS = """
[operations.act]
wire = "POST /acts/{id}"
role = "submit"
effect = "idempotent"
[operations.look]
wire = "GET /acts/{id}"
role = "check"
effect = "safe"
"""
MAPPINGS = {
    "act": "request:\n  path: {id: operation_id}\n  body: {year: input.year, name: applicant.name.given}\n" + ANSWER,
    "look": "request:\n  path: {id: operation_id}\n  query: {year: input.year}\n" + ANSWER,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client: str = ""  #: Common name of the client's certificate.


Guard = Callable[[Seen], bool]


@dataclass(slots=True)
class Guarded:
    """A running server."""

    url: str
    seen: list[Seen] = field(default_factory=list)


@asynccontextmanager
async def guarded(
    guard: Guard, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Guarded]:
    """A server that answers `done` to what the guard accepts, and `no` to anything else."""

    async def handle(request: web.Request) -> web.Response:
        certificate: Any = request.get_extra_info("peercert") or {}
        client = dict(pair for row in certificate.get("subject", ()) for pair in row).get("commonName", "")
        seen = Seen(request.method, request.raw_path, dict(request.headers), await request.read(), client)
        server.seen.append(seen)
        good = guard(seen)
        return web.json_response({"status": "done" if good else "no"}, status=200 if good else 403)

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        server = Guarded(f"{'https' if tls else 'http'}://{host}:{port}")
        # a handshake that the client breaks off is no fault of the server
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        yield server
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
        await runner.cleanup()


@contextmanager
def handshakes(tls: ssl.SSLContext) -> Iterator[str]:
    """A server that does nothing but handshakes and sends the alert of one that fails, as OpenSSL's servers do."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection, tls.wrap_socket(connection, server_side=True):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def package(tmp_path: Path, authentication: str, settings: str = "", more: str = "") -> Path:
    """A REST package with this authentication; `settings` are lines `name = kind`, secrets marked with `!`."""
    tables = ""
    for line in settings.split():
        name, _, kind = line.partition("=")
        tables += f'[settings.{name.rstrip("!")}]\ntype = "{kind}"\nsecret = {str(name.endswith("!")).lower()}\n'
    return write_package(
        tmp_path, manifest=MANIFEST + tables + authentication + OPERATIONS + more, mappings=MAPPINGS, name="office"
    )


def opened(folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC), **settings: Any) -> Connector:
    found = find_packages([folder])[folder.name]
    return open_connector(found, Ports(settings, LocalTokens(now), now))


async def ask(connector: Connector, operation: str = "act") -> Any:
    """The outcome or the error of one call; the connector is closed afterwards."""
    try:
        return await connector.send(connector.prepare(operation, call()))
    except ConnectorError as error:
        return error
    finally:
        await connector.close()

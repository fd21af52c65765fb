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
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

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


@contextmanager
def alerting_after_reading(tls: ssl.SSLContext, keys: Path, read: list[bytes]) -> Iterator[str]:
    """A TLS 1.3 server that reads the whole request and only then sends the alert `unknown_ca`.

    OpenSSL has no way to do so: the alert is sealed here with the server's own traffic key (RFC 8446, 5.2 and 7.3).
    """
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.num_tickets = 0  # the alert is then the first record
    tls.keylog_filename = str(keys)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.dup() as raw, tls.wrap_socket(connection, server_side=True) as secure:
            read.append(secure.recv(65536))
            raw.sendall(_sealed_alert(keys.read_text("ascii"), 48))
            secure.recv(1)  # until the client hangs up

    def run() -> None:
        with contextlib.suppress(OSError):
            serve()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join()
        listener.close()


def _sealed_alert(keylog: str, alert: int) -> bytes:
    """A fatal alert as the server's first record under AES-256-GCM and SHA-384."""
    line = next(line for line in keylog.splitlines() if line.startswith("SERVER_TRAFFIC_SECRET_0 "))
    secret = bytes.fromhex(line.split()[2])
    key, iv = _expanded(secret, b"key", 32), _expanded(secret, b"iv", 12)
    head = b"\x17\x03\x03" + (2 + 1 + 16).to_bytes(2, "big")
    return head + AESGCM(key).encrypt(iv, bytes([2, alert, 21]), head)


def _expanded(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1)."""
    name = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0"
    return HKDFExpand(hashes.SHA384(), length, info).derive(secret)

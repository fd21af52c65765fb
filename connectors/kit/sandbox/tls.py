"""An institution that speaks TLS, on one port with the sandbox's own page and control API in plain HTTP.

The first byte of a connection tells which of the two it is.
"""

import asyncio
import contextlib
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from connectors.kit.manifest import Manifest, MutualTls
from connectors.kit.sandbox.certificates import Certificates

_HANDSHAKE = b"\x16"  #: The first byte of every TLS connection (RFC 8446, 5.1).
_LINGER_SECONDS = 2.0

#: Gives how the next client's certificate is refused; None: it is judged as it is.
Refusal = Callable[[], str | None]


def serves_tls(manifest: Manifest, base_url: str) -> bool:
    """Whether the institution's address is https, as it is wherever it demands a client's certificate."""
    return base_url.startswith("https:") or demands_certificate(manifest)


def demands_certificate(manifest: Manifest) -> bool:
    """Whether the institution knows its callers by their certificates."""
    return any(isinstance(proof, MutualTls) for proof in manifest.proofs)


def server_context(certificates: Certificates, *, mutual: bool, refusal: str | None = None) -> ssl.SSLContext:
    """TLS of the institution's server: with `mutual` it demands a certificate, and refuses any as `refusal` says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path("server"), certificates.path("server", "key"))
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.refusing(refusal) if refusal else certificates.path("authority"))
        if refusal == "revoked":
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


class TlsFront:
    """Listens on one port: TLS for the institution's wire, plain HTTP for what is the sandbox's own."""

    def __init__(self, wire: web.Server, own: web.Server, certificates: Certificates, *, mutual: bool) -> None:
        """`mutual` demands a certificate of who calls the institution."""
        self._wire, self._own = wire, own
        self.mutual = mutual
        self._context = cache(lambda how: server_context(certificates, mutual=mutual, refusal=how))
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.refusal: Refusal = lambda: None

    def listen(self, host: str, port: int) -> int:
        """Begin; gives the port. Raises OSError when it is taken."""
        self._listener = socket.create_server((host, port), backlog=4096)
        self._listener.settimeout(0)
        self._start(self._accept(self._listener))
        return int(self._listener.getsockname()[1])

    def hang_up(self) -> None:
        """End the connections of the wire: a certificate is looked at when one is made."""
        for handler in self._wire.connections:
            handler.force_close()

    async def close(self) -> None:
        """Listen no more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._own.shutdown(_LINGER_SECONDS / 10)
        if self._listener is not None:
            self._listener.close()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            connection.settimeout(0)
            self._start(self._connect(connection))

    async def _connect(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            first = await _first_byte(connection)
            if not first:
                connection.close()
                return
            made: asyncio.BaseProtocol = self._own()
            if first == _HANDSHAKE:
                context = self._context(self.refusal() if self.mutual else None)
                made = _Telling(loop, self._wire(), context, loop.create_future(), server_side=True)
            await loop.connect_accepted_socket(lambda: made, connection)
        except BaseException as error:
            connection.close()
            if not isinstance(error, OSError):
                raise


async def _first_byte(connection: socket.socket) -> bytes:
    """The first byte, left where it is; empty when the connection ends before it."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection.fileno())
    with contextlib.suppress(OSError):
        return connection.recv(1, socket.MSG_PEEK)
    return b""


class _Telling(SSLProtocol):
    """A handshake that fails ends with the alert that says why, as from an institution's server.

    asyncio's own makes the alert and never sends it.
    """

    def _fatal_error(self, exc: BaseException, message: str = "") -> None:
        transport: Any = self._transport
        alert: bytes = self._outgoing.read()  # type: ignore[attr-defined]  # typeshed does not list it
        if transport is None or not alert or not isinstance(exc, ssl.SSLError):
            super()._fatal_error(exc, message)
            return
        transport.write(alert)
        with contextlib.suppress(OSError, NotImplementedError):
            transport.write_eof()
        # closed at once, what the client sent meanwhile would be answered with a reset that overtakes the alert
        self._loop.call_later(_LINGER_SECONDS, transport.abort)

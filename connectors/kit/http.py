"""The only place that knows the HTTP client: one exchange, one deadline, and whether a byte may have left.

aiohttp directly, see docs/adr/0003-aiohttp-directly.md. Environment (proxies, .netrc) is ignored, redirects are never
followed, nothing is ever sent twice, and an answer is cut at its decompressed cap. Bodies are never logged.
"""

import asyncio
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from functools import lru_cache
from urllib.parse import urlsplit

import aiohttp
import aiohttp.abc
from yarl import URL

from connectors.kit.contract import Call, Exchange
from connectors.kit.errors import (
    ConnectionLost,
    ConnectorError,
    NotSent,
    Redirected,
    ServerFailed,
    Throttled,
    TimedOut,
    TooLarge,
    Unreadable,
)
from connectors.kit.reception import Received, Reception, Whole, reception
from connectors.kit.related import Related
from connectors.kit.retry_after import retry_after_seconds
from connectors.kit.sending import content

_KEPT_OF_TOO_LARGE = 64 * 1024
_REACHABLE_SECONDS = 2.0
#: OpenSSL's names of the alerts that are about the certificate which a side has shown or not shown.
_CERTIFICATE_ALERT = re.compile(
    r"(?:TLSV1|SSLV3|TLSV13)_ALERT_((?:BAD_|UNSUPPORTED_)?CERTIFICATE(?:_\w+)?|UNKNOWN_CA|ACCESS_DENIED)"
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `evidence` is the body as it is kept: with its secrets masked."""

    method: str
    path: str  #: Absolute path and query, already quoted.
    headers: Mapping[str, str]
    body: bytes
    evidence: bytes
    related: Related | None = None  #: The body goes as the root of this, with attachments beside it.
    message_id: str = ""  #: By which the answer says what it answers, where the wire has such a thing.


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer, decompressed."""

    status: int
    headers: Mapping[str, str]  #: Lower-case names; of a repeated header the last.
    body: bytes
    media_type: str
    charset: str  #: Lower case, or "" when the answer names none.
    exchange: Exchange
    attachments: Mapping[str, bytes] = field(default_factory=dict)  #: By content id, of a multipart answer.


@dataclass(slots=True)
class _Flight:
    """How far one request has come."""

    gate: Callable[[], None]
    evidence: bytes
    begun: float = field(default_factory=time.monotonic)
    sent: bool = False  #: A byte may have left.
    status: int = 0
    content_type: str = ""
    reception: Reception = field(default_factory=Whole)

    def exchange(self) -> Exchange:
        milliseconds = round((time.monotonic() - self.begun) * 1000)
        return Exchange(self.evidence, self.reception.evidence(), self.status, self.content_type, milliseconds)


_flight: ContextVar[_Flight] = ContextVar("flight")


class _GatedRequest(aiohttp.ClientRequest):
    """Asks the send gate when the connection stands and the first byte is about to leave."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        flight = _flight.get()
        flight.gate()
        flight.sent = True
        return await super().send(conn)


class _Pinned(aiohttp.abc.AbstractResolver):
    """Every name has the one address that was looked at."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp's
    ) -> list[aiohttp.abc.ResolveResult]:
        kind = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        flags = socket.AI_NUMERICHOST
        return [{"hostname": host, "host": self._address, "port": port, "family": kind, "proto": 0, "flags": flags}]

    async def close(self) -> None:
        """Nothing is held."""


class HttpClient:
    """The pool of one institution."""

    def __init__(
        self,
        base_url: str,
        *,
        now: Callable[[], datetime],
        connections: int | None = None,
        connect_seconds: float = 5.0,
        tls: ssl.SSLContext | None = None,
        address: str | None = None,
    ) -> None:
        """`base_url` has no trailing slash; `connect_seconds` counts within the deadline of each call.

        `address` is the one to which connections are opened, whatever the host's name resolves to; TLS still asks for
        the host's certificate.

        Without `connections` there are as many as calls under way: each operation's own places are the limit, and in
        a common one a slow operation would take the places of the others.
        """
        self._base_url = base_url
        self._now = now
        self._connections = connections
        self._connect_seconds = connect_seconds
        self._tls = tls
        self._address = address
        self._sessions: dict[bool, aiohttp.ClientSession] = {}  #: By whether connections are always new.

    async def exchange(
        self,
        request: HttpRequest,
        call: Call,
        *,
        seconds: float,
        max_bytes: int,
        gated: bool = True,
        fresh: bool = False,
    ) -> HttpAnswer:
        """Send once and read the whole answer, in `seconds` altogether.

        `gated` is false for what goes before the act itself (a token). `fresh` takes a new connection: for acts whose
        lost answer nobody can ask about, because a kept connection may be dying just now. Raises NotSent when no byte
        left; TimedOut and ConnectionLost when it may have arrived; Redirected, Throttled, TooLarge, Unreadable for
        answers of these kinds.
        """
        flight = _Flight(call.send_gate if gated else _open, request.evidence)
        _flight.set(flight)
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                headers, received = await self._converse(request, call.traceparent, flight, max_bytes, fresh=fresh)
        except TimeoutError as error:
            if flight.sent:
                raise TimedOut("no whole answer came within the deadline", exchange=flight.exchange()) from error
            raise NotSent("no connection or no place in the pool within the deadline") from error
        answer = _answer(flight, headers, received)
        self._refuse_by_status(answer)
        return answer

    async def _converse(
        self, request: HttpRequest, traceparent: str, flight: _Flight, max_bytes: int, *, fresh: bool
    ) -> tuple[Mapping[str, str], Received]:
        headers = {**request.headers, "traceparent": traceparent} if traceparent else request.headers
        size, data = content(request.body, request.related)
        if size:
            headers = {**headers, "Content-Length": str(size)}
        try:
            async with self._pool(fresh=fresh).request(
                request.method,
                URL(self._base_url + request.path, encoded=True),
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as response:
                flight.status = response.status
                flight.content_type = response.headers.get("Content-Type", "")
                received = await _read_body(response, flight, max_bytes)
                return {name.lower(): value for name, value in response.headers.items()}, received
        except (aiohttp.ClientError, OSError) as error:
            raise _classified(error, flight) from error

    def _pool(self, *, fresh: bool) -> aiohttp.ClientSession:
        if fresh not in self._sessions:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections or 0,
                    ssl=self._tls or True,
                    force_close=fresh,
                    resolver=_Pinned(self._address) if self._address else None,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "jisr", "Accept-Encoding": "gzip"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
                auto_decompress=False,
                trust_env=False,
                request_class=_GatedRequest,
            )
            session._retry_connection = False  # noqa: SLF001  # else it resends GET, PUT, DELETE on a dead connection
            self._sessions[fresh] = session
        return self._sessions[fresh]

    def _refuse_by_status(self, answer: HttpAnswer) -> None:
        if 300 <= answer.status < 400:
            raise Redirected(f"HTTP {answer.status}: redirects are never followed", exchange=answer.exchange)
        wish = answer.headers.get("retry-after")
        if answer.status == 429 or (answer.status == 503 and wish is not None):
            raise Throttled(
                f"HTTP {answer.status}: not now",
                exchange=answer.exchange,
                retry_after_seconds=retry_after_seconds(wish, self._now()),
            )

    async def reachable(self) -> bool:
        """Whether a connection can be opened now, within two seconds; never raises."""
        parts = urlsplit(self._base_url)
        secure = parts.scheme == "https"
        tls = (self._tls or ssl.create_default_context()) if secure else None
        try:
            async with asyncio.timeout(_REACHABLE_SECONDS):
                _, writer = await asyncio.open_connection(
                    parts.hostname, parts.port or (443 if secure else 80), ssl=tls
                )
        except (OSError, ValueError):
            return False
        writer.transport.abort()  # a polite end of TLS would wait for the other side
        return True

    async def close(self) -> None:
        """Close the pool; the client opens another when it is used again."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()


def _open() -> None:
    """The gate of what is sent before the act itself."""


def _classified(error: Exception, flight: _Flight) -> ConnectorError:
    if not flight.sent:
        return NotSent(_not_connected(error))
    if alert := _refused_certificate(error):
        why = f"the institution refuses our certificate ({alert}), and said so after the first bytes had left"
        return ConnectionLost(why, exchange=flight.exchange())
    if isinstance(error, aiohttp.ClientResponseError):
        return Unreadable("the answer is not HTTP", exchange=flight.exchange())
    return ConnectionLost(f"the connection broke ({type(error).__name__})", exchange=flight.exchange())


def _not_connected(error: Exception) -> str:
    """Why there is no connection, in words that say whose certificate is wrong."""
    cause = getattr(error, "certificate_error", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the institution's certificate is refused: {cause.verify_message}"
    if alert := _refused_certificate(error):
        return f"the institution refuses our certificate ({alert})"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionResetError):
        return "the institution broke the connection off while it was made; with TLS it may not accept our certificate"
    return f"no connection ({type(error).__name__})"


def _refused_certificate(error: BaseException | None) -> str:
    """The TLS alert with which the other side refused our certificate, or "".

    In TLS 1.2 it ends the handshake, before our first byte. In TLS 1.3 our handshake is over when the server looks at
    our certificate, so the alert comes after our first bytes (RFC 8446, 4.4.2); and an alert does not tell whether the
    server read them: it is sealed with the same keys whether the server's handshake failed or the request was done.
    After the first byte it is therefore never "not sent".
    """
    while error is not None:
        reason = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
        if alert := _CERTIFICATE_ALERT.fullmatch(str(reason)):
            return alert[1].lower().replace("_", " ")
        error = error.__cause__ or error.__context__
    return ""


async def _read_body(response: aiohttp.ClientResponse, flight: _Flight, max_bytes: int) -> Received:
    """Read the whole answer, decompressing piece by piece, so that a bomb never unfolds beyond the cap."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise Unreadable("unknown content encoding", exchange=flight.exchange())
    inflate = None if encoding in {"identity", ""} else zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        flight.reception = reception(flight.content_type)
        async for chunk in response.content.iter_any():
            room = max_bytes - flight.reception.size + 1
            flight.reception.feed(chunk[:room] if inflate is None else inflate.decompress(chunk, room))
            if flight.reception.size > max_bytes:
                flight.reception.cut(_KEPT_OF_TOO_LARGE)
                raise TooLarge(f"the answer is larger than {max_bytes} bytes", exchange=flight.exchange())
        received = flight.reception.finish()
    except zlib.error as error:
        raise Unreadable("the answer cannot be decompressed", exchange=flight.exchange()) from error
    except ValueError as error:
        kind = ServerFailed if flight.status >= 500 else Unreadable
        raise kind(f"HTTP {flight.status}: {error}", exchange=flight.exchange()) from error
    if inflate is not None and not inflate.eof and flight.reception.size:
        raise Unreadable("the compressed answer is cut off", exchange=flight.exchange())
    return received


def _answer(flight: _Flight, headers: Mapping[str, str], received: Received) -> HttpAnswer:
    media_type, charset = _content_type(received.content_type)
    exchange = flight.exchange()
    return HttpAnswer(flight.status, headers, received.body, media_type, charset, exchange, received.attachments)


@lru_cache(maxsize=256)
def _content_type(value: str) -> tuple[str, str]:
    media_type, _, parameters = value.partition(";")
    if not parameters:
        return media_type.strip().lower(), ""
    message = Message()
    message["Content-Type"] = value
    return media_type.strip().lower(), str(message.get_param("charset", "")).lower()

"""The HTTP server: uvicorn on the gateway's own event loop, with the two limits on headers that it lacks."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: What a client may send before it is cut: a header block larger than this is a 431, one slower than this a 408.
HEADER_BYTES = 64 * 1024
HEADER_SECONDS = 10.0
#: A connection that is kept is closed after being idle for so long; channels keep theirs for less.
IDLE_SECONDS = 75
BACKLOG = 2048

_REFUSALS = {
    408: b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
}


class Guarded(HttpToolsProtocol):
    """uvicorn's protocol, which would wait for a header block for ever and take one of any size."""

    _waiting = True  #: For the rest of a header block.
    _piece = _before = 0  #: Bytes of the piece that is being read, and of those before it in the same header block.
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first header block."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._refuse, 408)

    def data_received(self, data: bytes) -> None:
        """Read; a header block that is not complete then is counted and timed."""
        if self.transport.is_closing():
            return
        self._piece = len(data)
        waited = self._waiting
        super().data_received(data)
        if not self._waiting or self.transport.is_closing():
            return
        self._before += self._piece if waited else 0
        if self._before > HEADER_BYTES:
            self._refuse(431)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._refuse, 408)

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a call."""
        self._waiting, self._before = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser; what it raises ends the connection."""
        self._waiting = False
        self._stop_waiting()
        if self._before + self._piece > HEADER_BYTES:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > HEADER_BYTES:
                self._refuse(431)
                raise ValueError("the header block is too large")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Called when the parser gave up; a call that was refused has its answer."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(_REFUSALS[status])
            self.transport.close()


class HttpServer(uvicorn.Server):
    """Serves an application until `stop` is called; what is under way is then finished. Signals are the caller's."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Guarded,
                ws="none",
                loop="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=IDLE_SECONDS,
                backlog=BACKLOG,
            )
        )
        self._listener = listener

    async def run_until_stopped(self) -> None:
        """Serve; returns when the last call under way has been answered after `stop`."""
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Take no new connection, and end."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program, which stops more than the server."""
        yield

"""The local socket over which the command line reaches a running server: one JSON line asks, one JSON line answers.

The server (jisr/app.py) holds it open for as long as the store is open:

    async with AdminSocket(settings.admin_socket_path, lambda name, arguments: admin.run(desk, name, arguments)):
        ...

The socket has mode 0600 and refuses a peer with another user id, so it needs no key.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from gateway.logs import log
from jisr.errors import CommandError, sentence_of

Run = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
_LINE_LIMIT = 16 * 1024 * 1024
_ASK_TIMEOUT_SECONDS = 60.0
_LAST_TURNS = 20
_PATH_LIMIT = 100  # of a socket's address; Linux allows 107 bytes


class AdminSocket:
    """The server's side."""

    def __init__(self, path: Path, run: Run) -> None:
        self._path = path
        self._run = run
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen; a socket that a killed server left behind is replaced."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(listener.fileno(), 0o600)  # Linux gives the file the mode that the socket had before bind
            with _reachable(self._path) as address:
                self._path.unlink(missing_ok=True)
                listener.bind(address)
            self._path.chmod(0o600)
        except BaseException:
            listener.close()
            raise
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_LINE_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._path.unlink(missing_ok=True)
        await _turns()  # a connection that was made just now is taken: asyncio leaks one that a closed server takes
        self._server.close()
        await _turns()  # one whose peer is gone is read to its end and closed

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _peer_may(writer):
                while line := await reader.readline():
                    writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                    await writer.drain()
        except (ConnectionError, ValueError):
            log.info("admin_connection_lost")
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = msgspec.json.decode(line)
            name, arguments = asked["command"], asked["arguments"]
            result = await self._run(name, arguments)
        except Exception as error:  # noqa: BLE001 - whatever it was, the asker gets a sentence and the server lives on
            sentence = sentence_of(error, "en")
            if sentence is None:
                log.exception("admin_command_failed")
                sentence = f"The server met an unexpected fault ({type(error).__name__}); its log says where."
            return {"ok": False, "error": sentence}
        log.info("admin_command", operation=str(name))
        return {"ok": True, "result": result}


async def _turns() -> None:
    """Let the event loop do what is at hand."""
    for _ in range(_LAST_TURNS):
        await asyncio.sleep(0)


def _peer_may(writer: asyncio.StreamWriter) -> bool:
    """Whether the peer is this user or root; the file's mode says the same, this one does not trust the folder."""
    peer = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _pid, user, _group = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user in (0, os.getuid())


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """An address of `path` that is short enough for a socket, however deep the folder lies."""
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def answers(path: Path) -> bool:
    """Whether a server listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            with _reachable(path) as address:
                client.connect(address)
        except OSError:
            return False
        return True


def ask(path: Path, name: str, arguments: Mapping[str, Any]) -> Any:
    """The result of a command that the server ran. Raises CommandError with the server's sentence."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_ASK_TIMEOUT_SECONDS)
        try:
            with _reachable(path) as address:
                client.connect(address)
            client.sendall(msgspec.json.encode({"command": name, "arguments": arguments}) + b"\n")
            with client.makefile("rb") as answer:
                line = answer.readline()
        except OSError as error:
            raise CommandError(f"The running server does not answer on {path}: {error.strerror or error}.") from error
    if not line:
        raise CommandError(f"The server closed {path} without an answer; its log says why.")
    said = msgspec.json.decode(line)
    if not said["ok"]:
        raise CommandError(said["error"])
    return said["result"]

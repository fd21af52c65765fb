"""A small client of the canonical API, as a channel would write one: JSON over HTTP, and event streams."""

import http.client
import json
import math
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jisr.errors import CommandError

_TIMEOUT_SECONDS = 60.0


class Unreachable(CommandError):
    """Nobody answers at the address, or the connection broke before the answer was complete."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the gateway."""

    status: int
    headers: Mapping[str, str]  #: Names in lower case.
    content: bytes

    def json(self) -> Any:
        """The parsed body; CommandError when it is not JSON."""
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise CommandError(
                f"The answer (HTTP {self.status}) is not JSON: is this the gateway's address?"
            ) from error


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    id: str
    kind: str
    data: Any


class Client:
    """Speaks to one gateway with one key."""

    def __init__(self, url: str, key: str, *, language: str = "en") -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"The address {url!r} is not of the form http://host:port.")
        self._url = url.rstrip("/")
        self._parts = parts
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        **headers: str,
    ) -> Reply:
        """One call. Raises Unreachable, and CommandError with the gateway's own words for a problem answer."""
        connection = self._connection(timeout_seconds)
        try:
            response = self._send(connection, method, path, body, headers)
            reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"No answer from {self._url}: {_reason(error)}.") from error
        finally:
            connection.close()
        if reply.status >= 400:
            raise Refused(reply)
        return reply

    def stream(
        self, request_id: str, *, after: str = "", timeout_seconds: float = _TIMEOUT_SECONDS, until: float = math.inf
    ) -> Iterator[Event]:
        """The request's events after `after`, as they happen, until the server ends the stream or the monotonic clock
        shows `until` (seen with the next event or sign of life). Raises Unreachable."""
        connection = self._connection(timeout_seconds)
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        try:
            response = self._send(connection, "GET", f"/v1/requests/{request_id}/stream", None, headers)
            if response.status >= 400:
                raise Refused(Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()))
            yield from _events(response, until)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"The stream from {self._url} broke: {_reason(error)}.") from error
        finally:
            connection.close()

    def _connection(self, timeout_seconds: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        return kind(self._parts.hostname, self._parts.port, timeout=timeout_seconds)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, self._parts.path.rstrip("/") + path, body, {**self._headers, **kind, **named})
        return connection.getresponse()


class Refused(CommandError):
    """The gateway answered with a problem; its words are this error's message."""

    def __init__(self, reply: Reply) -> None:
        try:
            problem = json.loads(reply.content)
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        self.status = reply.status
        self.code = str(problem.get("code", ""))
        words = [str(problem.get("detail") or problem.get("title") or f"The gateway answered HTTP {reply.status}.")]
        words += [_field(error) for error in problem.get("errors") or ()]
        super().__init__("\n".join(words) + (f"  [{self.code}]" if self.code else ""))


def _field(error: Mapping[str, Any]) -> str:
    message = error.get("message") or error.get("detail") or ""
    if isinstance(message, dict):
        message = message.get("en") or message.get("ar") or ""
    return f"  {error.get('pointer', '')}: {message}"


def _events(response: http.client.HTTPResponse, until: float) -> Iterator[Event]:
    """Parse a stream of server-sent events (HTML standard, section 9.2); comments keep the line alive."""
    fields: dict[str, list[str]] = {}
    while time.monotonic() < until and (line := response.readline()):
        text = line.decode("utf-8").rstrip("\r\n")
        if text:
            name, _, value = text.partition(":")
            if name:
                fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            data = "\n".join(fields["data"])
            yield Event(
                "".join(fields.get("id", [])[-1:]), "".join(fields.get("event", ["message"])[-1:]), json.loads(data)
            )
        fields = {}


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__

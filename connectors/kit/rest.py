"""JSON over HTTP: requests rendered from a mapping, answers read strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from connectors.kit.errors import ServerFailed, Unreadable
from connectors.kit.http import HttpAnswer, HttpRequest
from connectors.kit.json_answers import read_object
from connectors.kit.lists import ListStyle, refuse_separator, written_list

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,1000}[\x21-\x7e])?")
_NO_LISTS: Mapping[str, ListStyle] = {}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class RestMessage:
    """A rendered request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def evidence(self) -> bytes:
        """What is kept of it: the body, or the request line where there is none."""
        return self.body or f"{self.method} {self.path}".encode()

    def to_send(self, evidence: bytes) -> HttpRequest:
        """The HTTP request, before anything proves who sends it."""
        return HttpRequest(self.method, self.path, self.headers, self.body, evidence)


def path_places(path: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(_PLACE.findall(path))


def render(method: str, path: str, parts: Mapping[str, Any], lists: Mapping[str, ListStyle] = _NO_LISTS) -> RestMessage:
    """The request from the sections `path`, `query`, `headers` and `body`. Raises ValueError, with no value in it.

    `lists` says how the query's lists are written; in path and headers a comma stands between their values."""
    places = parts.get("path") or {}
    filled = _PLACE.sub(lambda match: _segment(match[1], places.get(match[1])), path)
    query = _query(parts.get("query") or {}, lists)
    headers = {name: _header(name, value) for name, value in (parts.get("headers") or {}).items()}
    body = b""
    if method not in {"GET", "DELETE"}:
        body = _ENCODER.encode(parts.get("body") or {})
        headers["Content-Type"] = "application/json"
    headers["Accept"] = "application/json"
    return RestMessage(method, f"{filled}?{query}" if query else filled, headers, body)


def _query(values: Mapping[str, Any], lists: Mapping[str, ListStyle]) -> str:
    if not lists:
        return urlencode({name: _scalar(f"query.{name}", value) for name, value in values.items()})
    parts = []
    for name, value in values.items():
        if name not in lists:
            parts.append(urlencode({name: _scalar(f"query.{name}", value)}))
            continue
        texts = [_scalar(f"query.{name}", one) for one in (value if isinstance(value, list) else [value])]
        if texts:
            parts.append(written_list(name, texts, lists[name]))
    return "&".join(parts)


def _scalar(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list) and key.startswith("query."):
        raise ValueError(f"{key}: a list is sent only where the manifest names the parameter in lists")
    raise ValueError(f"{key}: text or an integer is expected")


def _without_commas(key: str, values: list[Any]) -> list[Any]:
    refuse_separator([_scalar(key, value) for value in values], ",", key)
    return values


def _segment(name: str, value: Any) -> str:
    if isinstance(value, list) and value:
        return ",".join(_segment(name, one) for one in _without_commas(f"path.{name}", value))
    text = _scalar(f"path.{name}", value)
    if text in {"", ".", ".."}:
        raise ValueError(f"path.{name}: it is empty or would leave the path")
    return quote(text, safe="")


def _header(name: str, value: Any) -> str:
    if isinstance(value, list) and value:
        return ",".join(_header(name, one) for one in _without_commas(f"headers.{name}", value))
    text = _scalar(f"headers.{name}", value)
    if not _HEADER_VALUE.fullmatch(text):
        raise ValueError(f"headers.{name}: printable ASCII is expected")
    return text


def read(answer: HttpAnswer) -> dict[str, Any]:
    """The JSON object of an answer. Raises ServerFailed for 5xx without one, else Unreadable; both keep the bytes."""
    try:
        return _read(answer)
    except ValueError as error:
        if answer.status >= 500:
            raise ServerFailed(f"HTTP {answer.status} without a JSON object", exchange=answer.exchange) from error
        raise Unreadable(f"HTTP {answer.status}: {error}", exchange=answer.exchange) from error


def _read(answer: HttpAnswer) -> dict[str, Any]:
    if answer.status == 204 and not answer.body:  # RFC 9110, 15.3.5: it has no content, and says so
        return {}
    if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
        raise ValueError("the content type is not JSON")
    if answer.charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise ValueError("the charset is not UTF-8")
    return read_object(answer.body)

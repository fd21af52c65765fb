"""This file reads query parameters strictly: what is unknown, repeated without need or badly written is refused."""

import base64
import binascii
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request

from gateway.errors import FieldError, Problem, field_error
from mappings.status import Request as State

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_TEXT = 128


def request_id_of(text: str) -> str:
    """A well-formed request id. Raises Problem("not_found"): no request can have another."""
    if _REQUEST_ID.match(text) is None:
        raise Problem("not_found")
    return text


class Query:
    """The query parameters of one call; `finish` raises all that is wrong with them at once."""

    def __init__(self, request: Request[Any, Any, Any], known: AbstractSet[str]) -> None:
        self._values: dict[str, list[str]] = {}
        self.errors: list[FieldError] = []
        raw = request.scope["query_string"]
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
        except ValueError:
            raise Problem("invalid_query") from None
        for name, value in pairs:
            if name not in known:
                self.errors.append(field_error(_shown(name), "unknown_parameter"))
            else:
                self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """A text without control characters, or None."""
        value = self._one(name)
        if value is not None and (not value or len(value) > _MAX_TEXT or _UNSAFE.search(value)):
            self.errors.append(field_error(name, "wrong_format", expected=f"1 … {_MAX_TEXT}"))
            return None
        return value

    def flag(self, name: str) -> bool:
        """`true` or `false`; false when it is not given."""
        value = self._one(name)
        if value not in (None, "true", "false"):
            self.errors.append(field_error(name, "not_in_list", allowed="true, false"))
        return value == "true"

    def limit(self) -> int:
        """How many items a page has."""
        value = self._one("limit")
        if value is None:
            return DEFAULT_LIMIT
        if not value.isascii() or not value.isdigit() or len(value) > 6 or not 1 <= int(value) <= MAX_LIMIT:
            self.errors.append(field_error("limit", "wrong_format", expected=f"1 … {MAX_LIMIT}"))
            return DEFAULT_LIMIT
        return int(value)

    def states(self) -> Sequence[str]:
        """The states asked for; the parameter may be repeated or separated by commas."""
        return self.words("state", [state.value for state in State])

    def words(self, name: str, known: Sequence[str]) -> Sequence[str]:
        """Those of a fixed list that are asked for; the parameter may be repeated or separated by commas."""
        given = [word for value in self._values.get(name, []) for word in value.split(",")]
        if any(word not in known for word in given):
            self.errors.append(field_error(name, "not_in_list", allowed=", ".join(known)))
        return given

    def moment(self, name: str) -> int | None:
        """An RFC 3339 time with its offset, as milliseconds since 1970 UTC."""
        value = self.text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value.replace(" ", "+"))  # an unescaped + reads as a space
            milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
        except (ValueError, OverflowError):
            moment = None
        if moment is None or moment.tzinfo is None:
            self.errors.append(field_error(name, "wrong_format", expected="2026-03-25T10:00:00Z"))
            return None
        return milliseconds

    def cursor(self, form: re.Pattern[str] = _REQUEST_ID) -> str | None:
        """The id after which the page begins; of requests, unless ids are of another form."""
        value = self._one("cursor")
        if value is None:
            return None
        try:
            text = base64.urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4)).decode("ascii")
        except (ValueError, binascii.Error):
            text = ""
        if form.match(text) is None:
            self.errors.append(field_error("cursor", "cursor_invalid"))
            return None
        return text

    def finish(self) -> None:
        """Raises Problem("invalid_query") when anything was wrong."""
        if self.errors:
            raise Problem("invalid_query", errors=self.errors)

    def _one(self, name: str) -> str | None:
        values = self._values.get(name, [])
        if len(values) > 1:
            self.errors.append(field_error(name, "not_unique"))
        return values[0] if values else None


def cursor_after(request_id: str) -> str:
    """The opaque cursor of the page after this id."""
    return base64.urlsafe_b64encode(request_id.encode()).decode().rstrip("=")


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name) else "…"

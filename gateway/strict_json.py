"""This file reads JSON strictly: one meaning or a Problem, never a guess, a crash or a slow death.

Python's own parser takes duplicate keys, NaN and floats, raises RecursionError on deep nesting and ValueError on very
long integers; each of these is settled here before the parser sees it or in its hooks.
"""

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

from gateway.errors import Problem

MAX_DEPTH = 64
MAX_NUMBER_LENGTH = 64
MAX_EXPONENT = 64

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_PRINTABLE_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")
_canonical = msgspec.json.Encoder(order="sorted", decimal_format="number")


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8; numbers with a point or exponent are Decimal. Raises Problem."""
    _check_depth(raw)
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except ValueError:
        raise Problem("malformed_json") from None


def canonical_json(value: Any) -> bytes:
    """One spelling per value: sorted keys, no spaces, UTF-8."""
    return _canonical.encode(value)


def _check_depth(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(raw):
        first = raw[token.start()]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Problem("json_too_deep")
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        name = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Problem("json_duplicate_key", facts={"name": name if _PRINTABLE_KEY.match(name) else "…"})
    return result


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise Problem("json_number_too_long")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise Problem("json_number_too_long")
    value = Decimal(digits)
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise Problem("json_number_too_long")
    return value


def _constant(_: str) -> Any:
    raise Problem("number_not_finite")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)

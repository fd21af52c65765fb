"""Texts and numbers for JSON Schemas."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.patterns import json_regex, texts
from connectors.kit.sample_values.simple_types import KNOWN

_FORMATS: Mapping[str, str] = {
    "date": "2026-01-15", "date-time": "2026-01-15T08:30:00Z", "time": "08:30:00Z", "duration": "P1D",
    "email": "sample@example.org", "idn-email": "sample@example.org", "hostname": "example.org",
    "idn-hostname": "example.org", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.org/",
    "uri-reference": "/sample", "iri": "https://example.org/", "iri-reference": "/sample", "url": "https://example.org/",
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "json-pointer": "/sample", "relative-json-pointer": "0",
    "uri-template": "/sample", "regex": "sample", "byte": "c2FtcGxl", "base64": "c2FtcGxl",
}  # fmt: skip
_MOST_LETTERS = 100_000


def text(schema: Mapping[str, Any], name: str) -> str:
    """A text with the schema's length, pattern and format; free text says `name`. Raises NoSample."""
    least, most = int(schema.get("minLength") or 0), schema.get("maxLength")
    if least > _MOST_LETTERS:
        raise NoSample(f"{name} has at least {least} letters")
    pattern = schema.get("pattern")
    form = str(schema.get("format") or schema.get("contentEncoding"))  # what OpenAPI 3.0 calls byte is base64 in 3.1
    start = _FORMATS.get(form, KNOWN.get(name.replace("_", "").lower(), name))
    free = start.ljust(least, "x")
    free = free if most is None else free[: int(most)]
    if not isinstance(pattern, str):
        return free
    regex = json_regex(pattern)
    if regex.search(free):
        return free
    for found in texts(regex):
        padded = found if len(found) >= least else found.ljust(least, found[-1:] or "a")
        if (most is None or len(padded) <= int(most)) and regex.search(padded):
            return padded
    raise NoSample(f"no text was found for the pattern of {name}")


def number(schema: Mapping[str, Any], kind: str) -> int | float:
    """A number within the schema's bounds, one where that is allowed. Raises NoSample."""
    low, high = _bounds(schema)
    of = Decimal(str(schema["multipleOf"])) if schema.get("multipleOf") else None
    step = of or (Decimal(1) if kind == "integer" else Decimal("0.01"))
    near = [bound + change for bound in (low, high) if bound is not None for change in (0, step, -step, 1, -1)]
    if low is not None and high is not None:
        near.append((low + high) / 2)
    if of is not None:
        near = [*(value // of * of for value in near), *((value // of + 1) * of for value in near), of, -of]
    for candidate in (Decimal(1), Decimal(0), Decimal(-1), *near):
        whole = candidate == candidate.to_integral_value()
        if (kind == "number" or whole) and _allowed(schema, candidate, of):
            return int(candidate) if whole else float(candidate)
    raise NoSample("no number was found within the bounds")


def _bounds(schema: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    lows = [_decimal(schema.get(key)) for key in ("minimum", "exclusiveMinimum")]
    highs = [_decimal(schema.get(key)) for key in ("maximum", "exclusiveMaximum")]
    return (
        max((value for value in lows if value is not None), default=None),
        min((value for value in highs if value is not None), default=None),
    )


def _decimal(value: Any) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _allowed(schema: Mapping[str, Any], value: Decimal, of: Decimal | None) -> bool:
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    least, most = _decimal(schema.get("minimum")), _decimal(schema.get("maximum"))
    own_least, own_most = _decimal(above), _decimal(below)
    return (
        (least is None or value > least or (value == least and above is not True))
        and (most is None or value < most or (value == most and below is not True))
        and (own_least is None or value > own_least)
        and (own_most is None or value < own_most)
        and (of is None or value % of == 0)
    )

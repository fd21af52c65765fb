"""How parameters that are lists stand in an address or a header (OpenAPI's style and explode), both ways."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote_plus, unquote_plus

ListStyle = Literal["repeat", "comma", "space", "pipe"]
#: What stands between the values of one parameter, as it is sent.
_BETWEEN: Mapping[str, str] = {"comma": ",", "space": "%20", "pipe": "%7C"}
_STYLES: Mapping[tuple[str, bool], ListStyle] = {
    ("form", True): "repeat",
    ("form", False): "comma",
    ("spaceDelimited", True): "repeat",
    ("spaceDelimited", False): "space",
    ("pipeDelimited", True): "repeat",
    ("pipeDelimited", False): "pipe",
}


class Unwritable(ValueError):
    """A style that the kit does not write; the message is its name."""


def list_style(parameter: Mapping[str, Any]) -> ListStyle:
    """How a list parameter of an OpenAPI document is written. Raises Unwritable."""
    place = parameter.get("in")
    style = str(parameter.get("style") or ("form" if place == "query" else "simple"))
    explode = parameter.get("explode", style == "form")
    if place in {"path", "header"} and style == "simple":
        return "comma"
    found = _STYLES.get((style, explode is True)) if place == "query" else None
    if found is None:
        raise Unwritable(style)
    return found


def written_list(name: str, values: Sequence[str], style: ListStyle) -> str:
    """The part of a query that carries the values of a parameter.

    Raises ValueError, without the value, for one that has the sign in it that stands between them: nobody could tell.
    """
    if style == "repeat":
        return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for value in values)
    refuse_separator(values, unquote_plus(_BETWEEN[style]), f"query.{name}")
    return f"{quote_plus(name)}={_BETWEEN[style].join(quote_plus(value) for value in values)}"


def refuse_separator(values: Sequence[str], sign: str, key: str) -> None:
    """Raises ValueError when a value has the sign in it."""
    if any(sign in value for value in values):
        raise ValueError(f"{key}: a value has the sign in it that stands between the values of a list")


def read_query(raw: str, lists: Mapping[str, ListStyle] | None = None) -> dict[str, Any]:
    """A query as it was sent, by name: a list where `lists` has the name, or where a name repeats; else text."""
    styles = lists or {}
    found: dict[str, list[str]] = {}
    for part in raw.split("&") if raw else ():
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        between = _BETWEEN.get(styles.get(name, ""))
        pieces = [value] if between is None else _split(value, between)
        found.setdefault(name, []).extend(unquote_plus(piece) for piece in pieces)
    return {name: values if name in styles or len(values) > 1 else values[0] for name, values in found.items()}


def _split(value: str, between: str) -> list[str]:
    """Others write the sign between the values plainly, or as a plus."""
    plain = {"%20": ("+", "%20"), "%7C": ("|", "%7c", "%7C")}.get(between, (between,))
    for sign in plain:
        value = value.replace(sign, "\0")
    return value.split("\0")

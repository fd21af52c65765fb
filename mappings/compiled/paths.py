"""Fields, chains of fields, indexes and slices."""

from collections.abc import Sequence
from typing import Any

from mappings.compiled.node import Build, Evaluate, Node, flat

#: What a look-up raises that meets another type, or nothing.
_MISSES = (KeyError, TypeError, AttributeError)


def field(node: Node, _: Build) -> Evaluate:
    """`a`"""
    return path((node["value"],))


def subexpression(node: Node, build: Build) -> Evaluate:
    """`a.b.c`, and chains with other forms in them."""
    links = list(flat(node))
    if all(link["type"] == "field" for link in links):
        return path([link["value"] for link in links])
    return chain([build(link) for link in links])


def index_expression(node: Node, build: Build) -> Evaluate:
    """`a[0]`, and the list under a slice."""
    return chain([build(child) for child in node["children"] if child["type"] != "identity"])


def index(node: Node, _: Build) -> Evaluate:
    """`[0]`"""
    number = node["value"]

    def evaluate(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        try:
            return value[number]
        except IndexError:
            return None

    return evaluate


def slice_(node: Node, _: Build) -> Evaluate:
    """`[1:5:2]`"""
    part = slice(*node["children"])
    if part.step == 0:
        raise ValueError("the step of a slice is not 0")
    return lambda value: value[part] if isinstance(value, list) else None


def chain(links: Sequence[Evaluate]) -> Evaluate:
    """One after another."""
    if len(links) == 1:
        return links[0]
    if len(links) == 2:
        first, second = links
        return lambda value: second(first(value))

    def evaluate(value: Any) -> Any:
        for link in links:
            value = link(value)
        return value

    return evaluate


def names_of(node: Node) -> tuple[str, ...]:
    """The names of a plain path; empty for any other form."""
    if node["type"] == "field":
        return (node["value"],)
    links = list(flat(node)) if node["type"] == "subexpression" else []
    return tuple(link["value"] for link in links) if links and all(link["type"] == "field" for link in links) else ()


def object_of(head: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Evaluate:
    """Several fields of one place as an object without nulls, null when nothing is left: (new name, field)."""

    def evaluate(value: Any) -> Any:
        found = value
        try:
            for name in head:
                found = found[name]
            get = found.get
        except _MISSES:
            get = getattr(_look_up(value, head), "get", None)
            if get is None:
                return None
        return {name: part for name, last in pairs if (part := get(last)) is not None} or None

    return evaluate


def path(names: Sequence[str]) -> Evaluate:
    """Fields one below another. The usual case, where all but the last are there, takes no loop."""
    if len(names) == 1:
        return _one(names[0])
    if len(names) == 2:
        return _two(*names)
    if len(names) == 3:
        return _three(*names)
    *head, last = names

    def evaluate(value: Any) -> Any:
        found = value
        try:
            for name in head:
                found = found[name]
            return found.get(last)
        except _MISSES:
            return _look_up(value, names)

    return evaluate


def _one(name: str) -> Evaluate:
    def evaluate(value: Any) -> Any:
        return value.get(name) if value.__class__ is dict else _look_up(value, (name,))

    return evaluate


def _two(first: str, last: str) -> Evaluate:
    def evaluate(value: Any) -> Any:
        try:
            return value[first].get(last)
        except _MISSES:
            return _look_up(value, (first, last))

    return evaluate


def _three(first: str, second: str, last: str) -> Evaluate:
    def evaluate(value: Any) -> Any:
        try:
            return value[first][second].get(last)
        except _MISSES:
            return _look_up(value, (first, second, last))

    return evaluate


def _look_up(value: Any, names: Sequence[str]) -> Any:
    """As the library does it: what has no `get` has no fields."""
    for name in names:
        try:
            value = value.get(name)
        except AttributeError:
            return None
    return value

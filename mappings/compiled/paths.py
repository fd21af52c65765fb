"""Fields, chains of fields, indexes and slices."""

from collections.abc import Sequence
from typing import Any

from mappings.compiled.node import Build, Evaluate, Node, flat


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
    place = path(head) if head else None

    def evaluate(value: Any) -> Any:
        found = value if place is None else place(value)
        try:
            get = found.get
        except AttributeError:
            return None
        result = {}
        for name, last in pairs:  # a comprehension would be one more call
            part = get(last)
            if part is not None:
                result[name] = part
        return result or None

    return evaluate


def path(names: Sequence[str]) -> Evaluate:
    """Fields one below another, as the library does it: what has no `get` has no fields.

    What is not there is as usual as what is: null ends the way without an exception.
    """
    if len(names) == 1:
        return _one(names[0])
    if len(names) == 2:
        return _two(*names)
    if len(names) == 3:
        return _three(*names)
    head, last = path(names[:-1]), names[-1]

    def evaluate(value: Any) -> Any:
        found = head(value)
        try:
            return None if found is None else found.get(last)
        except AttributeError:
            return None

    return evaluate


def _one(name: str) -> Evaluate:
    def evaluate(value: Any) -> Any:
        try:
            return value.get(name)
        except AttributeError:
            return None

    return evaluate


def _two(first: str, last: str) -> Evaluate:
    def evaluate(value: Any) -> Any:
        try:
            found = value.get(first)
            return None if found is None else found.get(last)
        except AttributeError:
            return None

    return evaluate


def _three(first: str, second: str, last: str) -> Evaluate:
    def evaluate(value: Any) -> Any:
        try:
            found = value.get(first)
            if found is None:
                return None
            found = found.get(second)
            return None if found is None else found.get(last)
        except AttributeError:
            return None

    return evaluate

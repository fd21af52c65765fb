"""The words that all forms share: a node of the library's tree, and what it is compiled to."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

Node = Mapping[str, Any]
Evaluate = Callable[[Any], Any]

MAX_DEPTH = 64


class Build(Protocol):
    """Compiles the children of a form."""

    functions: Any  #: A `jmespath.functions.Functions`.

    def __call__(self, node: Node) -> Evaluate:
        """The closure of `node`."""


def walk(node: Node, depth: int = 0) -> Iterator[Node]:
    """The node and everything under it. Raises ValueError for a tree that is too deep."""
    if depth > MAX_DEPTH:
        raise ValueError("an expression is nested too deeply")
    yield node
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from walk(child, depth + 1)


def flat(node: Node) -> Iterator[Node]:
    """The links of a chain: `a.b.c` is one subexpression or several inside one another."""
    for child in node["children"]:
        if child["type"] == "subexpression":
            yield from flat(child)
        else:
            yield child


def text_of(node: Node) -> str | None:
    """The text of a constant; None for any other form."""
    return node["value"] if node["type"] == "literal" and isinstance(node["value"], str) else None

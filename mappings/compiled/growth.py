"""Refuses expressions that multiply what they read: `[@, @] | [@, @] | …` doubles with every link.

The growth of a node is how many times the size of its input its result may have.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod

from mappings.compiled.node import Node, walk

MAX_GROWTH = 1000
#: Functions whose result is one small value, whatever they read.
_SMALL = frozenset(
    {"abs", "ceil", "floor", "contains", "ends_with", "starts_with", "length", "sum", "type", "to_number", "avg",
     "sha256", "size", "has_code", "flag", "unflag", "integer"}
)  # fmt: skip
_LOOPING = frozenset({"projection", "value_projection", "filter_projection", "flatten"})
_WALKING = frozenset({"map", "sort", "sort_by", "min_by", "max_by"})


def loops(node: Node) -> bool:
    """Whether it goes through lists, so that its evaluation needs a budget."""
    return any(
        part["type"] in _LOOPING or (part["type"] == "function_expression" and part["value"] in _WALKING)
        for part in walk(node)
    )


def growth_of(node: Node) -> int:
    """How many times the size of its input its result may have. Raises ValueError above the limit, for any part."""
    return _growth(node)


def _growth(node: Node) -> int:
    children = [_growth(child) for child in node["children"] if isinstance(child, Mapping)]
    grown = _RULES.get(node["type"], _longest)(node, children)
    if grown > MAX_GROWTH:
        raise ValueError(f"it multiplies what it reads more than {MAX_GROWTH:,} times")
    return grown


def _longest(_: Node, children: Sequence[int]) -> int:
    return max(children, default=1)


def _product(_: Node, children: Sequence[int]) -> int:
    return prod(children)


def _sum(_: Node, children: Sequence[int]) -> int:
    return sum(children)


def _call(node: Node, children: Sequence[int]) -> int:
    if node["value"] in _SMALL:
        return 1
    if node["value"] == "map":
        return prod(children)
    return max(sum(children), 1)


_RULES: Mapping[str, Callable[[Node, Sequence[int]], int]] = {
    "subexpression": _product,
    "index_expression": _product,
    "pipe": _product,
    "projection": _product,
    "value_projection": _product,
    "filter_projection": lambda _, children: children[0] * max(children[1:]),
    "multi_select_list": _sum,
    "multi_select_dict": _sum,
    "function_expression": _call,
}

"""What goes through lists: projections over elements and values, filters, flattening. Each element is a step."""

from collections.abc import Iterable
from typing import Any

from mappings.compiled.budget import charge
from mappings.compiled.logic import is_false
from mappings.compiled.node import Build, Evaluate, Node

_SAME = frozenset({"identity", "current"})


def projection(node: Node, build: Build) -> Evaluate:
    """`a[*].b`, `a[].b`, `a[1:3].b`"""
    left, right = node["children"]
    rows, collect = build(left), _collector(right, build)

    def evaluate(value: Any) -> Any:
        base = rows(value)
        if not isinstance(base, list):
            return None
        charge(len(base))
        return collect(base)

    return evaluate


def value_projection(node: Node, build: Build) -> Evaluate:
    """`a.*.b`"""
    left, right = node["children"]
    rows, collect = build(left), _collector(right, build)

    def evaluate(value: Any) -> Any:
        try:
            base = rows(value).values()
        except AttributeError:
            return None
        charge(len(base))
        return collect(base)

    return evaluate


def filter_projection(node: Node, build: Build) -> Evaluate:
    """`a[?b == 'c'].d`"""
    left, right, condition = node["children"]
    rows, collect, truth = build(left), _collector(right, build), build(condition)

    def evaluate(value: Any) -> Any:
        base = rows(value)
        if not isinstance(base, list):
            return None
        charge(len(base))
        return collect([element for element in base if not is_false(truth(element))])

    # condition and right side are evaluated in turns by the library; without side effects that is the same
    return evaluate


def flatten(node: Node, build: Build) -> Evaluate:
    """`a[]`"""
    rows = build(node["children"][0])

    def evaluate(value: Any) -> Any:
        base = rows(value)
        if not isinstance(base, list):
            return None
        charge(len(base))
        merged: list[Any] = []
        for element in base:
            if isinstance(element, list):
                charge(len(element))
                merged.extend(element)
            else:
                merged.append(element)
        return merged

    return evaluate


def _collector(node: Node, build: Build) -> Evaluate:
    """The right side applied to each element; what gives null is left out."""
    if node["type"] in _SAME:
        return _present
    right = build(node)

    def collect(base: Iterable[Any]) -> list[Any]:
        return [found for element in base if (found := right(element)) is not None]

    return collect


def _present(base: Iterable[Any]) -> list[Any]:
    return [element for element in base if element is not None]

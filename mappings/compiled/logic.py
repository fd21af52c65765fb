"""Truth, comparisons, and, or, not."""

import operator
from collections.abc import Callable
from numbers import Number
from typing import Any

from mappings.compiled.node import Build, Evaluate, Node

_EMPTY = frozenset({str, list, dict})
_SURE = frozenset({"eq", "ne"})  #: Comparisons that always give true or false; the orders may give null.
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def is_false(value: Any) -> bool:
    """JMESPath's falsehood: null, false, and the empty text, list and object. Zero is true."""
    return not value and (value is None or value is False or value.__class__ in _EMPTY)


def or_expression(node: Node, build: Build) -> Evaluate:
    """`a || b`"""
    left, right = (build(child) for child in node["children"])

    def evaluate(value: Any) -> Any:
        found = left(value)
        return found if found or not is_false(found) else right(value)

    return evaluate


def and_expression(node: Node, build: Build) -> Evaluate:
    """`a && b`"""
    left, right = (build(child) for child in node["children"])

    def evaluate(value: Any) -> Any:
        found = left(value)
        return right(value) if found or not is_false(found) else found

    return evaluate


def not_expression(node: Node, build: Build) -> Evaluate:
    """`!a`; `!!a` in one."""
    inner = node["children"][0]
    if inner["type"] == "not_expression":
        twice = inner["children"][0]
        return build(twice) if _is_truth(twice) else _truth(build(twice))
    operand = build(inner)
    return lambda value: _negated(operand(value))


def _is_truth(node: Node) -> bool:
    """Whether it gives true or false and nothing else, so that `!!` adds nothing."""
    return node["type"] == "not_expression" or (node["type"] == "comparator" and node["value"] in _SURE)


def _truth(operand: Evaluate) -> Evaluate:
    def evaluate(value: Any) -> bool:
        found = operand(value)
        return True if found else found is not None and found is not False and isinstance(found, Number)

    return evaluate


def _negated(value: Any) -> bool:
    """The library's negation: as Python's, but zero counts as true."""
    return not value and (value is None or value is False or not isinstance(value, Number))


def comparator(node: Node, build: Build) -> Evaluate:
    """`==`, `!=`, and the orders, which give null for anything but numbers and text."""
    left, right = node["children"]
    kind = node["value"]
    if kind in _ORDERS:
        return _order(_ORDERS[kind], build(left), build(right))
    if right["type"] == "literal" and isinstance(right["value"], str):
        return _equals_text(build(left), right["value"], wanted=kind == "eq")
    first, second = build(left), build(right)
    if kind == "eq":
        return lambda value: equal(first(value), second(value))
    return lambda value: not equal(first(value), second(value))


def _equals_text(operand: Evaluate, text: str, *, wanted: bool) -> Evaluate:
    if wanted:
        return lambda value: operand(value) == text
    return lambda value: operand(value) != text


def _order(compare: Callable[[Any, Any], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(value: Any) -> bool | None:
        first, second = left(value), right(value)
        return compare(first, second) if _is_comparable(first) and _is_comparable(second) else None

    return evaluate


def equal(left: Any, right: Any) -> bool:
    """JMESPath's equality: Python's, but that 0 and 1 are not false and true."""
    if _is_number(left) and left in {0, 1}:
        return left == right and not isinstance(right, bool)
    if _is_number(right) and right in {0, 1}:
        return left == right and not isinstance(left, bool)
    return bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _is_comparable(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)

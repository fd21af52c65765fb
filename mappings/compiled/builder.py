"""One table: a form's name in the library's tree, and the function that compiles it."""

from collections.abc import Callable, Mapping
from typing import Any

from mappings.compiled import calls, logic, paths, projections, selections
from mappings.compiled.node import Build, Evaluate, Node

FORMS: Mapping[str, Callable[[Node, Build], Evaluate]] = {
    "field": paths.field,
    "subexpression": paths.subexpression,
    "index": paths.index,
    "index_expression": paths.index_expression,
    "slice": paths.slice_,
    "literal": selections.literal,
    "current": selections.current,
    "identity": selections.current,
    "pipe": selections.pipe,
    "multi_select_list": selections.multi_select_list,
    "multi_select_dict": selections.multi_select_dict,
    "projection": projections.projection,
    "value_projection": projections.value_projection,
    "filter_projection": projections.filter_projection,
    "flatten": projections.flatten,
    "comparator": logic.comparator,
    "or_expression": logic.or_expression,
    "and_expression": logic.and_expression,
    "not_expression": logic.not_expression,
    "function_expression": calls.function_expression,
    "expref": calls.expref,
}


class _Builder:
    __slots__ = ("functions",)

    def __init__(self, functions: Any) -> None:
        self.functions = functions

    def __call__(self, node: Node) -> Evaluate:
        return FORMS[node["type"]](node, self)


def build(node: Node, functions: Any) -> Evaluate:
    """The closure of a checked tree; `functions` is a `jmespath.functions.Functions`. Raises ValueError."""
    return _Builder(functions)(node)

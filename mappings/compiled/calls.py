"""Function calls with the library's type checks, and expression references."""

from collections.abc import Callable, Sequence
from typing import Any

from mappings.compiled.budget import charge
from mappings.compiled.node import Build, Evaluate, Node

Check = Callable[[Sequence[Any]], None]

#: Library functions that go through a list in Python, evaluating or comparing each element.
_WALKING = frozenset({"map", "sort", "sort_by", "min_by", "max_by"})


class _Expression:
    """`&a`, as the library's functions use it. The class's name is the type's name in the library."""

    __slots__ = ("expression",)

    def __init__(self, expression: Evaluate) -> None:
        self.expression = expression

    @staticmethod
    def visit(expression: Evaluate, value: Any) -> Any:
        """What the expression gives for `value`."""
        return expression(value)


#: Python classes of JMESPath's types, for the quick check; the library's own check has the last word.
_CLASSES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
    "string": (str,),
    "number": (float, int),
    "expref": (_Expression,),
}


def expref(node: Node, build: Build) -> Evaluate:
    """`&a`"""
    reference = _Expression(build(node["children"][0]))
    return lambda _: reference


def function_expression(node: Node, build: Build) -> Evaluate:
    """`name(a, b)`. The functions may have a shorter form of it: `short_form(name, nodes, arguments)`."""
    name, functions = node["value"], build.functions
    arguments = [build(child) for child in node["children"]]
    short_form = getattr(functions, "short_form", None)  # the library's own class has none
    if short_form is not None and (short := short_form(name, node["children"], arguments)) is not None:
        evaluate: Evaluate = short
        return evaluate
    known = functions.FUNCTION_TABLE[name]
    function = known["function"].__get__(functions)
    checks = [*_checks(known["signature"], name, functions), *([_charged] if name in _WALKING else ())]
    return _checked(function, arguments, checks) if checks else _unchecked(function, arguments)


def _unchecked(function: Callable[..., Any], arguments: Sequence[Evaluate]) -> Evaluate:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda value: function(only(value))
    if len(arguments) == 2:
        first, second = arguments
        return lambda value: function(first(value), second(value))
    return lambda value: function(*[argument(value) for argument in arguments])


def _checked(function: Callable[..., Any], arguments: Sequence[Evaluate], checks: Sequence[Check]) -> Evaluate:
    def evaluate(value: Any) -> Any:
        given = [argument(value) for argument in arguments]
        for check in checks:
            check(given)
        return function(*given)

    return evaluate


def _checks(signature: Sequence[dict[str, Any]], name: str, functions: Any) -> list[Check]:
    return [
        _check(position, argument["types"], name, functions)
        for position, argument in enumerate(signature)
        if argument["types"]
    ]


def _check(position: int, types: list[str], name: str, functions: Any) -> Check:
    quick = frozenset(kind for wanted in types if "-" not in wanted for kind in _CLASSES.get(wanted, ()))

    def check(given: Sequence[Any]) -> None:
        if given[position].__class__ not in quick:
            functions._type_check_single(given[position], types, name)  # noqa: SLF001  # the library's own rule

    return check


def _charged(given: Sequence[Any]) -> None:
    charge(sum(len(each) for each in given if isinstance(each, list)))

"""One JMESPath expression, parsed, checked and compiled at load."""

from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from mappings.compiled import Evaluate, Node, build, growth_of, loops, names_of, refill, walk
from mappings.functions import MappingFunctions

Context = Mapping[str, Any]

MAX_CHARACTERS = 1000
_UNMEASURED = 16  #: An expression that repeats its input no more often needs no measuring.
#: JMESPath's own functions that make floats, in which amounts and references get lost.
_FLOATING = frozenset({"avg", "to_number"})
#: What a closure raises for a value that does not fit.
UNFIT = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError)


class Expression:
    """A compiled expression. Calling it raises ValueError, with no value in the message, when a value does not fit."""

    __slots__ = ("evaluate", "fields", "grows", "names")

    def __init__(self, text: str, functions: MappingFunctions) -> None:
        """Raises ValueError for a syntax error, an unknown function or table, a wrong number of arguments."""
        node = parse(text)
        check(node, functions)
        growth = growth_of(node)
        self.fields = frozenset(part["value"] for part in walk(node) if part["type"] == "field")
        #: Whether it goes through lists or repeats what it reads: then a budget is begun and the result measured.
        self.grows = growth > _UNMEASURED or loops(node)
        self.names = names_of(node)  #: Of a plain path (`a.b.c`); empty for any other expression.
        self.evaluate: Evaluate = build(node, functions)  #: Unguarded: raises any of UNFIT.

    def __call__(self, context: Context) -> Any:
        """The value in this context; None when the document has nothing there."""
        if self.grows:
            refill()
        try:
            return self.evaluate(context)
        except UNFIT as error:
            raise ValueError(unfit(error)) from None


def unfit(error: BaseException) -> str:
    """What was wrong, without the value: it may be personal, and the library quotes it."""
    if isinstance(error, LookupError):
        return "the code table has no such value"
    if isinstance(error, RecursionError):
        return "the value is nested too deeply"
    if isinstance(error, JMESPathError) or not isinstance(error, ValueError):
        return f"a value of another type was expected ({type(error).__name__})"
    return str(error)


def parse(text: str) -> Node:
    """The library's tree of an expression. Raises ValueError."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"an expression has at most {MAX_CHARACTERS:,} characters")
    try:
        node: Node = jmespath.compile(text).parsed
    except RecursionError as error:
        raise ValueError("an expression is nested too deeply") from error
    except (JMESPathError, ValueError, LookupError) as error:
        raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())}") from error
    return node


def check(node: Node, functions: MappingFunctions) -> None:
    """Raises ValueError for what would only show when a citizen's request is mapped."""
    for part in walk(node):
        if part["type"] == "function_expression":
            _check_call(part, functions)
        else:
            _refuse_references(part)
    _refuse_references({"type": "", "children": [node]})


def _refuse_references(node: Node) -> None:
    """`&a` is no value: it stands only as an argument of a function that takes one."""
    if any(isinstance(child, Mapping) and child["type"] == "expref" for child in node["children"]):
        raise ValueError("&… stands only as an argument of map, sort_by, min_by and max_by")


def _check_call(node: Node, functions: MappingFunctions) -> None:
    name, arguments = node["value"], node["children"]
    if name in _FLOATING:
        raise ValueError(f"{name}() makes a float; use integer(), or leave the number as it is")
    known = functions.FUNCTION_TABLE.get(name)
    if known is None:
        raise ValueError(f"there is no function {name}()")
    wanted = known["signature"]
    variadic = bool(wanted) and wanted[-1].get("variadic", False)
    if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not variadic):
        raise ValueError(f"{name}() takes {len(wanted)} argument{'s' if len(wanted) > 1 else ''}")
    for position, argument in enumerate(arguments):
        takes_reference = position < len(wanted) and "expref" in wanted[position]["types"]
        if takes_reference != (argument["type"] == "expref"):
            raise ValueError(
                f"{name}(): argument {position + 1} is {'' if takes_reference else 'not '}a reference (&…)"
            )
    functions.check_call(name, arguments)

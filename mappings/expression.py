"""One JMESPath expression, parsed and checked at load; plain paths and function calls run without the interpreter."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import Options, TreeInterpreter

from mappings.functions import MappingFunctions

Context = Mapping[str, Any]
Node = Mapping[str, Any]
Evaluate = Callable[[Any], Any]

MAX_CHARACTERS = 1000
_MAX_DEPTH = 64
#: JMESPath's own functions that make floats, in which amounts and references get lost.
_FLOATING = frozenset({"avg", "to_number"})


class Expression:
    """A compiled expression. Calling it raises ValueError, with no value in the message, when a value does not fit."""

    __slots__ = ("_evaluate", "fields")

    def __init__(self, text: str, functions: MappingFunctions) -> None:
        """Raises ValueError for a syntax error, an unknown function or table, a wrong number of arguments."""
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"an expression has at most {MAX_CHARACTERS} characters")
        try:
            node = jmespath.compile(text).parsed
        except JMESPathError as error:
            raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())}") from error
        except RecursionError as error:
            raise ValueError("an expression is nested too deeply") from error
        for part in _walk(node):
            _check_call(part, functions)
        self.fields = frozenset(part["value"] for part in _walk(node) if part["type"] == "field")
        self._evaluate = _compile(node, functions)

    def __call__(self, context: Context) -> Any:
        """The value in this context; None when the document has nothing there."""
        try:
            return self._evaluate(context)
        except JMESPathError as error:
            raise ValueError(f"a value of another type was expected ({type(error).__name__})") from None
        except LookupError as error:
            raise ValueError("the code table has no such value") from error


def _walk(node: Node, depth: int = 0) -> Iterator[Node]:
    if depth > _MAX_DEPTH:
        raise ValueError("an expression is nested too deeply")
    yield node
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from _walk(child, depth + 1)


def _check_call(node: Node, functions: MappingFunctions) -> None:
    if node["type"] != "function_expression":
        return
    name, arguments = node["value"], node["children"]
    if name in _FLOATING:
        raise ValueError(f"{name}() makes a float; use integer(), or leave the number as it is")
    known = functions.FUNCTION_TABLE.get(name)
    if known is None:
        raise ValueError(f"there is no function {name}()")
    wanted = known["signature"]
    variadic = bool(wanted) and wanted[-1].get("variadic", False)
    if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not variadic):
        raise ValueError(f"{name}() takes {len(wanted)} arguments")
    if name in {"code", "uncode"} and arguments[0]["type"] == "literal":
        _check_table(str(arguments[0]["value"]), functions)


def _check_table(name: str, functions: MappingFunctions) -> None:
    try:
        rows, column = functions.table(name)
    except LookupError as error:
        raise ValueError(str(error)) from error
    if not all(column in row for row in rows.rows.values()):
        raise ValueError(f"code table {name!r} has no such column")


def _compile(node: Node, functions: MappingFunctions) -> Evaluate:  # noqa: PLR0911  # one per kind of node
    """A closure for the usual kinds of node; the interpreter, with the same meaning, for the rest."""
    match node["type"]:
        case "field":
            return _path((node["value"],))
        case "subexpression" if all(child["type"] == "field" for child in _flat(node)):
            return _path(tuple(child["value"] for child in _flat(node)))
        case "literal":
            value = node["value"]
            return lambda _: value
        case "function_expression":
            arguments = tuple(_compile(child, functions) for child in node["children"])
            call, name = functions.call_function, node["value"]
            return lambda context: call(name, [argument(context) for argument in arguments])
        case "or_expression":
            left, right = (_compile(child, functions) for child in node["children"])
            return lambda context: right(context) if _is_false(value := left(context)) else value
        case "not_expression":
            inner = _compile(node["children"][0], functions)
            return lambda context: _is_false(inner(context))
        case "comparator" if node["value"] == "eq" and _is_text(node["children"][1]):
            left, text = _compile(node["children"][0], functions), node["children"][1]["value"]
            return lambda context: bool(left(context) == text)
    visit = TreeInterpreter(Options(custom_functions=functions)).visit
    return lambda context: visit(node, context)


def _is_false(value: Any) -> bool:
    """JMESPath's falsehood: null, false, and the empty text, list and object. Zero is true."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def _is_text(node: Node) -> bool:
    return node["type"] == "literal" and isinstance(node["value"], str)


def _flat(node: Node) -> Iterator[Node]:
    for child in node["children"]:
        if child["type"] == "subexpression":
            yield from _flat(child)
        else:
            yield child


def _path(names: tuple[str, ...]) -> Evaluate:
    def evaluate(context: Any) -> Any:
        for name in names:
            if not isinstance(context, dict):
                return None
            context = context.get(name)
        return context

    return evaluate

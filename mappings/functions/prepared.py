"""Calls whose arguments are constants, but for the first: what the constants allow is done once, at load."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mappings.compiled.node import Evaluate, Node

Prepare = Callable[..., Evaluate]  #: Of the constants; gives the function of the first argument alone.


class Declared(NamedTuple):
    """How a function was declared."""

    method: Callable[..., Any]  #: Without checks.
    classes: Sequence[tuple[type, ...]]  #: Which each argument may have; `object` stands for all.
    null_is_null: bool  #: Whether null as its first argument gives null.
    prepare: Prepare | None


def prepared(
    functions: Any, checked: Callable[..., Any], nodes: Sequence[Node], arguments: Sequence[Evaluate]
) -> Evaluate | None:
    """The short form of a call, None when it has none. A first argument that does not fit goes the long way."""
    declared: Declared | None = getattr(checked, "declared", None)
    if declared is None or not declared.null_is_null or not nodes:
        return None
    constants = [node["value"] for node in nodes[1:] if node["type"] == "literal"]
    if len(constants) != len(nodes) - 1 or not _fit(constants, declared.classes[1:]):
        return None
    return _closure(arguments[0], _run(functions, declared, constants), checked.__get__(functions), declared, constants)


def _fit(constants: Sequence[Any], classes: Sequence[tuple[type, ...]]) -> bool:
    return all(object in wanted or value.__class__ in wanted for value, wanted in zip(constants, classes, strict=True))


def _run(functions: Any, declared: Declared, constants: Sequence[Any]) -> Evaluate:
    if declared.prepare is not None:
        try:
            return declared.prepare(*constants)
        except (ValueError, LookupError):
            pass  # constants that never fit are refused when the call is made, as the long way does it
    method: Callable[..., Any] = declared.method.__get__(functions)
    return method if not constants else lambda given: method(given, *constants)


def _closure(
    subject: Evaluate, run: Evaluate, checked: Callable[..., Any], declared: Declared, constants: Sequence[Any]
) -> Evaluate:
    quick = frozenset(declared.classes[0])
    if object in quick:

        def of_anything(value: Any) -> Any:
            given = subject(value)
            return None if given is None else run(given)

        return of_anything

    def evaluate(value: Any) -> Any:
        given = subject(value)
        if given.__class__ in quick:
            return run(given)
        return None if given is None else checked(given, *constants)

    return evaluate

"""How a function is declared: what it takes, what it means, and examples that the tests run and the pages show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from itertools import product
from typing import Any, TypeVar, cast

from jmespath.functions import signature

from mappings.functions.prepared import Declared, Prepare
from mappings.upload import Upload

_Method = TypeVar("_Method", bound=Callable[..., Any])

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "text"),
    "whole number": ((int,), "a whole number"),
    "list": ((list,), "a list"),
    "object": ((dict,), "an object"),
    "text or bytes": ((str, bytes), "text or bytes"),
    "bytes": ((bytes,), "bytes"),
    "base64": ((str, Upload), "base64 text"),
    "content": ((str, bytes, Upload), "text or bytes"),
    "number or text": ((str, int, Decimal), "a number or text"),
    "anything": ((object,), "anything"),
}


@dataclass(frozen=True, slots=True)
class Documented:
    """What the reference says of a function."""

    name: str
    arguments: tuple[str, ...]  #: Their names.
    group: str
    says: str
    examples: tuple[tuple[str, Any], ...]  #: Expression and result.


def function(
    *arguments: str,
    says: str,
    examples: tuple[tuple[str, Any], ...],
    subject: int | None = 0,
    prepare: Prepare | None = None,
) -> Callable[[_Method], _Method]:
    """Registers a method `_func_name` with jmespath. An argument is written `name: kind`.

    When the argument number `subject` is null, so is the result (null in, null out); None switches that off. An
    argument of another kind is refused with a message that does not show it. `prepare` takes the arguments after the
    first, when they are constants, and gives a quicker function of the first alone, which means the same.
    """
    names = tuple(argument.partition(": ")[0] for argument in arguments)
    kinds = [argument.partition(": ")[2] for argument in arguments]

    def declare(method: _Method) -> _Method:
        name = method.__name__.removeprefix("_func_")
        classes = [_KINDS[kind][0] for kind in kinds]
        fitting = frozenset(product(*classes))  # the quick check: exactly these types

        @wraps(method)
        def checked(self: Any, *given: Any) -> Any:
            if subject is not None and given[subject] is None:
                return None
            if tuple(map(type, given)) not in fitting:
                for value, allowed, kind in zip(given, classes, kinds, strict=True):
                    if not isinstance(value, allowed) or (isinstance(value, bool) and object not in allowed):
                        raise ValueError(f"{name}() wants {_KINDS[kind][1]}")  # one kind of refusal
            return method(self, *given)

        group = method.__module__.rpartition(".")[2]
        checked.documented = Documented(name, names, group, says, examples)  # type: ignore[attr-defined]
        checked.declared = Declared(method, classes, subject == 0, prepare)  # type: ignore[attr-defined]
        return cast("_Method", signature(*({"types": []} for _ in arguments))(checked))

    return declare


def documented(functions: type) -> list[Documented]:
    """Every documented function of a class, by name."""
    found = (getattr(functions, name) for name in sorted(dir(functions)) if name.startswith("_func_"))
    return [method.documented for method in found if hasattr(method, "documented")]

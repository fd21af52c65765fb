"""What a form allows at a key: the names of its keys, or the words of its value; so that errors say what to write."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

_MOST = 24


def known_keys(form: Any, key: tuple[str, ...]) -> list[str]:
    """The keys that the table at `key` may have, sorted; empty when it may have any."""
    found = {field.encode_name for one in _at(form, key) for field in getattr(one, "fields", ())}
    return sorted(found)[:_MOST]


def allowed_values(form: Any, key: tuple[str, ...]) -> list[str]:
    """The words that the value at `key` may be; empty when it is no list of words."""
    found: list[str] = []
    for one in _at(form, key):
        if isinstance(one, inspect.LiteralType):
            found += [str(value) for value in one.values]
        elif isinstance(one, inspect.EnumType):
            found += [str(member.value) for member in one.cls]
    return found[:_MOST]


def _at(form: Any, key: tuple[str, ...]) -> Iterator[inspect.Type]:
    """The types that can stand there."""
    try:
        waiting = list(_plain(inspect.type_info(form)))
    except msgspec.ValidationError:  # pragma: no cover - the loader has used the form already
        return
    for step in key:
        waiting = [inner for one in waiting for inner in _below(one, step)]
    yield from waiting


def _below(one: inspect.Type, step: str) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.DictType):
        yield from _plain(one.value_type)
    elif isinstance(one, inspect.VarTupleType | inspect.ListType):
        yield from _plain(one.item_type)
    for field in getattr(one, "fields", ()):
        if field.encode_name == step:
            yield from _plain(field.type)


def _plain(one: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.UnionType):
        for inner in one.types:
            yield from _plain(inner)
    elif isinstance(one, inspect.Metadata):
        yield from _plain(one.type)
    else:
        yield one

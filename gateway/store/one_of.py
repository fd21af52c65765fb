"""A condition "the column is one of these texts" whose SQL is the same for one and for a hundred.

`IN (?, ?, …)` is another statement for every length of the list: SQLAlchemy expands it at every call, and the server
plans each anew. PostgreSQL takes the list as one array, SQLite as one JSON text.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Dialect, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeDecorator

S = TypeVar("S")
#: The condition on a column; the list is given under the name when the statement is executed.
OneOf = Callable[[ColumnElement[str], str], ColumnElement[bool]]


class _JsonList(TypeDecorator[list[str]]):
    """A list of texts as a JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str:
        return json.dumps(value)


def _in_sqlite(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    listed = func.json_each(bindparam(name, type_=_JsonList())).table_valued("value")
    return column.in_(select(listed.c.value))


def _in_postgresql(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    return column == func.any(bindparam(name, type_=ARRAY(Text)))


def for_each_dialect(build: Callable[[OneOf], S]) -> Mapping[str, S]:
    """The statement that `build` makes with either form of the condition, by the dialect's name."""
    return {"sqlite": build(_in_sqlite), "postgresql": build(_in_postgresql)}


def listed_for_each_dialect(name: str, build: Callable[[ColumnElement[str]], S]) -> Mapping[str, S]:
    """The statement that `build` makes with the texts of the list `name` as the rows of one column, by the dialect."""
    json_texts = func.json_each(bindparam(name, type_=_JsonList())).table_valued("value").c.value
    array = func.unnest(bindparam(name, type_=ARRAY(Text))).column_valued("listed")
    return {"sqlite": build(json_texts), "postgresql": build(array)}

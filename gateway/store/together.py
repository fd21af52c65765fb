"""Writes to several tables as one step: on PostgreSQL they are one statement, and so one round trip.

Each column of the rows goes as one array, so the SQL is the same for one row and for a hundred. SQLite, which has no
round trips, carries them out one after the other.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Dialect, Table, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.dml import UpdateBase

from gateway.store.prepared import Compiled, Prepared, compiled, run

Rows = Sequence[Mapping[str, Any]]
#: The value that a row gives under a name.
Given = Callable[[str], ColumnElement[Any]]


class Write:
    """One statement for many rows. The writes of one step touch no row twice."""

    def __init__(self, build: Callable[[Given], UpdateBase], fields: Mapping[str, Column[Any]]) -> None:
        """`build` makes the statement for one row; `fields` names what a row gives, each with a column of its type."""
        self._build, self._fields = build, fields
        self.each = Prepared(build(lambda name: bindparam(name, type_=fields[name].type)))

    def from_arrays(self, dialect: Dialect) -> Compiled:
        """The statement for all rows, whose parameters are one list per name."""
        return compiled(self._build(unnested(self._fields).__getitem__), dialect)


class Insert(Write):
    """The rows of a table that give these columns."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table = table
        super().__init__(
            lambda given: insert(table).values({name: given(name) for name in columns}),
            {name: table.c[name] for name in columns},
        )

    def from_arrays(self, dialect: Dialect) -> Compiled:
        """See Write."""
        source = select(*unnested(self._fields).values())
        return compiled(insert(self._table).from_select(list(self._fields), source), dialect)


inserting = lru_cache(maxsize=64)(Insert)


def rows_of(table: Table, rows: Rows) -> tuple[Write, Rows]:
    """The step's part that inserts `rows`, which all give the same columns."""
    return inserting(table, tuple(rows[0]) if rows else ()), rows


def unnested(fields: Mapping[str, Column[Any]]) -> dict[str, ColumnElement[Any]]:
    """The columns of arrays that are laid side by side, one array for each name."""
    arrays = [bindparam(name, type_=ARRAY(column.type)) for name, column in fields.items()]
    given = func.unnest(*arrays).table_valued(*fields).render_derived(name="given")
    return {name: given.c[name] for name in fields}


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    """The rows as one list for each name."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def write_together(conn: Connection, *parts: tuple[Write, Rows]) -> None:
    """Carry out every part that has rows."""
    wanted = [(write, rows) for write, rows in parts if rows]
    if conn.dialect.name == "sqlite":
        for write, rows in wanted:
            write.each.many(conn, rows)
    elif wanted:
        sql, compiled_parts = _one_statement(tuple(write for write, _ in wanted), conn.dialect)
        parameters: tuple[Any, ...] = ()
        for made, (_, rows) in zip(compiled_parts, wanted, strict=True):
            parameters += made.parameters(columns_of(rows))
        run(conn, sql, parameters)


@lru_cache(maxsize=256)
def _one_statement(writes: tuple[Write, ...], dialect: Dialect) -> tuple[str, tuple[Compiled, ...]]:
    """All writes as parts of one statement; foreign keys between them are looked at when all are done."""
    made = tuple(write.from_arrays(dialect) for write in writes)
    texts, before = [], 0
    for each in made:
        texts.append(_renumbered(each.sql, before))
        before += len(each.places)
    *others, last = texts
    named = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(others))
    return (f"WITH {named} {last}" if others else last), made


def _renumbered(sql: str, before: int) -> str:
    """The same with parameters that are counted on from the parts before."""
    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + before}", sql)

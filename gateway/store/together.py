"""Writes to several tables as one step: on PostgreSQL they are one statement, and so one round trip.

Each column of the rows goes as one array, so the SQL is the same for one row and for a hundred. SQLite, which has no
round trips, carries them out one after the other.

A step may hang on a guard: rows that must all be there, or nothing is written. A guarded step that is all of its
transaction needs neither BEGIN nor COMMIT on PostgreSQL: one round trip instead of four.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Select,
    Table,
    Update,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.store.prepared import Compiled, Prepared, compiled, run, run_at_once

Rows = Sequence[Mapping[str, Any]]
#: The value that a row gives under a name.
Given = Callable[[str], ColumnElement[Any]]

_ALL_FOUND: ColumnElement[bool] = literal_column("(SELECT found FROM guard)", Boolean)


class Write:
    """One statement for many rows. The writes of one step touch no row twice."""

    def __init__(self, build: Callable[[Given], Update | Delete], fields: Mapping[str, Column[Any]]) -> None:
        """`build` makes the statement for one row; `fields` names what a row gives, each with a column of its type."""
        self._build, self._fields = build, fields
        self.each = Prepared(build(bound(fields)))

    def from_arrays(self, dialect: Dialect, condition: ColumnElement[bool]) -> Compiled:
        """The statement for all rows, whose parameters are one list per name; without `condition` it does nothing."""
        return compiled(self._build(unnested(self._fields).__getitem__).where(condition), dialect)


class Insert:
    """The rows of a table that give these columns."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table, self._fields = table, {name: table.c[name] for name in columns}
        given = bound(self._fields)
        self.each = Prepared(insert(table).values({name: given(name) for name in columns}))

    def from_arrays(self, dialect: Dialect, condition: ColumnElement[bool]) -> Compiled:
        """See Write."""
        source = select(*unnested(self._fields).values()).where(condition)
        return compiled(insert(self._table).from_select(list(self._fields), source), dialect)


class Selected:
    """Rows of a table that a query makes out of what is given: none, one or several for each."""

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        build: Callable[[Given], Select[Any]],
        fields: Mapping[str, Column[Any]],
    ) -> None:
        """`build` makes the query for one given row; it selects `columns` in their order."""
        self._table, self._columns, self._build, self._fields = table, list(columns), build, fields
        self.each = Prepared(insert(table).from_select(self._columns, build(bound(fields))))

    def from_arrays(self, dialect: Dialect, condition: ColumnElement[bool]) -> Compiled:
        """See Write."""
        source = self._build(unnested(self._fields).__getitem__).where(condition)
        return compiled(insert(self._table).from_select(self._columns, source), dialect)


Part = Write | Insert | Selected


class Guard:
    """Rows that must all be found. They stay locked until COMMIT."""

    def __init__(self, build: Callable[[Given], Select[Any]], fields: Mapping[str, Column[Any]]) -> None:
        """`build` makes the query that finds one row; `fields` names what it asks by, with a column of each type."""
        self._build, self._fields = build, fields
        self._each = Prepared(build(bound(fields)))

    def finds(self, conn: Connection, rows: Rows) -> bool:
        """Look for each of `rows`."""
        return all(self._each.one(conn, **row) for row in rows)

    def from_arrays(self, dialect: Dialect) -> Compiled:
        """The query for all rows, whose parameters are one list per name."""
        return compiled(self._build(unnested(self._fields).__getitem__), dialect)


inserting = lru_cache(maxsize=64)(Insert)


def rows_of(table: Table, rows: Rows) -> tuple[Insert, Rows]:
    """The step's part that inserts `rows`, which all give the same columns."""
    return inserting(table, tuple(rows[0]) if rows else ()), rows


def bound(fields: Mapping[str, Column[Any]]) -> Given:
    """The values of one row, as parameters."""
    return lambda name: bindparam(name, type_=fields[name].type)


def unnested(fields: Mapping[str, Column[Any]]) -> dict[str, ColumnElement[Any]]:
    """The columns of arrays that are laid side by side, one array for each name."""
    arrays = [bindparam(name, type_=ARRAY(column.type)) for name, column in fields.items()]
    given = func.unnest(*arrays).table_valued(*fields).render_derived(name="given")
    return {name: given.c[name] for name in fields}


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    """The rows as one list for each name."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def write_together(conn: Connection, *parts: tuple[Part, Rows]) -> None:
    """Carry out every part that has rows."""
    wanted = [(write, rows) for write, rows in parts if rows]
    if conn.dialect.name == "sqlite":
        _one_by_one(conn, wanted)
    elif wanted:
        sql, made = _one_statement(tuple(write for write, _ in wanted), conn.dialect)
        run(conn, sql, _parameters(made, [rows for _, rows in wanted]))


def write_guarded(conn: Connection, guard: Guard, guarded: Rows, *parts: tuple[Part, Rows]) -> bool:
    """The same if `guard` finds every one of `guarded`, which are not none; whether it did.

    In a batch it is the last step: where nothing went before it, it is committed when this returns, and CommitUnknown
    is raised when the connection is lost then. In `Store.write` it is a part of the transaction like any other.
    """
    wanted = [(write, rows) for write, rows in parts if rows]
    if conn.dialect.name == "sqlite":
        if not guard.finds(conn, guarded):
            return False
        _one_by_one(conn, wanted)
        return True
    sql, made = _guarded_statement(guard, tuple(write for write, _ in wanted), conn.dialect)
    ((found,),) = run_at_once(conn, sql, _parameters(made, [guarded, *(rows for _, rows in wanted)]))
    return bool(found)


def _one_by_one(conn: Connection, parts: Sequence[tuple[Part, Rows]]) -> None:
    for write, rows in parts:
        write.each.many(conn, rows)


def _parameters(made: Sequence[Compiled], rows_of_each: Sequence[Rows]) -> tuple[Any, ...]:
    parameters: tuple[Any, ...] = ()
    for each, rows in zip(made, rows_of_each, strict=True):
        parameters += each.parameters(columns_of(rows))
    return parameters


@lru_cache(maxsize=256)
def _one_statement(writes: tuple[Part, ...], dialect: Dialect) -> tuple[str, tuple[Compiled, ...]]:
    """All writes as parts of one statement; foreign keys between them are looked at when all are done."""
    made = tuple(write.from_arrays(dialect, true()) for write in writes)
    *others, last = _renumbered(made)
    named = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(others))
    return (f"WITH {named} {last}" if others else last), made


@lru_cache(maxsize=256)
def _guarded_statement(guard: Guard, writes: tuple[Part, ...], dialect: Dialect) -> tuple[str, tuple[Compiled, ...]]:
    """The same behind a guard. A part that writes is carried out to its end, whether or not anybody reads from it."""
    made = (guard.from_arrays(dialect), *(write.from_arrays(dialect, _ALL_FOUND) for write in writes))
    first, *others = _renumbered(made)
    parts = "".join(f", part_{number} AS ({text})" for number, text in enumerate(others))
    whole = "SELECT count(*) = cardinality($1) AS found FROM guarded"
    return f"WITH guarded AS ({first}), guard AS ({whole}){parts} SELECT found FROM guard", made  # noqa: S608 - of statements


def _renumbered(made: Sequence[Compiled]) -> list[str]:
    """The texts with parameters that are counted on from the parts before."""
    starts = accumulate((len(each.places) for each in made), initial=0)
    return [_counted_from(start, each.sql) for start, each in zip(starts, made, strict=False)]


def _counted_from(start: int, sql: str) -> str:
    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + start}", sql)

"""Inserts into several tables as one step: on PostgreSQL they are one statement and so one round trip.

The SQL depends on the tables and columns alone, not on how many rows there are: each column goes as one array.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, insert

from gateway.store.prepared import Prepared

Rows = Sequence[Mapping[str, Any]]
#: A table with the columns that its rows give.
_Shape = tuple[Table, tuple[str, ...]]


def insert_together(conn: Connection, rows: Mapping[Table, Rows]) -> None:
    """Insert the rows of every table, in the order given; the rows of one table have the same columns."""
    given = {table: values for table, values in rows.items() if values}
    if conn.dialect.name == "sqlite":
        for table, values in given.items():
            _insert(table, tuple(values[0])).many(conn, values)
    elif given:
        shapes = tuple((table, tuple(values[0])) for table, values in given.items())
        statement = _one_statement(shapes, conn.dialect)
        conn.exec_driver_sql(statement.sql, statement.arrays(list(given.values())))


@lru_cache(maxsize=64)
def _insert(table: Table, columns: Sequence[str]) -> Prepared:
    return Prepared(insert(table), *columns)


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    #: For each table its columns, with what makes a value fit for the driver (a sealed column seals), if anything.
    columns: tuple[tuple[tuple[str, Callable[[Any], Any] | None], ...], ...]

    def arrays(self, rows: Sequence[Rows]) -> tuple[list[Any], ...]:
        """The parameters: one list per column."""
        return tuple(
            [row[name] if fit is None else fit(row[name]) for row in values]
            for values, columns in zip(rows, self.columns, strict=True)
            for name, fit in columns
        )


@lru_cache(maxsize=64)
def _one_statement(shapes: tuple[_Shape, ...], dialect: Dialect) -> _Statement:
    """All inserts as parts of one statement; foreign keys between them are looked at when all are done."""
    parts: list[str] = []
    number = 0
    for table, names in shapes:
        arrays = [f"${number + place}::{_array(table.c[name], dialect)}" for place, name in enumerate(names, start=1)]
        number += len(names)
        source = f"SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - types of our own columns
        parts.append(f"INSERT INTO {table.name} ({', '.join(names)}) {source}")
    *others, last = parts
    named = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(others))
    columns = tuple(tuple((name, _fit(table.c[name], dialect)) for name in names) for table, names in shapes)
    return _Statement(f"WITH {named} {last}" if others else last, columns)


def _array(column: Column[Any], dialect: Dialect) -> str:
    return f"{column.type.compile(dialect)}[]"


def _fit(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)

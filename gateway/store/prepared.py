"""A statement of the hot path, compiled once for each dialect and from then on given to the driver as text.

SQLAlchemy finds a compiled statement again by walking through the statement's parts at every call, and makes a context
and a result around each; for an update of ten columns that costs more than SQLite needs to carry it out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import CompilerElement
from sqlalchemy.util import await_only

from gateway.store.errors import CommitUnknown

Fit = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as text, and how its parameters are made."""

    sql: str
    #: In the statement's order: a parameter, and what makes its value fit for the driver (a sealed column seals).
    places: tuple[tuple[str, Fit | None], ...]
    constants: Mapping[str, Any]

    def parameters(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values in the statement's order."""
        values = {**self.constants, **given} if self.constants else given
        return tuple([values[name] if fit is None else fit(values[name]) for name, fit in self.places])


def compiled(statement: CompilerElement, dialect: Dialect) -> Compiled:
    """`statement` as `dialect` takes it."""
    made: Any = statement.compile(dialect=dialect)
    fits = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in made.binds.items()}
    constants = {name: bind.value for name, bind in made.binds.items() if bind.value is not None}
    return Compiled(made.string, tuple((name, fits[name]) for name in made.positiontup), constants)


def run(conn: Connection, sql: str, parameters: Sequence[Any], *, many: bool = False) -> Sequence[Sequence[Any]]:
    """Give the text to the driver, within the connection's transaction; the rows that it answers.

    `many`: one set of parameters for each of several executions. Raises DBAPIError as SQLAlchemy does.
    """
    if conn.dialect.name != "sqlite" and not conn.in_transaction():
        conn.begin()  # SQLite's writer begins and ends transactions itself
    cursor = conn.connection.cursor()
    driver_error = conn.dialect.loaded_dbapi.Error
    try:
        if many:
            cursor.executemany(sql, parameters)
            return ()
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else ()
    except driver_error as error:
        lost = conn.dialect.is_disconnect(error, conn.connection.dbapi_connection, cursor)
        known = DBAPIError.instance(
            sql, None, error, driver_error, hide_parameters=True, connection_invalidated=lost, dialect=conn.dialect
        )
        if lost:
            conn.invalidate(error)
        raise known from error
    finally:
        cursor.close()


def run_at_once(conn: Connection, sql: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """On PostgreSQL: `run` as a transaction of its own, without BEGIN and COMMIT, unless one is under way; the rows.

    Raises CommitUnknown when the connection is lost meanwhile, else as `run` does.
    """
    driver = conn.connection.driver_connection
    assert isinstance(driver, asyncpg.Connection)
    if conn.in_transaction() or driver.is_closed():
        return run(conn, sql, parameters)
    try:
        rows: Sequence[Sequence[Any]] = await_only(driver.fetch(sql, *parameters))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not _connection_lost(error):
            return run(conn, sql, parameters)  # nothing is stored; this says in SQLAlchemy's words what is wrong
        conn.invalidate(error)
        raise CommitUnknown("the connection was lost during a write: it may be stored") from error
    return rows


def _connection_lost(error: Exception) -> bool:
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, (OSError, TimeoutError)) or state.startswith(("08", "57P"))


class Prepared:
    """One statement. Its result rows are as the driver gives them."""

    def __init__(self, statement: CompilerElement | Mapping[str, CompilerElement]) -> None:
        """A mapping gives a form for each dialect's name."""
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def one(self, conn: Connection, **given: Any) -> Sequence[Sequence[Any]]:
        """Execute with one set of parameters; the rows."""
        made = self._for(conn.dialect)
        return run(conn, made.sql, made.parameters(given))

    def many(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for each row; not at all for none."""
        made = self._for(conn.dialect)
        if len(rows) == 1:
            run(conn, made.sql, made.parameters(rows[0]))
        elif rows:
            run(conn, made.sql, [made.parameters(row) for row in rows], many=True)

    def _for(self, dialect: Dialect) -> Compiled:
        made = self._compiled.get(dialect.name)
        if made is None:
            form = self._statement[dialect.name] if isinstance(self._statement, Mapping) else self._statement
            made = self._compiled[dialect.name] = compiled(form, dialect)
        return made

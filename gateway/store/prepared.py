"""A statement of the hot path, compiled once for each dialect and from then on given to the driver as text.

SQLAlchemy finds a compiled statement again by walking through the statement's parts at every call, which for an update
of ten columns costs more than SQLite needs to carry it out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.sql.elements import CompilerElement

Fit = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    #: In the statement's order: a parameter, and what makes its value fit for the driver (a sealed column seals).
    places: tuple[tuple[str, Fit | None], ...]
    constants: Mapping[str, Any]

    def parameters(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        values = {**self.constants, **given} if self.constants else given
        return tuple([values[name] if fit is None else fit(values[name]) for name, fit in self.places])


class Prepared:
    """One statement; `columns` names what an INSERT fills. Its result rows are as the driver gives them."""

    def __init__(self, statement: CompilerElement | Mapping[str, CompilerElement], *columns: str) -> None:
        """A mapping gives a form for each dialect's name."""
        self._statement = statement
        self._columns = list(columns) or None
        self._compiled: dict[str, _Compiled] = {}

    def one(self, conn: Connection, **given: Any) -> CursorResult[Any]:
        """Execute with one set of parameters."""
        compiled = self._for(conn.dialect)
        return conn.exec_driver_sql(compiled.sql, compiled.parameters(given))

    def many(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for each row; not at all for none."""
        compiled = self._for(conn.dialect)
        if len(rows) == 1:
            conn.exec_driver_sql(compiled.sql, compiled.parameters(rows[0]))
        elif rows:
            conn.exec_driver_sql(compiled.sql, [compiled.parameters(row) for row in rows])

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement = self._statement[dialect.name] if isinstance(self._statement, Mapping) else self._statement
        made: Any = statement.compile(dialect=dialect, column_keys=self._columns)
        fits = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in made.binds.items()}
        constants = {
            name: bind.value for name, bind in made.binds.items() if not bind.required and bind.value is not None
        }
        return _Compiled(made.string, tuple((name, fits[name]) for name in made.positiontup), constants)

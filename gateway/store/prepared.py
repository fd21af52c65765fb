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
class Compiled:
    """A statement as text, and how its parameters are made."""

    sql: str
    #: In the statement's order: a parameter, and what makes its value fit for the driver (a sealed column seals).
    places: tuple[tuple[str, Fit | None], ...]
    constants: Mapping[str, Any]

    @property
    def names(self) -> frozenset[str]:
        """The parameters that must be given."""
        return frozenset(name for name, _ in self.places if name not in self.constants)

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


class Prepared:
    """One statement. Its result rows are as the driver gives them."""

    def __init__(self, statement: CompilerElement | Mapping[str, CompilerElement]) -> None:
        """A mapping gives a form for each dialect's name."""
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def one(self, conn: Connection, **given: Any) -> CursorResult[Any]:
        """Execute with one set of parameters."""
        made = self._for(conn.dialect)
        return conn.exec_driver_sql(made.sql, made.parameters(given))

    def many(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for each row; not at all for none."""
        made = self._for(conn.dialect)
        if len(rows) == 1:
            conn.exec_driver_sql(made.sql, made.parameters(rows[0]))
        elif rows:
            conn.exec_driver_sql(made.sql, [made.parameters(row) for row in rows])

    def _for(self, dialect: Dialect) -> Compiled:
        made = self._compiled.get(dialect.name)
        if made is None:
            form = self._statement[dialect.name] if isinstance(self._statement, Mapping) else self._statement
            made = self._compiled[dialect.name] = compiled(form, dialect)
        return made

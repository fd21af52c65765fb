"""Statements as they are taken in: a file once, whole, or refused with its reason."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ids import new_id
from gateway.packed import pack_text
from gateway.store.clock import now_ms
from gateway.store.reconciliation.tables import statement_files, statement_sources

ACCEPTED, REFUSED, REPLACED = "accepted", "refused", "replaced"
#: On its way in, and seen by nobody; accepted once, and another stands in its place; says what an accepted one says.
ARRIVING, CORRECTED, REPEATED = "arriving", "corrected", "repeated"
_KNOWN = (ACCEPTED, CORRECTED, REPEATED)


@dataclass(frozen=True, slots=True)
class Source:
    """One statement of one connector."""

    id: str
    connector: str
    statement: str
    leg: str

    @property
    def name(self) -> str:
        return f"{self.connector}.{self.statement}"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is about to be taken in, or refused."""

    name: str
    sha256: str
    size: int
    day: str  #: A refused one's: as its name says it, else when it came.
    currency: str | None = None
    denomination: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file was refused."""

    code: str
    line: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as reports show it."""

    source_id: str
    name: str
    sha256: str
    day: str
    state: str
    lines: int
    amount_minor: int | None
    fee_minor: int | None
    problem: Refusal | None


def sources_of(conn: Connection, wanted: Iterable[tuple[str, str, str]]) -> list[Source]:
    """The sources by connector, statement and leg, in this order; one that is new gets its row."""
    table = statement_sources
    found = {(row.connector, row.statement): row for row in conn.execute(select(table))}
    now = now_ms(conn)
    for connector, statement, leg in wanted:
        if (connector, statement) not in found:
            row = {"id": new_id(), "connector": connector, "statement": statement, "leg": leg, "created_at": now}
            dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
            conn.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
    found = {(row.connector, row.statement): row for row in conn.execute(select(table))}
    rows = (found[connector, statement] for connector, statement, _ in wanted)
    return [Source(row.id, row.connector, row.statement, row.leg) for row in rows]


def is_known(conn: Connection, source_id: str, sha256: str) -> bool:
    """Whether these bytes were taken in before: then they change nothing any more."""
    table = statement_files.c
    state = select(table.state).where(table.source_id == source_id, table.sha256 == sha256)
    return conn.scalar(state) in _KNOWN


def refuse(conn: Connection, source: Source, file: NewFile, problem: Refusal) -> bool:
    """Write down why it is refused, and nothing of what it says; whether that is new."""
    table = statement_files.c
    mine = (table.source_id == source.id) & (table.sha256 == file.sha256)
    before = conn.execute(select(table.state, table.problem).where(mine)).one_or_none()
    text = pack_text({"code": problem.code, "line": problem.line, "facts": dict(problem.facts)})
    if before is not None:
        if before.state not in _KNOWN:
            conn.execute(update(statement_files).where(mine).values(problem=text, name=file.name))
        return bool(before.state == REFUSED and before.problem != text)
    row = file_row(conn, source, file, REFUSED) | {"id": new_id(), "lines": 0, "problem": text}
    conn.execute(insert(statement_files).values(row))
    return True


def file_row(conn: Connection, source: Source, file: NewFile, state: str) -> dict[str, Any]:
    """The columns that every file has."""
    return {
        "source_id": source.id,
        "sha256": file.sha256,
        "name": file.name,
        "size": file.size,
        "state": state,
        "day": file.day,
        "currency": file.currency,
        "denomination": file.denomination,
        "received_at": now_ms(conn),
    }


def files_of(conn: Connection, source_id: str, day: str) -> list[KeptFile]:
    """The files of that day, accepted, corrected and refused, in the order of their names."""
    table = statement_files.c
    shown = (ACCEPTED, REFUSED, CORRECTED)
    query = select(statement_files).where(table.source_id == source_id, table.day == day, table.state.in_(shown))
    return [_kept(row) for row in conn.execute(query.order_by(table.name, table.sha256))]


def accepted_days(conn: Connection, source_id: str, since: str, until: str) -> set[str]:
    """The days of which a file was taken in."""
    table = statement_files.c
    query = select(table.day).where(table.source_id == source_id, table.state == ACCEPTED)
    return set(conn.scalars(query.where(table.day >= since, table.day <= until)))


def _kept(row: Row[Any]) -> KeptFile:
    said = json.loads(row.problem) if row.problem else None
    problem = Refusal(said["code"], said["line"], said["facts"]) if said else None
    return KeptFile(
        row.source_id,
        row.name,
        row.sha256,
        row.day,
        row.state,
        row.lines,
        row.amount_minor,
        row.fee_minor,
        problem if row.state == REFUSED else None,
    )

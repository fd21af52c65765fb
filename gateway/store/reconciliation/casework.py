"""What people do about breaks: list them, give them to somebody, write notes, and close them with a reason.

What a person writes may name a citizen, so it is sealed; who wrote it, when, and what was done is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, tuple_, update

from gateway.ids import new_id
from gateway.store.clock import now_ms
from gateway.store.reconciliation.breaks import ASSIGNED, CLOSED, MACHINE, days_between
from gateway.store.reconciliation.tables import recon_break_notes, recon_breaks, recon_resolutions, statement_sources

#: What people did: the kinds of a note.
NOTED, GIVEN, RESOLVED = "noted", "assigned", "closed"
_BY_PEOPLE = "an operator closed it"


@dataclass(frozen=True, slots=True)
class BreakFilters:
    """Which breaks; nothing given is every one."""

    states: Sequence[str] = ()
    types: Sequence[str] = ()
    source: str | None = None
    owner: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done about a break."""

    kind: str
    by: str
    text: str
    owner: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Case:
    """A break as people see it."""

    id: str
    type: str
    source: str
    leg: str
    day: str
    amount_minor: int | None
    currency: str | None
    denomination: str | None
    request_id: str | None
    state: str
    owner: str | None
    first_seen: int
    closed_day: str | None
    days_late: int | None
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True)
class BreakFigures:
    """Open breaks for those who watch."""

    open: dict[tuple[str, str], int]  #: (source, type) -> how many.
    oldest_ms: dict[str, int]  #: type -> how long the oldest stands.


def find_breaks(conn: Connection, filters: BreakFilters, after: str | None, limit: int) -> list[Case]:
    """A page of breaks, of the oldest day first; `after` is the id of the last one before it."""
    table = recon_breaks.c
    query = _cases().order_by(table.day, table.id).limit(limit)
    if filters.states:
        query = query.where(table.state.in_(filters.states))
    if filters.types:
        query = query.where(table.type.in_(filters.types))
    if filters.owner is not None:
        query = query.where(table.owner == filters.owner)
    if filters.request_id is not None:
        query = query.where(table.request_id == filters.request_id)
    if filters.source is not None:
        connector, _, statement = filters.source.partition(".")
        query = query.where(statement_sources.c.connector == connector, statement_sources.c.statement == statement)
    if after is not None:
        day = select(recon_breaks.c.day).where(recon_breaks.c.id == after).scalar_subquery()
        query = query.where(tuple_(table.day, table.id) > tuple_(day, after))
    return [_case(row) for row in conn.execute(query)]


def find_break(conn: Connection, break_id: str) -> Case | None:
    """One break with all that was done about it."""
    row = conn.execute(_cases().where(recon_breaks.c.id == break_id)).first()
    return None if row is None else _case(row, _history(conn, break_id))


def assign(conn: Connection, break_id: str, owner: str, text: str, by: str) -> Case | None:
    """Give an open break to somebody; None when there is none that is open."""
    return _change(conn, break_id, {"state": ASSIGNED, "owner": owner}, Note(GIVEN, by, text, owner, 0))


def annotate(conn: Connection, break_id: str, text: str, by: str) -> Case | None:
    """Write a note, also about one that is closed; None when there is no such break."""
    if conn.scalar(select(recon_breaks.c.id).where(recon_breaks.c.id == break_id)) is None:
        return None
    _write(conn, break_id, Note(NOTED, by, text, None, now_ms(conn)))
    return find_break(conn, break_id)


def close(conn: Connection, break_id: str, kind: str, day: str, text: str, by: str) -> Case | None:
    """Close a break that is open and of that type, from that day on; None when there is none."""
    table = recon_breaks.c
    about = conn.execute(select(table.day).where(table.id == break_id)).first()
    if about is None:
        return None
    closed = {"state": CLOSED, "closed_day": day, "days_late": max(0, days_between(about.day, day))}
    return _change(conn, break_id, closed, Note(RESOLVED, by, text, None, 0), kind=kind)


def _change(
    conn: Connection, break_id: str, values: dict[str, Any], note: Note, kind: str | None = None
) -> Case | None:
    """Compare and set: whoever is second finds it changed and changes nothing."""
    table = recon_breaks.c
    mine = (table.id == break_id) & (table.state != CLOSED)
    if kind is not None:
        mine &= table.type == kind
    if not conn.execute(update(recon_breaks).where(mine).values(values)).rowcount:
        return None
    now = now_ms(conn)
    note_id = _write(conn, break_id, Note(note.kind, note.by, note.text, note.owner, now))
    if kind is not None:
        told = {"break_id": break_id, "type": kind, "day": values["closed_day"], "maker": note.by, "at": now}
        conn.execute(insert(recon_resolutions).values(id=new_id(), reason=_BY_PEOPLE, evidence=note_id, **told))
    return find_break(conn, break_id)


def _write(conn: Connection, break_id: str, note: Note) -> str:
    row = {
        "id": new_id(),
        "break_id": break_id,
        "kind": note.kind,
        "author": note.by,
        "owner": note.owner,
        "at": note.at,
    }
    conn.execute(insert(recon_break_notes).values(said=note.text.encode(), **row))
    return str(row["id"])


def _cases() -> Any:
    names = (statement_sources.c.connector, statement_sources.c.statement)
    return select(recon_breaks, *names).join(statement_sources, statement_sources.c.id == recon_breaks.c.source_id)


def _case(row: Row[Any], notes: Sequence[Note] = ()) -> Case:
    return Case(
        id=row.id,
        type=row.type,
        source=f"{row.connector}.{row.statement}",
        leg=row.leg,
        day=row.day,
        amount_minor=row.amount_minor,
        currency=row.currency,
        denomination=row.denomination,
        request_id=row.request_id,
        state=row.state,
        owner=row.owner,
        first_seen=row.first_seen,
        closed_day=row.closed_day,
        days_late=row.days_late,
        notes=notes,
    )


def _history(conn: Connection, break_id: str) -> list[Note]:
    """What people did and what came by itself, oldest first."""
    table, ends = recon_break_notes.c, recon_resolutions.c
    rows = conn.execute(select(recon_break_notes).where(table.break_id == break_id).order_by(table.at, table.id))
    told = [Note(row.kind, row.author, row.said.decode(), row.owner, row.at) for row in rows]
    by_itself = select(ends.reason, ends.at).where(ends.break_id == break_id, ends.maker == MACHINE)
    told += [Note(RESOLVED, MACHINE, row.reason, None, row.at) for row in conn.execute(by_itself)]
    return sorted(told, key=lambda note: note.at)


def break_figures(conn: Connection) -> BreakFigures:
    """How many are open, and how long."""
    table = recon_breaks.c
    names = (statement_sources.c.connector, statement_sources.c.statement)
    rows = conn.execute(
        select(*names, table.type, func.count().label("many"), func.min(table.first_seen).label("first"))
        .join(statement_sources, statement_sources.c.id == table.source_id)
        .where(table.state != CLOSED)
        .group_by(*names, table.type)
    ).all()
    now = now_ms(conn)
    oldest: dict[str, int] = {}
    for row in rows:
        oldest[row.type] = max(oldest.get(row.type, 0), now - row.first)
    return BreakFigures({(f"{row.connector}.{row.statement}", row.type): row.many for row in rows}, oldest)

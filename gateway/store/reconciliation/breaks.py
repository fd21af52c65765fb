"""Breaks as runs leave them: what stands is kept once each, and closed when its counterpart comes or people say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from gateway.ids import new_id
from gateway.store.clock import now_ms
from gateway.store.reconciliation.files import Source
from gateway.store.reconciliation.tables import recon_breaks, recon_resolutions

#: Who resolves a break when its counterpart comes by itself.
MACHINE = "reconciliation"
OPEN, ASSIGNED, CLOSED = "open", "assigned", "closed"
_PASSING = "timing"  #: A type that is another one as soon as the file is there, on whatever day that is run.


@dataclass(frozen=True, slots=True)
class NewBreak:
    """What is left over, about to be written."""

    id: str
    item: str
    type: str
    day: str
    amount_minor: int | None
    currency: str
    denomination: str
    request_id: str | None
    stands: bool  #: Until its counterpart comes or people decide; False: told once.


def keep(conn: Connection, source: Source, day: str, breaks: Sequence[NewBreak], *, latest: bool) -> None:
    """Keep what stands, once each. Only the `latest` day opens anew what stands again.

    What people closed stays closed, unless it has become a break of another type. Whoever has many writes them a few
    at a time, since each of these transactions keeps other writers waiting.
    """
    now = now_ms(conn)
    table = recon_breaks.c
    ids = [each.id for each in breaks]
    known = {row.id: row for row in conn.execute(select(recon_breaks).where(table.id.in_(ids)))}
    settled = {(break_id, kind) for break_id, kind, _ in _settled(conn, table.id.in_(ids))}
    new: dict[str, dict[str, Any]] = {}
    for each in breaks:
        row = known.get(each.id)
        if row is None:
            new.setdefault(each.id, _break_row(source, each, day, now))
        elif row.state == CLOSED and latest and each.stands and (each.id, each.type) not in settled:
            anew = {"state": OPEN, "closed_day": None, "days_late": None, "type": each.type}
            conn.execute(update(recon_breaks).where(table.id == each.id).values(anew))
        elif row.state != CLOSED and row.type != each.type and (latest or row.type == _PASSING):
            conn.execute(update(recon_breaks).where(table.id == each.id).values(type=each.type))
    if new:
        conn.execute(insert(recon_breaks), list(new.values()))


@dataclass(frozen=True, slots=True)
class Standing:
    """A break that is not closed."""

    id: str
    item: str
    type: str
    day: str


def standing(conn: Connection, source: Source) -> list[Standing]:
    """Every break of the source that is not closed."""
    table = recon_breaks.c
    query = select(table.id, table.item, table.type, table.day)
    rows = conn.execute(query.where(table.source_id == source.id, table.state != CLOSED).order_by(table.id))
    return [Standing(*row) for row in rows]


def close(conn: Connection, day: str, ended: Sequence[Standing], reason: str) -> None:
    """Close what has come to its end by itself; what people closed meanwhile stays theirs."""
    now = now_ms(conn)
    for each in ended:
        still = (recon_breaks.c.id == each.id) & (recon_breaks.c.state != CLOSED)
        late = max(0, days_between(each.day, day))
        closed = {"state": CLOSED, "closed_day": day, "days_late": late}
        if conn.execute(update(recon_breaks).where(still).values(closed)).rowcount:
            told = {"break_id": each.id, "type": each.type, "day": day, "maker": MACHINE, "reason": reason, "at": now}
            conn.execute(insert(recon_resolutions).values(id=new_id(), **told))


def days_between(first: str, second: str) -> int:
    """How many days lie between two days."""
    return (date.fromisoformat(second) - date.fromisoformat(first)).days


def _break_row(source: Source, each: NewBreak, day: str, now: int) -> dict[str, Any]:
    return {
        "id": each.id,
        "leg": source.leg,
        "source_id": source.id,
        "item": each.item,
        "type": each.type,
        "day": each.day,
        "amount_minor": each.amount_minor,
        "currency": each.currency or None,
        "denomination": each.denomination or None,
        "request_id": each.request_id,
        "first_seen": now,
        "state": OPEN if each.stands else CLOSED,
        "closed_day": None if each.stands else day,
    }


def settled_by_people(conn: Connection, source: Source, day: str) -> set[tuple[str, str]]:
    """The breaks, by id and type, that people had closed when `day` ended: its report leaves them out."""
    mine = recon_breaks.c.source_id == source.id
    return {(break_id, kind) for break_id, kind, since in _settled(conn, mine) if since <= day}


def _settled(conn: Connection, mine: ColumnElement[bool]) -> list[tuple[str, str, str]]:
    table = recon_resolutions.c
    rows = conn.execute(
        select(table.break_id, table.type, table.day)
        .join(recon_breaks, recon_breaks.c.id == table.break_id)
        .where(mine, table.maker != MACHINE, table.type.is_not(None))
    )
    return [(row.break_id, row.type, row.day) for row in rows]


def open_file_breaks(conn: Connection, source: Source, day: str) -> list[str]:
    """The earlier days whose file was missing when `day` began."""
    table = recon_breaks.c
    query = select(table.item).where(
        table.source_id == source.id,
        table.day < day,
        table.item.like("file:%"),
        (table.state != CLOSED) | (table.closed_day >= day),
    )
    return [item.removeprefix("file:") for item in conn.scalars(query.order_by(table.item))]

"""Breaks as runs leave them: what stands is kept once each, and closed when its counterpart comes or people say so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

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


def write_breaks(
    conn: Connection, source: Source, day: str, breaks: Sequence[NewBreak], matched: Iterable[str], *, latest: bool
) -> None:
    """Keep what stands, once each, and close what a group has by now.

    Only the `latest` day closes what no longer stands, and opens anew what stands again; what people closed stays
    closed, unless it has become a break of another type.
    """
    now = now_ms(conn)
    table = recon_breaks.c
    known = {row.id: row for row in conn.execute(select(recon_breaks).where(table.source_id == source.id))}
    settled = {(break_id, kind) for break_id, kind, _ in _settled(conn, source)}
    for each in breaks:
        row = known.get(each.id)
        if row is None:
            conn.execute(insert(recon_breaks).values(_break_row(source, each, day, now)))
        elif row.state == CLOSED and latest and each.stands and (each.id, each.type) not in settled:
            anew = {"state": OPEN, "closed_day": None, "days_late": None, "type": each.type}
            conn.execute(update(recon_breaks).where(table.id == each.id).values(anew))
        elif row.state != CLOSED and row.type != each.type and (latest or row.type == _PASSING):
            conn.execute(update(recon_breaks).where(table.id == each.id).values(type=each.type))
    gone = set(matched)
    standing = {each.id for each in breaks if each.stands}
    for row in known.values():
        over = latest and row.day <= day and row.id not in standing
        if row.state != CLOSED and (row.item in gone or over):
            _close(conn, row, day, now, "the counterpart came" if row.item in gone else "it no longer stands")


def _close(conn: Connection, row: Any, day: str, now: int, reason: str) -> None:
    late = max(0, days_between(row.day, day))
    closed = {"state": CLOSED, "closed_day": day, "days_late": late}
    conn.execute(update(recon_breaks).where(recon_breaks.c.id == row.id).values(closed))
    told = {"break_id": row.id, "type": row.type, "day": day, "maker": MACHINE, "reason": reason, "at": now}
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
    return {(break_id, kind) for break_id, kind, since in _settled(conn, source) if since <= day}


def _settled(conn: Connection, source: Source) -> Iterable[tuple[str, str, str]]:
    table = recon_resolutions.c
    rows = conn.execute(
        select(table.break_id, table.type, table.day)
        .join(recon_breaks, recon_breaks.c.id == table.break_id)
        .where(recon_breaks.c.source_id == source.id, table.maker != MACHINE, table.type.is_not(None))
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

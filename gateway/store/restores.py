"""Databases that were put back from a backup: what was open then, what came since, and when people ended it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)

from gateway.ids import new_id
from gateway.packed import pack, pack_text, unpack
from gateway.steps import PICKUP
from gateway.store.clock import now_ms
from gateway.store.jobs import HELD, HELD_CODE, NEVER
from gateway.store.tables import attempts, events, jobs, metadata, requests
from gateway.store.together import write_together
from gateway.store.webhooks.outbox import Move, moved_part
from gateway.work import RESTORED
from mappings.status import FINAL, Attempt, Request, move

restores = Table(
    "restores",
    metadata,
    Column("id", Text, primary_key=True),
    Column("backup_at", BigInteger, nullable=False),  # when the backup was taken
    Column("restored_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),  # NULL: restore mode is on
    Column("finished_by", Text),
    Column("open_requests", Integer, nullable=False),  # how many were not final then
)

_BATCH = 500
_OVER = [state.value for state in FINAL]


@dataclass(frozen=True, slots=True)
class Restored:
    """One restoration. Times are milliseconds since 1970 UTC."""

    id: str
    backup_at: int
    restored_at: int
    finished_at: int | None
    finished_by: str | None
    open_requests: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands now."""

    restored: Restored | None  #: The last one.
    in_doubt: int
    parked: int
    held: int


def begin_restore(conn: Connection, backup_at: int, open_requests: int) -> None:
    """Restore mode is on from now."""
    row = {"id": new_id(), "backup_at": backup_at, "restored_at": now_ms(conn), "open_requests": open_requests}
    conn.execute(insert(restores).values(row))


def find_restores(conn: Connection) -> list[Restored]:
    """All of them, oldest first."""
    return [Restored(*row) for row in conn.execute(select(restores).order_by(restores.c.id))]


def standing(conn: Connection) -> Standing:
    """What is left to clear."""
    found = find_restores(conn)
    doubt, parked = (
        conn.scalar(select(func.count()).select_from(requests).where(requests.c.state == state.value)) or 0
        for state in (Request.IN_DOUBT, Request.PARKED)
    )
    held = conn.scalar(select(func.count()).select_from(jobs).where(jobs.c.due_at == HELD)) or 0
    return Standing(found[-1] if found else None, doubt, parked, held)


_MARK_REQUEST = (
    update(requests)
    .where(requests.c.id == bindparam("key"))
    .values(progress=bindparam("new_progress", type_=requests.c.progress.type))
)
_DOUBT_REQUEST = (
    update(requests)
    .where(requests.c.id == bindparam("key"))
    .values(
        state=bindparam("new_state"),
        reason=RESTORED,
        next_action=None,
        next_try_at=None,
        expires_at=None,
        version=requests.c.version + 1,
        updated_at=bindparam("now"),
        state_since=bindparam("now"),
    )
)
_FREE_JOB = (
    update(jobs)
    .where(jobs.c.request_id == bindparam("key"))
    .values(
        due_at=bindparam("new_due_at"),
        claimed_by=None,
        lease_until=None,
        token=jobs.c.token + 1,
        waits=0,
        inquiries=0,
        absences=0,
        stumbles=0,
    )
)


def doubt_some(conn: Connection, after: str) -> tuple[int, str]:
    """Put some of the open requests into doubt, in the order of their ids; how many, and the last of them."""
    rows = conn.execute(
        select(requests.c.id, requests.c.channel_id, requests.c.state, requests.c.phase, requests.c.progress)
        .add_columns(jobs.c.due_at)
        .outerjoin(jobs, jobs.c.request_id == requests.c.id)
        .where(requests.c.id > after, requests.c.state.not_in(_OVER))
        .order_by(requests.c.id)
        .limit(_BATCH)
    ).all()
    if not rows:
        return 0, after
    now = now_ms(conn)
    conn.execute(_MARK_REQUEST, [{"key": row.id, "new_progress": _marked(row, now)} for row in rows])
    resting = [row for row in rows if row.state == Request.PARKED.value or row.phase == PICKUP]
    _doubt(conn, [row for row in rows if row not in resting], now)
    conn.execute(_FREE_JOB, [{"key": row.id, "new_due_at": _due(row, now)} for row in rows if row.due_at is not None])
    sending = attempts.c.request_id.in_([row.id for row in rows]) & (attempts.c.state == Attempt.SENDING.value)
    conn.execute(update(attempts).where(sending).values(state=move(Attempt.SENDING, "answer_lost").value))
    return len(rows), rows[-1].id


def _marked(row: Row[Any], now: int) -> bytes:
    return pack((unpack(row.progress) if row.progress else {}) | {RESTORED: now})


def _doubt(conn: Connection, rows: Sequence[Row[Any]], now: int) -> None:
    if not rows:
        return
    states = {row.id: move(Request(row.state), "restored") for row in rows}
    told = [Move(row.id, states[row.id], row.channel_id, RESTORED) for row in rows]
    write_together(conn, moved_part(conn, told, now))
    conn.execute(_DOUBT_REQUEST, [{"key": row.id, "new_state": states[row.id].value, "now": now} for row in rows])
    conn.execute(
        insert(events),
        [_event(row.id, RESTORED, states[row.id], {"code": RESTORED}, now) for row in rows],
    )


def _due(row: Row[Any], now: int) -> int:
    """Whatever rests goes on resting, but for what waited for its citizen: that is not asked any more."""
    rests = row.due_at == NEVER and row.state != Request.AWAITING_CITIZEN.value
    return NEVER if rests else now


def _event(request_id: str, kind: str, state: Request, facts: Mapping[str, Any], now: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "request_id": request_id,
        "at": now,
        "kind": kind,
        "state": state.value,
        "facts": pack_text(dict(facts)),
    }


def finish_restore(conn: Connection, by: str) -> bool:
    """End restore mode; whether it was on."""
    over = update(restores).where(restores.c.finished_at.is_(None)).values(finished_at=now_ms(conn), finished_by=by)
    return bool(conn.execute(over).rowcount)


def release_held(conn: Connection) -> int:
    """Let some of the held requests go; how many."""
    ids = conn.scalars(select(jobs.c.request_id).where(jobs.c.due_at == HELD).limit(_BATCH)).all()
    if ids:
        conn.execute(update(jobs).where(jobs.c.request_id.in_(ids)).values(due_at=now_ms(conn)))
        conn.execute(update(requests).where(requests.c.id.in_(ids), requests.c.reason == HELD_CODE).values(reason=None))
    return len(ids)


def resume(conn: Connection, repeatable: Collection[tuple[str, str]]) -> int:
    """Let the acts in doubt go on that rest and may be made again under the same key; how many.

    `repeatable` are their operations, as (connector, operation).
    """
    found = conn.execute(
        select(jobs.c.request_id, requests.c.state, attempts.c.connector, attempts.c.operation, attempts.c.code)
        .join(requests, requests.c.id == jobs.c.request_id)
        .join(attempts, attempts.c.request_id == jobs.c.request_id)
        .where(jobs.c.due_at == NEVER, jobs.c.claimed_by.is_(None), requests.c.reason == RESTORED)
        .where(requests.c.state.in_([Request.IN_DOUBT.value, Request.DELIVERING.value]))
        .where(attempts.c.state.in_([Attempt.IN_DOUBT.value, Attempt.PENDING.value]))
        .order_by(attempts.c.id)
    )
    newest = {row.request_id: row for row in found}
    going = [row for row in newest.values() if (row.connector, row.operation) in repeatable]
    now = now_ms(conn)
    for row in going:
        state = move(Request(row.state), "advanced")
        write_together(conn, moved_part(conn, [Move(row.request_id, state)], now))
        conn.execute(
            update(requests)
            .where(requests.c.id == row.request_id)
            .values(state=state.value, reason=None, version=requests.c.version + 1, updated_at=now, state_since=now)
        )
        conn.execute(insert(events).values(_event(row.request_id, "advanced", state, {"code": RESTORED}, now)))
        # one wait more: the act that is made now is not its first try, so its answer settles the one in doubt too
        conn.execute(
            update(jobs)
            .where(jobs.c.request_id == row.request_id)
            .values(lane=f"{row.connector}.{row.operation}", due_at=now, waits=jobs.c.waits + 1)
        )
    return len(going)

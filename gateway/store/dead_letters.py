"""Finds the requests that the machine gave up on, and lets chosen ones go on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from gateway.dead_letters.planner import Letter, Seen
from gateway.ids import new_id
from gateway.packed import pack_text
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER
from gateway.store.tables import attempts, events, jobs, requests
from gateway.store.together import write_together
from gateway.store.webhooks.outbox import Move, moved_part
from mappings.status import Attempt, Request, move


@dataclass(frozen=True, slots=True)
class Choice:
    """Which parked requests; None does not narrow."""

    service: str | None = None
    reason: str | None = None
    lane: str | None = None  #: Of what was to be done last.


def find_letters(conn: Connection, choice: Choice, limit: int, after: str | None) -> list[str]:
    """The ids of parked requests, oldest first."""
    query = select(requests.c.id).where(requests.c.state == Request.PARKED.value).order_by(requests.c.id).limit(limit)
    if choice.service is not None:
        query = query.where(requests.c.service == choice.service)
    if choice.reason is not None:
        query = query.where(requests.c.reason == choice.reason)
    if choice.lane is not None:
        query = query.join(jobs, jobs.c.request_id == requests.c.id).where(jobs.c.lane == choice.lane)
    if after is not None:
        query = query.where(requests.c.id > after)
    return list(conn.scalars(query))


def letters_of(conn: Connection, ids: Sequence[str]) -> list[Letter]:
    """The requests of these ids in their order, parked or not; ids that no request has are left out."""
    made = defaultdict(list)
    for row in conn.execute(
        select(attempts.c.id, attempts.c.request_id, attempts.c.connector, attempts.c.operation, attempts.c.state)
        .add_columns(attempts.c.intent_id)
        .where(attempts.c.request_id.in_(ids))
        .order_by(attempts.c.id)
    ):
        seen = Seen(row.id, row.connector, row.operation, Attempt(row.state), row.intent_id is not None)
        made[row.request_id].append(seen)
    found = conn.execute(
        select(requests.c.id, requests.c.service, requests.c.state, requests.c.reason, requests.c.step)
        .add_columns(requests.c.mapping_version, requests.c.created_at, requests.c.state_since, jobs.c.lane)
        .outerjoin(jobs, jobs.c.request_id == requests.c.id)
        .where(requests.c.id.in_(ids))
    )
    letters = {row.id: _letter(row, made[row.id]) for row in found}
    return [letters[each] for each in ids if each in letters]


def _letter(row: Row[Any], made: Sequence[Seen]) -> Letter:
    return Letter(
        id=row.id,
        service=row.service,
        state=Request(row.state),
        reason=row.reason or "",
        step=row.step,
        lane=row.lane or "",
        mapping_version=row.mapping_version,
        created_at=row.created_at,
        state_since=row.state_since,
        attempts=tuple(made),
    )


@dataclass(frozen=True, slots=True)
class Replaying:
    """One letter that goes on."""

    request_id: str
    lane: str
    ask_about: str = ""  #: The attempt that is asked about before anything is sent.
    delay_ms: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


def replay(conn: Connection, rows: Sequence[Replaying]) -> set[str]:
    """Let them go on; those that did. What is not parked any more, or is held by a worker, is left as it is.

    One statement a table however many they are: a bulk replay holds up nobody else's writes for long.
    """
    now = now_ms(conn)
    resting = _resting(conn, [row.request_id for row in rows])
    asked = {row.ask_about for row in rows if row.ask_about}
    states = conn.execute(select(attempts.c.id, attempts.c.state).where(attempts.c.id.in_(asked)))
    seen = {row.id: row.state for row in states}
    going = [(row, _becomes(row, seen)) for row in rows if row.request_id in resting]
    if not going:
        return set()
    again = [row.ask_about for row, _ in going if seen.get(row.ask_about) == Attempt.REVIEW.value]
    if again:
        asking = update(attempts).where(attempts.c.id.in_(again))
        conn.execute(asking.values(state=move(Attempt.REVIEW, "asked_again").value))
    write_together(conn, moved_part(conn, [Move(row.request_id, state) for row, state in going], now))
    conn.execute(_MOVED, [_moved(row, state, now) for row, state in going])
    conn.execute(_DUE, [{"key": row.request_id, "to": row.lane, "due": now + row.delay_ms} for row, _ in going])
    conn.execute(insert(events), [_told(row, state, now) for row, state in going])
    return {row.request_id for row, _ in going}


def _resting(conn: Connection, ids: Sequence[str]) -> set[str]:
    """Those that are parked and that no worker holds or is about to take; locked until COMMIT, jobs first."""
    free = (jobs.c.request_id.in_(ids), jobs.c.claimed_by.is_(None), jobs.c.due_at >= NEVER)
    locked = conn.scalars(select(jobs.c.request_id).where(*free).order_by(jobs.c.request_id).with_for_update()).all()
    parked = requests.c.id.in_(locked), requests.c.state == Request.PARKED.value
    return set(conn.scalars(select(requests.c.id).where(*parked).order_by(requests.c.id).with_for_update()))


def _becomes(row: Replaying, seen: Mapping[str, str]) -> Request:
    """Of what a process was sending when it died, the claim itself sees that it was interrupted, and judges that."""
    asks = bool(row.ask_about) and seen[row.ask_about] != Attempt.SENDING.value
    return move(Request.PARKED, "asked_again" if asks else "advanced")


_MOVED = (
    update(requests)
    .where(requests.c.id == bindparam("key"))
    .values(
        state=bindparam("to"),
        reason=None,
        next_try_at=bindparam("next"),
        version=requests.c.version + 1,
        updated_at=bindparam("now"),
        state_since=bindparam("now"),
    )
)
_FRESH = {"tries": 0, "waits": 0, "inquiries": 0, "absences": 0, "stumbles": 0}
_DUE = (
    update(jobs)
    .where(jobs.c.request_id == bindparam("key"))
    .values(lane=bindparam("to"), due_at=bindparam("due"), token=jobs.c.token + 1, **_FRESH)
)


def _moved(row: Replaying, state: Request, now: int) -> dict[str, Any]:
    due = now + row.delay_ms if row.delay_ms else None
    return {"key": row.request_id, "to": state.value, "next": due, "now": now}


def _told(row: Replaying, state: Request, now: int) -> dict[str, Any]:
    told = {"id": new_id(), "request_id": row.request_id, "at": now, "kind": "replayed", "state": state.value}
    return {**told, "facts": pack_text(dict(row.facts))}

"""Finds the requests that the machine gave up on, and lets chosen ones go on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.dead_letters.planner import Letter, Seen
from gateway.ids import new_id
from gateway.packed import pack_text
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER
from gateway.store.tables import attempts, events, jobs, requests
from gateway.store.webhooks.outbox import Move
from gateway.store.webhooks.outbox import tell as tell_listeners
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
    """Let them go on; those that did. What is not parked any more, or is held by a worker, is left as it is."""
    now = now_ms(conn)
    return {row.request_id for row in rows if _replayed(conn, row, now)}


def _replayed(conn: Connection, row: Replaying, now: int) -> bool:
    job = conn.execute(select(jobs).where(jobs.c.request_id == row.request_id).with_for_update()).one_or_none()
    request = conn.execute(
        select(requests.c.state).where(requests.c.id == row.request_id).with_for_update()
    ).one_or_none()
    parked = request is not None and request.state == Request.PARKED.value
    if job is None or job.claimed_by is not None or job.due_at < NEVER or not parked:
        return False
    lane, state = row.lane, move(Request.PARKED, "advanced")
    if row.ask_about:
        seen = conn.execute(select(attempts.c.state).where(attempts.c.id == row.ask_about)).one()
        # of a process that died while it sent, the claim itself sees that it was interrupted, and judges that
        if seen.state != Attempt.SENDING.value:
            state = move(Request.PARKED, "asked_again")
        if seen.state == Attempt.REVIEW.value:
            again = move(Attempt.REVIEW, "asked_again").value
            conn.execute(update(attempts).where(attempts.c.id == row.ask_about).values(state=again))
    due = now + row.delay_ms
    tell_listeners(conn, Move(row.request_id, state), now)
    conn.execute(
        update(requests)
        .where(requests.c.id == row.request_id)
        .values(
            state=state.value,
            reason=None,
            next_try_at=due if row.delay_ms else None,
            version=requests.c.version + 1,
            updated_at=now,
            state_since=now,
        )
    )
    fresh = {"tries": 0, "waits": 0, "inquiries": 0, "absences": 0, "stumbles": 0}
    conn.execute(
        update(jobs)
        .where(jobs.c.request_id == row.request_id)
        .values(lane=lane, due_at=due, token=jobs.c.token + 1, **fresh)
    )
    facts = pack_text(dict(row.facts))
    conn.execute(
        insert(events).values(
            id=new_id(), request_id=row.request_id, at=now, kind="replayed", state=state.value, facts=facts
        )
    )
    return True

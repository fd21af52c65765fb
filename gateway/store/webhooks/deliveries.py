"""What waits to be told, who sends it, and what became of every try.

A row that is taken stays due, only later: whoever dies over it leaves it to the next. The number of the try fences what
is recorded. Within one request nothing is sent before what happened earlier is settled; what somebody wants to be sent
once more waits for that too, and is itself waited for by nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, func, insert, or_, select, tuple_, update

from gateway.packed import unpack
from gateway.store.clock import now_ms
from gateway.store.tables import requests
from gateway.store.webhooks.outbox import GIVES_UP_MS
from gateway.store.webhooks.tables import attempts, deliveries, endpoints

#: After so many failures in a row an endpoint is tried with one event at a time, and in between it is left alone.
TRIPPED = 3
_PAUSE_FIRST_MS = 5_000
_PAUSE_MOST_MS = 300_000
_FORWARD = 1000


@dataclass(frozen=True, slots=True)
class Due:
    """One event that this worker sends now."""

    endpoint_id: str
    event_id: str
    channel_id: str
    request_id: str | None
    sequence: int
    type: str
    facts: dict[str, Any]
    at: int
    number: int  #: Of this try.
    waits: int
    url: str
    secrets: tuple[str, ...]  #: That sign it; the newest first.
    service: str | None
    test: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a try."""

    due: Due
    at: int
    milliseconds: int
    outcome: str
    http_status: int | None
    delivered: bool
    retry_in_ms: int
    gone: bool = False  #: The receiver wants nothing more (410).
    patience_ms: int = 2**62  #: An address that fails for so long is switched off.


@dataclass(frozen=True, slots=True)
class Recorded:
    """How the event stands after it."""

    state: str
    tripped: bool  #: The endpoint has just failed too often in a row.
    off: bool = False  #: It was switched off.


def due_endpoints(conn: Connection) -> list[str]:
    """Those that something waits for and that may be tried now."""
    now = now_ms(conn)
    ready = (
        exists()
        .where(deliveries.c.endpoint_id == endpoints.c.id, deliveries.c.state == "waiting", deliveries.c.due_at <= now)
        .correlate(endpoints)
    )
    return list(
        conn.scalars(
            select(endpoints.c.id).where(endpoints.c.state == "active", endpoints.c.paused_until <= now, ready)
        )
    )


def take(conn: Connection, endpoint_id: str, worker: str, most: int, lease_ms: int) -> list[Due]:
    """At most `most` events for the endpoint, the longest due first; one while it fails, none while it is paused."""
    now = now_ms(conn)
    row = conn.execute(select(endpoints).where(endpoints.c.id == endpoint_id)).one()
    if row.state != "active" or row.paused_until > now:
        return []
    found = conn.execute(_takeable(endpoint_id, now, 1 if row.failures >= TRIPPED else most)).all()
    if found:
        ids = [each.event_id for each in found]
        conn.execute(
            update(deliveries)
            .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id.in_(ids))
            .values(claimed_by=worker, due_at=now + lease_ms, tries=deliveries.c.tries + 1)
        )
    secrets = [row.secret.decode()]
    if row.old_secret is not None and row.old_secret_until > now:
        secrets.append(row.old_secret.decode())
    return [_due(each, row, tuple(secrets)) for each in found]


def _takeable(endpoint_id: str, now: int, most: int) -> Select[Any]:
    earlier = deliveries.alias("earlier")
    blocked = exists().where(
        earlier.c.request_id == deliveries.c.request_id,
        earlier.c.endpoint_id == deliveries.c.endpoint_id,
        earlier.c.sequence < deliveries.c.sequence,
        earlier.c.state == "waiting",
        or_(earlier.c.again.is_(False), deliveries.c.again),
    )
    return (
        select(deliveries, requests.c.service, requests.c.test)
        .outerjoin(requests, requests.c.id == deliveries.c.request_id)
        .where(
            deliveries.c.endpoint_id == endpoint_id,
            deliveries.c.state == "waiting",
            deliveries.c.due_at <= now,
            ~blocked,
        )
        .order_by(deliveries.c.due_at, deliveries.c.event_id)
        .limit(most)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def _due(row: Row[Any], endpoint: Row[Any], secrets: tuple[str, ...]) -> Due:
    return Due(
        endpoint.id,
        row.event_id,
        endpoint.channel_id,
        row.request_id,
        row.sequence,
        row.type,
        unpack(row.facts),
        row.at,
        row.tries + 1,
        row.waits,
        endpoint.url.decode(),
        secrets,
        row.service,
        bool(row.test),
    )


def record(conn: Connection, sent: Sent) -> Recorded | None:
    """Write a try down; None when the event is not this try's any more: then only the log grows."""
    now, due = now_ms(conn), sent.due
    left = _gives_up_at(conn, due) - now  # the last try is made when the time is over, not before
    state = "delivered" if sent.delivered else "waiting" if left > 0 else "failed"
    settled = conn.execute(
        update(deliveries)
        .where(
            deliveries.c.endpoint_id == due.endpoint_id,
            deliveries.c.event_id == due.event_id,
            deliveries.c.tries == due.number,
            deliveries.c.state == "waiting",
        )
        .values(
            state=state,
            due_at=now + max(0, min(sent.retry_in_ms, left)),
            waits=deliveries.c.waits + (0 if sent.delivered else 1),
            claimed_by=None,
            settled_at=None if state == "waiting" else now,
            outcome=sent.outcome,
            http_status=sent.http_status,
        )
    )
    conn.execute(
        insert(attempts).values(
            endpoint_id=due.endpoint_id,
            event_id=due.event_id,
            number=due.number,
            at=sent.at,
            milliseconds=sent.milliseconds,
            outcome=sent.outcome,
            http_status=sent.http_status,
        )
    )
    tripped, off = _up(conn, due.endpoint_id, now) if sent.delivered else _down(conn, sent, now)
    return Recorded(state, tripped, off) if settled.rowcount or off else None


def _gives_up_at(conn: Connection, due: Due) -> int:
    query = select(deliveries.c.gives_up_at).where(
        deliveries.c.endpoint_id == due.endpoint_id, deliveries.c.event_id == due.event_id
    )
    return int(conn.execute(query).scalar_one())


def _up(conn: Connection, endpoint_id: str, now: int) -> tuple[bool, bool]:
    """It answers: whatever waited for a later try is tried now. False twice, always."""
    well = (
        update(endpoints)
        .where(endpoints.c.id == endpoint_id, endpoints.c.failures > 0)
        .values(failures=0, failing_since=None, paused_until=0)
    )
    if conn.execute(well).rowcount:
        _bring_forward(conn, endpoint_id, now)
    return False, False


def _bring_forward(conn: Connection, endpoint_id: str, now: int) -> None:
    held = deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "waiting", deliveries.c.claimed_by.is_(None)
    conn.execute(update(deliveries).where(*held, deliveries.c.due_at > now).values(due_at=now))


def _down(conn: Connection, sent: Sent, now: int) -> tuple[bool, bool]:
    """One failure more: whether it is the one that trips the endpoint, and whether it switched it off."""
    here = endpoints.c.id == sent.due.endpoint_id
    since = func.coalesce(endpoints.c.failing_since, now)
    failed = update(endpoints).where(here).values(failures=endpoints.c.failures + 1, failing_since=since)
    row = conn.execute(failed.returning(endpoints.c.failures, endpoints.c.failing_since, endpoints.c.state)).one()
    reason = "gone" if sent.gone else "failing" if now - row.failing_since >= sent.patience_ms else None
    if off := row.state == "active" and reason is not None:
        conn.execute(update(endpoints).where(here).values(state="disabled", reason=reason))
    if row.failures < TRIPPED:
        return False, off
    pause = min(_PAUSE_MOST_MS, _PAUSE_FIRST_MS * 2 ** min(row.failures - TRIPPED, 10))
    conn.execute(update(endpoints).where(here).values(paused_until=now + pause))
    return row.failures == TRIPPED, off


def release(conn: Connection, worker: str, *, others: bool = False) -> int:
    """Make due what `worker` holds (`others`: what anybody else holds, of whom none can live); how many."""
    theirs = deliveries.c.claimed_by != worker if others else deliveries.c.claimed_by == worker
    freed = (
        update(deliveries)
        .where(deliveries.c.state == "waiting", deliveries.c.claimed_by.is_not(None), theirs)
        .values(claimed_by=None, due_at=now_ms(conn))
    )
    return int(conn.execute(freed).rowcount)


def redeliver(conn: Connection, endpoint_id: str, event_ids: Sequence[str]) -> int:
    """Put events in line again, at once and for another three days; one that is under way stays as it is. How many."""
    now = now_ms(conn)
    again = (
        update(deliveries)
        .where(
            deliveries.c.endpoint_id == endpoint_id,
            deliveries.c.event_id.in_(event_ids),
            deliveries.c.claimed_by.is_(None),
        )
        .values(state="waiting", due_at=now, gives_up_at=now + GIVES_UP_MS, waits=0, settled_at=None)
        .values(again=or_(deliveries.c.again, deliveries.c.state != "waiting"))
    )
    count = int(conn.execute(again).rowcount)
    if count:
        conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(paused_until=0))
    return count


def redeliver_failed(conn: Connection, endpoint_id: str) -> int:
    """The same for the oldest that were given up; how many."""
    failed = select(deliveries.c.event_id).where(
        deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "failed"
    )
    return redeliver(conn, endpoint_id, conn.scalars(failed.order_by(deliveries.c.event_id).limit(_FORWARD)).all())


def ping(conn: Connection, endpoint_id: str, event_id: str, type_: str) -> None:
    """Put an event in line that tells of nothing."""
    now = now_ms(conn)
    conn.execute(
        insert(deliveries).values(
            endpoint_id=endpoint_id,
            event_id=event_id,
            request_id=None,
            sequence=0,
            type=type_,
            facts="{}",
            at=now,
            state="waiting",
            due_at=now,
            gives_up_at=now + GIVES_UP_MS,
            tries=0,
            waits=0,
        )
    )
    conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(paused_until=0))


def set_aside(conn: Connection, most: int) -> int:
    """Give up what waits for an address that is switched off, once its three days are over; how many."""
    now = now_ms(conn)
    resting = select(endpoints.c.id).where(endpoints.c.state != "active")
    over = deliveries.c.state == "waiting", deliveries.c.gives_up_at <= now, deliveries.c.claimed_by.is_(None)
    old = (
        select(deliveries.c.endpoint_id, deliveries.c.event_id)
        .where(deliveries.c.endpoint_id.in_(resting), *over)
        .limit(most)
    )
    keys = [tuple(row) for row in conn.execute(old)]
    if keys:
        these = tuple_(deliveries.c.endpoint_id, deliveries.c.event_id).in_(keys)
        conn.execute(update(deliveries).where(these, *over).values(state="failed", settled_at=now))
    return len(keys)

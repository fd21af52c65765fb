"""The delivery log: what was told, what waits, every try; and what of it is counted and forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, tuple_

from gateway.store.clock import now_ms
from gateway.store.tables import principals
from gateway.store.webhooks.tables import attempts, deliveries, endpoints

_COUNTED_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event at one endpoint."""

    event_id: str
    request_id: str | None
    sequence: int
    type: str
    facts: str
    at: int
    state: str
    tries: int
    next_try_at: int | None
    gives_up_at: int
    settled_at: int | None
    outcome: str | None
    http_status: int | None


@dataclass(frozen=True, slots=True)
class Try:
    """One try."""

    number: int
    at: int
    milliseconds: int
    outcome: str
    http_status: int | None


def find_deliveries(
    conn: Connection,
    endpoint_id: str,
    states: Sequence[str],
    request_id: str | None,
    before: str | None,
    limit: int,
) -> list[Delivery]:
    """A page of the log, newest first, after the event `before`."""
    query = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
    if states:
        query = query.where(deliveries.c.state.in_(states))
    if request_id is not None:
        query = query.where(deliveries.c.request_id == request_id)
    if before is not None:
        query = query.where(deliveries.c.event_id < before)
    return [_delivery(row) for row in conn.execute(query.order_by(deliveries.c.event_id.desc()).limit(limit))]


def find_delivery(conn: Connection, endpoint_id: str, event_id: str) -> tuple[Delivery, list[Try]] | None:
    """One event with its tries, oldest first."""
    here = deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id == event_id
    row = conn.execute(select(deliveries).where(*here)).one_or_none()
    if row is None:
        return None
    made = conn.execute(
        select(attempts)
        .where(attempts.c.endpoint_id == endpoint_id, attempts.c.event_id == event_id)
        .order_by(attempts.c.number)
    )
    tries = [Try(each.number, each.at, each.milliseconds, each.outcome, each.http_status) for each in made]
    return _delivery(row), tries


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.event_id,
        row.request_id,
        row.sequence,
        row.type,
        row.facts,
        row.at,
        row.state,
        row.tries,
        row.due_at if row.state == "waiting" else None,
        row.gives_up_at,
        row.settled_at,
        row.outcome,
        row.http_status,
    )


@dataclass(frozen=True, slots=True)
class WebhookFigures:
    """What a scrape tells of webhooks, by the channel's name."""

    tries: Mapping[tuple[str, str], int]  #: Within the last hour, by channel and outcome.
    waiting: Mapping[str, int]
    oldest_ms: Mapping[str, int]  #: How long the oldest event waits.
    failing: int  #: Endpoints that fail again and again, or were switched off for that or because they are gone.
    resting: Mapping[str, int]  #: Endpoints that are switched off, by reason.


def webhook_figures(conn: Connection) -> WebhookFigures:
    """Counted now."""
    now = now_ms(conn)
    named = principals.c.id == endpoints.c.channel_id
    tried = conn.execute(
        select(principals.c.name, attempts.c.outcome, func.count())
        .select_from(attempts)
        .join(endpoints, endpoints.c.id == attempts.c.endpoint_id)
        .join(principals, named)
        .where(attempts.c.at > now - _COUNTED_MS)
        .group_by(principals.c.name, attempts.c.outcome)
    ).all()
    waiting = conn.execute(
        select(principals.c.name, func.count(), func.min(deliveries.c.at))
        .select_from(deliveries)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .join(principals, named)
        .where(deliveries.c.state == "waiting")
        .group_by(principals.c.name)
    ).all()
    off = select(endpoints.c.reason, func.count()).where(endpoints.c.state == "disabled").group_by(endpoints.c.reason)
    resting = conn.execute(off).all()
    return WebhookFigures(
        {(name, outcome): count for name, outcome, count in tried},
        {name: count for name, count, _ in waiting},
        {name: now - first for name, _, first in waiting},
        _failing(conn),
        {reason or "asked": count for reason, count in resting},
    )


def webhook_notice(conn: Connection) -> tuple[int, int, int]:
    """How many events wait, how long the oldest of them does (ms), and how many endpoints fail."""
    count, first = conn.execute(
        select(func.count(), func.min(deliveries.c.at)).where(deliveries.c.state == "waiting")
    ).one()
    return count, max(0, now_ms(conn) - first) if count else 0, _failing(conn)


def _failing(conn: Connection) -> int:
    bad = (endpoints.c.failures >= 3) | endpoints.c.reason.in_(("gone", "failing"))
    query = select(func.count()).select_from(endpoints).where(endpoints.c.state != "removed", bad)
    return int(conn.execute(query).scalar_one())


def forget(conn: Connection, keep_ms: int, most: int) -> int:
    """Delete what was settled longer ago than that, with its tries; how many events."""
    old = conn.execute(
        select(deliveries.c.endpoint_id, deliveries.c.event_id)
        .where(deliveries.c.settled_at < now_ms(conn) - keep_ms)
        .limit(most)
    ).all()
    keys = [tuple(row) for row in old]
    for table in (attempts, deliveries):
        if keys:
            conn.execute(delete(table).where(tuple_(table.c.endpoint_id, table.c.event_id).in_(keys)))
    return len(keys)

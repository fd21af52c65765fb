"""What all workers know of a lane's line: the breaker's state, its probes, and the pace that a rate allows.

A row comes with the first trouble, or with the first claim of a lane that has a rate; a lane without either has none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.lanes.breaker import Change, Health, Line, Probed, Tripped
from gateway.lanes.bulkhead import Limit
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER
from gateway.store.tables import jobs, lanes, requests

#: How many closures that an institution told of are remembered, to be counted off a request's patience.
_CLOSURES = 60


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """How a breaker opens and closes again."""

    first_ms: int  #: The pause before the first probe.
    most_ms: int  #: Doubled by each probe that fails, up to this.
    successes: int  #: Good probes in a row that close it.
    calm_ms: int  #: It was closed for so long: the pause begins small again.


def read_lines(conn: Connection, lately_ms: int) -> list[Line]:
    """The lanes that are open now, or closed within `lately_ms`."""
    now = now_ms(conn)
    found = conn.execute(select(lanes).where(or_(lanes.c.open, lanes.c.recovered_at > now - lately_ms)))
    return [_line(row, now) for row in found]


def _line(row: Row[Any], now: int) -> Line:
    return Line(
        row.name,
        open=bool(row.open),
        code=row.code,
        probe_in_ms=max(row.probe_at, row.probe_until) - now,
        opens_in_ms=None if row.opens_at is None or row.opens_at <= now else row.opens_at - now,
        recovered_ms=None if row.open or row.recovered_at is None else now - row.recovered_at,
    )


def tell_lines(conn: Connection, changes: Sequence[Change], policy: BreakerPolicy) -> dict[str, str]:
    """Write what a worker saw of its lanes; those that are open or closed by it. What waits for one that closed is due.

    Of several workers that trip a lane at once the first one counts.
    """
    now = now_ms(conn)
    told = {}
    for change in changes:
        row = lane_row(conn, change.lane)
        if isinstance(change, Tripped):
            if not row.open:
                _open(conn, row, change, policy, now)
                told[change.lane] = "open"
        elif row.open and _probed(conn, row, change, policy, now):
            told[change.lane] = "closed"
    return told


def lane_row(conn: Connection, name: str) -> Row[Any]:
    """The lane's row, locked until COMMIT; it is made where there is none yet."""
    query = select(lanes).where(lanes.c.name == name).with_for_update()
    row = conn.execute(query).one_or_none()
    if row is None:
        dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
        conn.execute(dialect.insert(lanes).values(name=name).on_conflict_do_nothing())
        row = conn.execute(query).one()
    return row


def _open(conn: Connection, row: Row[Any], change: Tripped, policy: BreakerPolicy, now: int) -> None:
    calm = row.recovered_at is None or now - row.recovered_at > policy.calm_ms
    own = policy.first_ms if calm else min(policy.most_ms, max(policy.first_ms, 2 * row.pause_ms))
    pause = max(own, change.pause_ms or 0)
    _set(
        conn,
        row.name,
        open=True,
        code=change.code,
        probe_at=now + pause,
        probe_until=0,
        pause_ms=own,
        good_probes=0,
        opens_at=now + change.closed_ms if change.closed_ms else None,
        closures=_closures(row, change.closed_ms, now),
    )


def _probed(conn: Connection, row: Row[Any], change: Probed, policy: BreakerPolicy, now: int) -> bool:
    """Whether the lane closed."""
    if change.health is Health.GOOD:
        good = row.good_probes + 1
        _make_due(conn, row.name)
        if good >= policy.successes:
            _set(conn, row.name, open=False, code="", probe_until=0, good_probes=0, opens_at=None, recovered_at=now)
            return True
        _set(conn, row.name, probe_at=now, probe_until=0, good_probes=good, opens_at=None)
    elif change.health is Health.BAD:
        own = min(policy.most_ms, 2 * row.pause_ms)
        _set(
            conn,
            row.name,
            code=change.code,
            probe_at=now + max(own, change.pause_ms or 0),
            probe_until=0,
            pause_ms=own,
            good_probes=0,
            opens_at=now + change.closed_ms if change.closed_ms else None,
            closures=_closures(row, change.closed_ms, now),
        )
    else:
        _set(conn, row.name, probe_at=now + row.pause_ms, probe_until=0)
    return False


def _set(conn: Connection, name: str, **values: Any) -> None:
    conn.execute(update(lanes).where(lanes.c.name == name).values(**values))


def _make_due(conn: Connection, lane: str) -> None:
    """What waited for the line is due, each as old as its request, so that the drain begins with the oldest."""
    created = select(requests.c.created_at).where(requests.c.id == jobs.c.request_id).scalar_subquery()
    waiting = (jobs.c.lane == lane, jobs.c.claimed_by.is_(None), jobs.c.waits > 0, jobs.c.due_at < NEVER)
    conn.execute(update(jobs).where(*waiting).values(due_at=created))


def _closures(row: Row[Any], closed_ms: int | None, now: int) -> str:
    """With one more; a closure that is told of again is one."""
    known: list[list[int]] = json.loads(row.closures)
    if closed_ms:
        if known and known[-1][1] >= now:
            known[-1][1] = max(known[-1][1], now + closed_ms)
        else:
            known.append([now, now + closed_ms])
    return json.dumps(known[-_CLOSURES:])


def find_closures(conn: Connection, lane: str) -> list[tuple[int, int]]:
    """The times for which the institution said by itself that it was closed, in milliseconds since 1970."""
    told = conn.scalar(select(lanes.c.closures).where(lanes.c.name == lane))
    return [(begins, ends) for begins, ends in json.loads(told or "[]")]


def take_probe(conn: Connection, lane: str, hold_ms: int, now: int) -> bool:
    """Whether this worker may send the one probe of an open lane; `gave_up` gives it back unused."""
    free = update(lanes).where(lanes.c.name == lane, lanes.c.open, lanes.c.probe_at <= now, lanes.c.probe_until <= now)
    return bool(conn.execute(free.values(probe_until=now + hold_ms)).rowcount)


def gave_up(conn: Connection, lane: str) -> None:
    """The probe was not used: nothing waits in the lane."""
    _set(conn, lane, probe_until=0)


def paced(conn: Connection, lane: str, interval_us: int, burst_us: int, now: int) -> tuple[int, int]:
    """How many calls the rate allows now, and the slot from which they count; `spend` takes them."""
    row = lane_row(conn, lane)
    earliest = max(row.slot_us, now * 1000 - burst_us)
    late = now * 1000 - earliest
    return (0 if late < 0 else 1 + late // interval_us), earliest


def spend(conn: Connection, lane: str, earliest_us: int, interval_us: int, calls: int) -> None:
    """So many of them are made."""
    _set(conn, lane, slot_us=earliest_us + calls * interval_us)


def take_slot(conn: Connection, lane: str, limit: Limit) -> bool:
    """Whether the lane's rate allows one call now, which is counted."""
    if limit.interval_us is None:
        return True
    allowed, earliest = paced(conn, lane, limit.interval_us, limit.burst_us, now_ms(conn))
    if allowed:
        spend(conn, lane, earliest, limit.interval_us, 1)
    return allowed > 0

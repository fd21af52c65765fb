"""Look for due jobs and claim them: the most urgent first, channels in turn, each channel's oldest first.

A lane's limits hold for all workers, because they are kept in the transaction that claims: its rate, and the one probe
that an open breaker lets through. A lane without limits costs nothing of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy import Connection, bindparam, exists, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.lanes.breaker import Line
from gateway.lanes.bulkhead import Limit
from gateway.logs import log
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER, load_works
from gateway.store.lines import gave_up, paced, read_lines, spend, take_probe
from gateway.store.one_of import listed_for_each_dialect
from gateway.store.prepared import Prepared
from gateway.store.stumbles import stumble
from gateway.store.tables import jobs
from gateway.work import Work

_DUE_LANES = Prepared(
    listed_for_each_dialect(
        "lanes",
        lambda lane: select(lane).where(
            exists().where(jobs.c.lane == lane, jobs.c.claimed_by.is_(None), jobs.c.due_at <= bindparam("now"))
        ),
    )
)


def lanes_with_due_work(conn: Connection, lanes: Iterable[str], now: int) -> set[str]:
    """Those of `lanes` in which something due waits for a place: nobody overtakes it."""
    names = list(lanes)
    if not names:
        return set()
    return {lane for (lane,) in _DUE_LANES.one(conn, now=now, lanes=names)}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a look at the free jobs shows."""

    lanes: frozenset[str]  #: In which something due waits for a place.
    next_due_in_ms: int | None  #: None when no later job is in sight.
    lines: tuple[Line, ...] | None = None  #: Of the lanes that have or had trouble; None: they were not looked at.


# From lane to lane along the index, so that a long queue costs no more than a short one.
_FIRST_OF_LANES = text(
    """
    WITH RECURSIVE found(lane) AS (
        SELECT (SELECT lane FROM jobs WHERE claimed_by IS NULL ORDER BY lane LIMIT 1)
        UNION ALL
        SELECT (SELECT lane FROM jobs WHERE claimed_by IS NULL AND lane > found.lane ORDER BY lane LIMIT 1)
        FROM found WHERE found.lane IS NOT NULL
    )
    SELECT lane, (
        SELECT due_at FROM jobs WHERE claimed_by IS NULL AND jobs.lane = found.lane ORDER BY due_at LIMIT 1
    ) AS due_at
    FROM found WHERE lane IS NOT NULL
    """
)


def look(conn: Connection, lately_ms: int | None = None) -> Outlook:
    """Where due work waits and when the next falls due; reads only, so that an idle worker writes nothing.

    With `lately_ms` also the lines of the lanes that are open or closed again within that time.
    """
    now = now_ms(conn)
    firsts: dict[str, int] = {row.lane: row.due_at for row in conn.execute(_FIRST_OF_LANES)}
    due = frozenset(lane for lane, due_at in firsts.items() if due_at <= now)
    later = [due_at - now for due_at in firsts.values() if now < due_at < NEVER]
    lines = None if lately_ms is None else tuple(read_lines(conn, lately_ms))
    return Outlook(due, min(later, default=None), lines)


@dataclass(slots=True)
class Turns:
    """Which channel was served last in each lane, by this worker; so that none is served before all others were."""

    _served: dict[tuple[str, str], int] = field(default_factory=dict)
    _count: int = 0

    def order(self, lane: str, channels: Iterable[str]) -> list[str]:
        """The channels, whoever was not served for longest first."""
        return sorted(channels, key=lambda channel: self._served.get((lane, channel), 0))

    def serve(self, lane: str, channel: str) -> None:
        """It was its turn."""
        self._count += 1
        self._served[lane, channel] = self._count


def claim(
    conn: Connection,
    worker: str,
    places: Mapping[str, int],
    lease_ms: int,
    limits: Mapping[str, Limit] | None = None,
    turns: Turns | None = None,
    poison_after: int = 5,
) -> list[Work]:
    """Take due jobs for `worker`, at most `places[lane]` of each lane and no more than its limit allows.

    A request that cannot be read is left out; after `poison_after` times it is set aside.
    """
    now = now_ms(conn)
    limits, turns = limits or {}, turns or Turns()
    taken: list[str] = []
    for lane, most in places.items():
        limit = limits.get(lane)
        taken += _take(conn, lane, most, turns, now) if limit is None else _limited(conn, lane, most, limit, turns, now)
    if taken:
        conn.execute(
            update(jobs)
            .where(jobs.c.request_id.in_(taken))
            .values(claimed_by=worker, lease_until=now + lease_ms, token=jobs.c.token + 1)
        )
    return load_readable(conn, taken, now, poison_after)


def load_readable(conn: Connection, taken: Sequence[str], now: int, poison_after: int) -> list[Work]:
    """The claimed jobs as works; one that cannot be read counts a failure at it and is left out."""
    try:
        return load_works(conn, taken, now)
    except (SQLAlchemyError, OSError, TimeoutError):
        raise
    except Exception:  # noqa: BLE001 (one that cannot be read must not keep the others)
        return [work for request_id in taken for work in _readable(conn, request_id, now, poison_after)]


def _readable(conn: Connection, request_id: str, now: int, poison_after: int) -> list[Work]:
    try:
        return load_works(conn, [request_id], now)
    except (SQLAlchemyError, OSError, TimeoutError):
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, it is counted)
        token = conn.execute(select(jobs.c.token).where(jobs.c.request_id == request_id)).scalar_one()
        became = stumble(conn, request_id, token, poison_after)
        log.error("request_unreadable", request_id=request_id, error_kind=type(error).__name__, state=became)
        return []


def _limited(conn: Connection, lane: str, most: int, limit: Limit, turns: Turns, now: int) -> list[str]:
    if limit.probe_ms is not None:
        if not take_probe(conn, lane, limit.probe_ms, now):
            return []
        most = min(most, 1)
    earliest = 0
    if limit.interval_us is not None:
        allowed, earliest = paced(conn, lane, limit.interval_us, limit.burst_us, now)
        most = min(most, allowed)
    taken = _take(conn, lane, most, turns, now) if most else []
    if taken and limit.interval_us is not None:
        spend(conn, lane, earliest, limit.interval_us, len(taken))
    if not taken and limit.probe_ms is not None:
        gave_up(conn, lane)
    return taken


# From one priority and channel to the next along the index.
_WAITING_CHANNELS = text(
    """
    WITH RECURSIVE found(priority, channel_id) AS (
        SELECT (SELECT priority FROM jobs WHERE lane = :lane AND claimed_by IS NULL
                ORDER BY priority, channel_id LIMIT 1),
               (SELECT channel_id FROM jobs WHERE lane = :lane AND claimed_by IS NULL
                ORDER BY priority, channel_id LIMIT 1)
        UNION ALL
        SELECT (SELECT priority FROM jobs WHERE lane = :lane AND claimed_by IS NULL
                AND (jobs.priority, jobs.channel_id) > (found.priority, found.channel_id)
                ORDER BY priority, channel_id LIMIT 1),
               (SELECT channel_id FROM jobs WHERE lane = :lane AND claimed_by IS NULL
                AND (jobs.priority, jobs.channel_id) > (found.priority, found.channel_id)
                ORDER BY priority, channel_id LIMIT 1)
        FROM found WHERE found.priority IS NOT NULL
    )
    SELECT priority, channel_id FROM found
    WHERE priority IS NOT NULL AND EXISTS (
        SELECT 1 FROM jobs WHERE lane = :lane AND jobs.priority = found.priority
        AND jobs.channel_id = found.channel_id AND claimed_by IS NULL AND due_at <= :now
    )
    ORDER BY priority
    """
)


def _take(conn: Connection, lane: str, most: int, turns: Turns, now: int) -> list[str]:
    """Up to `most` due jobs of a lane, locked: one priority after the other, and within one the channels share."""
    waiting = conn.execute(_WAITING_CHANNELS, {"lane": lane, "now": now}).all()
    taken: list[str] = []
    for priority, rows in groupby(waiting, key=lambda row: int(row.priority)):
        channels = turns.order(lane, [row.channel_id for row in rows])
        taken += _share_out(conn, (lane, priority), channels, most - len(taken), turns, now)
        if len(taken) >= most:
            break
    return taken


def _share_out(
    conn: Connection, queue: tuple[str, int], channels: Sequence[str], most: int, turns: Turns, now: int
) -> list[str]:
    """Equal shares, and what one channel does not need goes to the others; its jobs are given in turn."""
    piles: dict[str, list[str]] = {channel: [] for channel in channels}
    hungry, left = list(channels), most
    while hungry and left > 0:
        base, extra = divmod(left, len(hungry))
        for number, channel in enumerate(list(hungry)):
            share = base + (number < extra)
            if share == 0:
                break
            wanted = len(piles[channel]) + share
            found = _oldest(conn, queue, channel, wanted, now)
            left -= len(found) - len(piles[channel])
            piles[channel] = found
            if len(found) < wanted:
                hungry.remove(channel)
    return _in_turn(piles, queue[0], turns)


def _oldest(conn: Connection, queue: tuple[str, int], channel: str, most: int, now: int) -> list[str]:
    lane, priority = queue
    return list(
        conn.scalars(
            select(jobs.c.request_id)
            .where(
                jobs.c.lane == lane,
                jobs.c.priority == priority,
                jobs.c.channel_id == channel,
                jobs.c.claimed_by.is_(None),
                jobs.c.due_at <= now,
            )
            .order_by(jobs.c.due_at, jobs.c.request_id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
    )


def _in_turn(piles: Mapping[str, list[str]], lane: str, turns: Turns) -> list[str]:
    """One of each channel, then again."""
    taken = []
    for row in range(max((len(pile) for pile in piles.values()), default=0)):
        for channel, pile in piles.items():
            if row < len(pile):
                taken.append(pile[row])
                turns.serve(lane, channel)
    return taken

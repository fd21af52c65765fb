"""What a leader does about ticks: those of now and those that nobody led for, as each schedule's policy says.

No tick is dropped in silence: each has a row of its own, or stands in the row of the skipped ones around it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.store.clock import now_ms
from gateway.store.schedule.fires import (
    DUE,
    HAND,
    INTERRUPTED,
    LATE,
    SKIPPED,
    TICK,
    Fire,
    Next,
    change,
    next_of,
    open_fires,
    orphans,
    set_next,
    supersede,
    write_down,
)
from scheduler.timetable import CatchUp, Entry

#: Of a schedule that runs each missed tick, so many wait in the table at once; the others follow as these end.
MOST_WAITING = 50
#: A fire whose workers died at it so often is not begun again.
MOST_RUNS = 3
MISSED, COVERED, LEADER_LOST = "missed", "covered_by_a_later_one", "leader_lost"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run now, in order, and how long until something else falls due."""

    due: tuple[Fire, ...]
    next_in_ms: int | None


def plan(
    conn: Connection,
    entries: Mapping[str, Entry],
    worker: str,
    token: int,
    alive: Collection[tuple[str, int]],
    on_time_ms: int,
) -> Plan:
    """Write down every tick up to now, once; `alive` are the fires that this leader runs at this moment."""
    _adopt(conn, entries, token, alive)
    now, known = now_ms(conn), next_of(conn)
    waiting = Counter(fire.schedule for fire in open_fires(conn) if fire.state == DUE)
    soonest: list[int] = []
    for entry in entries.values():
        due = _found(conn, entry, known.get(entry.name), now)
        if due.at <= now and waiting[entry.name] < MOST_WAITING:
            fires, after = decide(entry, due.at, now, on_time_ms)
            if entry.catch_up is not CatchUp.EACH and any(fire.state == DUE for fire in fires):
                supersede(conn, entry.name, COVERED)
            write_down(conn, fires, worker, token)
            due = Next(due.times, after)
            set_next(conn, entry.name, due)
        soonest += [due.at - now] if due.at > now else []
    return Plan(tuple(fire for fire in open_fires(conn) if fire.state == DUE), min(soonest, default=None))


def _found(conn: Connection, entry: Entry, known: Next | None, now: int) -> Next:
    """When it is due: from its next tick on when it is new, and anew when its times were changed."""
    times = str(entry.times)
    if known is not None and known.times == times:
        return known
    at = entry.times.after(now) if known is None else min(known.at, entry.times.after(now))
    set_next(conn, entry.name, Next(times, at))
    return Next(times, at)


def decide(entry: Entry, first: int, now: int, on_time_ms: int) -> tuple[list[Fire], int]:
    """The rows of the ticks from `first` up to now, and the first tick of which nothing is said yet."""
    if entry.catch_up is CatchUp.EACH:
        return _each(entry, first, now, on_time_ms)
    missed = entry.times.until(first, now)
    after = entry.times.after(missed.last)
    late = now - missed.last > on_time_ms
    if late and entry.catch_up is CatchUp.SKIP:
        return [_skipped(entry, missed.last, missed.count, first, MISSED)], after
    rows = []
    if missed.before_last is not None:
        code = MISSED if entry.catch_up is CatchUp.SKIP else COVERED
        rows.append(_skipped(entry, missed.before_last, missed.count - 1, first, code))
    return [*rows, Fire(entry.name, missed.last, DUE, LATE if late else TICK)], after


def _each(entry: Entry, first: int, now: int, on_time_ms: int) -> tuple[list[Fire], int]:
    rows: list[Fire] = []
    tick = first
    while tick <= now and len(rows) < MOST_WAITING:
        rows.append(Fire(entry.name, tick, DUE, LATE if now - tick > on_time_ms else TICK))
        tick = entry.times.after(tick)
    return rows, tick


def _skipped(entry: Entry, moment: int, ticks: int, since: int, code: str) -> Fire:
    return Fire(entry.name, moment, SKIPPED, LATE, ticks=ticks, since=since, code=code)


def _adopt(conn: Connection, entries: Mapping[str, Entry], token: int, alive: Iterable[tuple[str, int]]) -> None:
    """Fires whose leader is gone: run again, unless the policy is to skip, or too many died at it."""
    for fire in orphans(conn, token, set(alive)):
        entry = entries.get(fire.schedule)
        if entry is None:  # of another version, which knows what to do
            continue
        again = fire.runs < MOST_RUNS and (fire.cause == HAND or entry.catch_up is not CatchUp.SKIP)
        change(conn, fire, DUE if again else INTERRUPTED, LEADER_LOST)

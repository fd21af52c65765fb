"""Every fire of every schedule: written down when it falls due, begun and ended by the leader alone."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, null, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.clock import now_ms
from gateway.store.schedule.lead import leads
from gateway.store.schedule.tables import fires, schedules

DUE, RUNNING, SUCCEEDED, FAILED = "due", "running", "succeeded", "failed"
SKIPPED, INTERRUPTED = "skipped", "interrupted"
TICK, LATE, HAND = "tick", "late", "hand"
_OPEN = fires.c.state.in_([DUE, RUNNING])


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire as the history shows it. Times are milliseconds since 1970 UTC."""

    schedule: str
    fire_time: int
    state: str
    cause: str
    ticks: int = 1
    since: int = 0
    asked_by: str | None = None
    by: str = ""
    runs: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """When a schedule is due, and the times by which that was found."""

    times: str
    at: int


def next_of(conn: Connection) -> dict[str, Next]:
    """When each schedule that was ever planned is due next."""
    return {row.name: Next(row.times, row.next_at) for row in conn.execute(select(schedules))}


def set_next(conn: Connection, name: str, due: Next) -> None:
    """Write down when it is due next."""
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    row = dialect.insert(schedules).values(name=name, times=due.times, next_at=due.at)
    again = {"times": due.times, "next_at": due.at}
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_=again))


def write_down(conn: Connection, planned: Iterable[Fire], worker: str, token: int) -> None:
    """Enter fires; a tick that has its row already is left as it is."""
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    now = now_ms(conn)
    for fire in planned:
        row = {
            "schedule": fire.schedule,
            "fire_time": fire.fire_time,
            "state": fire.state,
            "cause": fire.cause,
            "ticks": fire.ticks,
            "since": fire.since or fire.fire_time,
            "asked_by": fire.asked_by,
            "by": worker,
            "token": token,
            "runs": 0,
            "ended_at": None if fire.state == DUE else now,
            "code": fire.code,
        }
        conn.execute(dialect.insert(fires).values(row).on_conflict_do_nothing())


def supersede(conn: Connection, schedule: str, code: str) -> None:
    """A later tick does what those would do that fell due by themselves and were not begun."""
    waiting = (fires.c.schedule == schedule, fires.c.state == DUE, fires.c.cause != HAND)
    conn.execute(update(fires).where(*waiting).values(state=SKIPPED, code=code, ended_at=now_ms(conn)))


def ask(conn: Connection, schedule: str, asked_by: str) -> int | None:
    """Let it fire now, by hand; its fire time, or None when that was asked for already."""
    asked = select(fires.c.fire_time).where(fires.c.schedule == schedule, fires.c.state == DUE, fires.c.cause == HAND)
    if conn.execute(asked).first() is not None:
        return None
    now = now_ms(conn)
    taken = set(conn.scalars(select(fires.c.fire_time).where(fires.c.schedule == schedule, fires.c.fire_time >= now)))
    moment = next(each for each in range(now, now + len(taken) + 1) if each not in taken)
    values = {"state": DUE, "cause": HAND, "ticks": 1, "since": moment, "by": "", "token": 0, "runs": 0}
    conn.execute(insert(fires).values(schedule=schedule, fire_time=moment, asked_by=asked_by, **values))
    return moment


def open_fires(conn: Connection) -> list[Fire]:
    """What is due or running, in order."""
    return [
        _fire(row) for row in conn.execute(select(fires).where(_OPEN).order_by(fires.c.schedule, fires.c.fire_time))
    ]


def orphans(conn: Connection, token: int, alive: Collection[tuple[str, int]]) -> list[Fire]:
    """The fires that run by their state, but that this leader does not run: whoever began them is gone."""
    running = select(fires).where(_OPEN, fires.c.state == RUNNING)
    found = conn.execute(running).all()
    return [_fire(row) for row in found if row.token != token or (row.schedule, row.fire_time) not in alive]


def change(conn: Connection, fire: Fire, state: str, code: str | None) -> None:
    """What the leader decides about an open fire."""
    values: dict[str, Any] = {"state": state, "code": code}
    values["ended_at"] = null() if state == DUE else now_ms(conn)
    conn.execute(update(fires).where(*_this(fire.schedule, fire.fire_time), _OPEN).values(values))


def begin(conn: Connection, schedule: str, fire_time: int, worker: str, token: int) -> bool:
    """Run it from now on; False when another one leads, or when it is not due any more."""
    if not leads(conn, token):
        return False
    begun = update(fires).where(*_this(schedule, fire_time), fires.c.state == DUE)
    values = {"state": RUNNING, "by": worker, "token": token, "runs": fires.c.runs + 1, "started_at": now_ms(conn)}
    return int(conn.execute(begun.values(values)).rowcount) == 1


def end(conn: Connection, schedule: str, fire_time: int, token: int, state: str, code: str | None) -> bool:
    """What became of it; False, and nothing is changed, when another one leads by now."""
    if not leads(conn, token):
        return False
    ended = update(fires).where(*_this(schedule, fire_time), fires.c.state == RUNNING, fires.c.token == token)
    return int(conn.execute(ended.values(state=state, code=code, ended_at=now_ms(conn))).rowcount) == 1


def find(conn: Connection, schedule: str, fire_time: int) -> Fire | None:
    """One fire."""
    row = conn.execute(select(fires).where(*_this(schedule, fire_time))).one_or_none()
    return None if row is None else _fire(row)


def last_of(conn: Connection, names: Iterable[str]) -> dict[str, Fire]:
    """The last fire of each that ended by running."""
    ran = fires.c.state.in_([SUCCEEDED, FAILED, INTERRUPTED])
    found = {}
    for name in names:
        newest = select(fires).where(fires.c.schedule == name, ran).order_by(fires.c.fire_time.desc()).limit(1)
        row = conn.execute(newest).one_or_none()
        if row is not None:
            found[name] = _fire(row)
    return found


def history(conn: Connection, schedule: str | None, states: Sequence[str], limit: int) -> list[Fire]:
    """The newest fires, newest first."""
    query = select(fires).order_by(fires.c.fire_time.desc(), fires.c.schedule).limit(limit)
    if schedule is not None:
        query = query.where(fires.c.schedule == schedule)
    if states:
        query = query.where(fires.c.state.in_(states))
    return [_fire(row) for row in conn.execute(query)]


def forget(conn: Connection, keep_ms: int, most: int) -> int:
    """Delete up to `most` fires that ended longer ago; how many."""
    old = select(fires.c.schedule, fires.c.fire_time).where(fires.c.ended_at < now_ms(conn) - keep_ms).limit(most)
    return int(conn.execute(delete(fires).where(tuple_(fires.c.schedule, fires.c.fire_time).in_(old))).rowcount)


def _this(schedule: str, fire_time: int) -> tuple[Any, Any]:
    return fires.c.schedule == schedule, fires.c.fire_time == fire_time


def _fire(row: Row[Any]) -> Fire:
    return Fire(
        schedule=row.schedule,
        fire_time=row.fire_time,
        state=row.state,
        cause=row.cause,
        ticks=row.ticks,
        since=row.since,
        asked_by=row.asked_by,
        by=row.by,
        runs=row.runs,
        started_at=row.started_at,
        ended_at=row.ended_at,
        code=row.code,
    )

"""Who leads the schedule: one row with a lease by the database's clock and a fencing token.

On SQLite there is one owner process, so whoever is of another generation is dead, whatever the clock says.
"""

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.clock import now_ms
from gateway.store.schedule.tables import leaders

_NAME = "schedule"
_THE_ONE = leaders.c.name == _NAME


def hold(conn: Connection, worker: str, lease_ms: int) -> int | None:
    """Lead, or go on leading, for `lease_ms` from now; the fencing token, or None while another one leads.

    Whose lease ran out goes on under the same token, if nobody took over meanwhile.
    """
    now = now_ms(conn)
    row = conn.execute(select(leaders).where(_THE_ONE)).one_or_none()
    if row is None:
        insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        first = insert(leaders).values(name=_NAME, holder=worker, token=1, lease_until=now + lease_ms, since=now)
        return 1 if conn.execute(first.on_conflict_do_nothing()).rowcount == 1 else None
    if row.holder == worker:
        mine = update(leaders).where(_THE_ONE, leaders.c.holder == worker).values(lease_until=now + lease_ms)
        return conn.execute(mine.returning(leaders.c.token)).scalar_one_or_none()
    return _take_over(conn, worker, now, lease_ms)


def _take_over(conn: Connection, worker: str, now: int, lease_ms: int) -> int | None:
    """Lead in another one's place, if its time is over and it is not writing just now."""
    over = or_(leaders.c.holder.is_(None), leaders.c.lease_until <= now)
    free = select(leaders.c.token).where(_THE_ONE).with_for_update(skip_locked=True)
    row = conn.execute(free if conn.dialect.name == "sqlite" else free.where(over)).one_or_none()
    if row is None:
        return None
    values = {"holder": worker, "token": row.token + 1, "lease_until": now + lease_ms, "since": now}
    conn.execute(update(leaders).where(_THE_ONE).values(values))
    return int(row.token) + 1


def resign(conn: Connection, worker: str) -> None:
    """Lead no more; another one may at once."""
    mine = (_THE_ONE, leaders.c.holder == worker)
    conn.execute(update(leaders).where(*mine).values(holder=None, lease_until=0))


def leads(conn: Connection, token: int) -> bool:
    """Whether the token is still the leader's; until COMMIT nobody can take over."""
    mine = select(leaders.c.token).where(_THE_ONE, leaders.c.token == token)
    return conn.execute(mine.with_for_update(read=True)).one_or_none() is not None


def leader_of(conn: Connection) -> str | None:
    """Who leads now; None when nobody does."""
    row = conn.execute(select(leaders.c.holder, leaders.c.lease_until).where(_THE_ONE)).one_or_none()
    alive = row is not None and (conn.dialect.name == "sqlite" or row.lease_until > now_ms(conn))
    return row.holder if row is not None and alive else None

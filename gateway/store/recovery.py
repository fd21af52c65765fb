"""What the dead leave: their jobs are free again, and what they were sending is taken by whoever found it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, exists, select, update

from gateway.store.claims import load_readable
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER, held_by_the_dead
from gateway.store.stumbles import rescue_counted
from gateway.store.tables import attempts, jobs
from gateway.work import Work
from mappings.status import Attempt


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found."""

    count: int = 0  #: Jobs that were freed.
    #: Since the last sign of life of whoever held them: the renewal of the lease, on SQLite the claim.
    seconds: float = 0.0
    interrupted: tuple[Work, ...] = ()  #: What was being sent, claimed anew, to be judged at once.


def recover(
    conn: Connection, alive: str | None, poison_after: int, worker: str, lease_ms: int, lanes: Collection[str]
) -> Recovered:
    """Free the jobs of the dead (`rescue`; `alive` as there), and claim for `worker` those that were being sent.

    Judging makes no call, so it need not wait for a place in the act's lane. A job of a lane that is not among `lanes`
    is left to others, and one at which workers died again and again to the ordinary way, where it is tried by itself.
    """
    sending = exists().where(attempts.c.request_id == jobs.c.request_id, attempts.c.state == Attempt.SENDING.value)
    held = conn.execute(
        select(jobs.c.request_id, jobs.c.lane, jobs.c.lease_until, sending.label("sending")).where(
            held_by_the_dead(conn, alive)
        )
    ).all()
    if not held:
        return Recovered()
    now = now_ms(conn)
    count = rescue_counted(conn, alive, poison_after)
    taken = conn.scalars(
        update(jobs)
        .where(
            jobs.c.request_id.in_([row.request_id for row in held if row.sending and row.lane in lanes]),
            jobs.c.claimed_by.is_(None),
            jobs.c.due_at < NEVER,
            jobs.c.stumbles <= 1,
        )
        .values(claimed_by=worker, lease_until=now + lease_ms, token=jobs.c.token + 1)
        .returning(jobs.c.request_id)
    ).all()
    signs = [row.lease_until - lease_ms for row in held if row.lease_until is not None]
    seconds = max(0, now - min(signs, default=now)) / 1000
    return Recovered(count, seconds, tuple(load_readable(conn, taken, now, poison_after)))

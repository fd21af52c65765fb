"""What waits in the lanes: how many of each priority, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from gateway.representation import View
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER
from gateway.store.queries import find_view
from gateway.store.tables import jobs
from mappings.status import FINAL


@dataclass(frozen=True, slots=True)
class Queue:
    """The due jobs of one lane and priority that nobody holds. Times are milliseconds since 1970 UTC."""

    count: int
    oldest: int
    newest: int

    def place_of(self, due_at: int) -> int:
        """How many stand before one that is due since then, as if they had come evenly."""
        if due_at <= self.oldest or self.newest <= self.oldest:
            return 0 if due_at <= self.oldest else self.count
        return round(self.count * min(1.0, (due_at - self.oldest) / (self.newest - self.oldest)))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands, that waits for its turn or for its time."""

    lane: str
    priority: int
    due_at: int


def find_standing(conn: Connection, request_id: str, channel_id: str | None) -> tuple[View | None, Standing | None]:
    """The request as `find_view` has it, and where it stands when nobody works on it and no person is awaited."""
    view = find_view(conn, request_id, channel_id)
    if view is None or view.state in FINAL:
        return view, None
    free = (jobs.c.request_id == request_id, jobs.c.claimed_by.is_(None), jobs.c.due_at < NEVER)
    row = conn.execute(select(jobs.c.lane, jobs.c.priority, jobs.c.due_at).where(*free)).one_or_none()
    return view, None if row is None else Standing(row.lane, row.priority, row.due_at)


def waiting(conn: Connection) -> Mapping[tuple[str, int], Queue]:
    """The queues by lane and priority. It walks through all that waits."""
    found = conn.execute(
        select(jobs.c.lane, jobs.c.priority, func.count(), func.min(jobs.c.due_at), func.max(jobs.c.due_at))
        .where(jobs.c.claimed_by.is_(None), jobs.c.due_at <= now_ms(conn))
        .group_by(jobs.c.lane, jobs.c.priority)
    )
    return {(lane, priority): Queue(count, oldest, newest) for lane, priority, count, oldest, newest in found}

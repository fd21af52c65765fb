"""Requests that stand in a state for too long, by index: only what is older than its state's limit is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Text, case, false, func, literal_column, select

from gateway.store.clock import now_ms
from gateway.store.tables import jobs, requests


@dataclass(frozen=True, slots=True)
class Group:
    """Requests of one state, service and lane. Times are milliseconds since 1970 UTC."""

    state: str
    service: str
    lane: str  #: "" when they have no job.
    count: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """One of them."""

    id: str
    state: str
    service: str
    lane: str
    since: int
    reason: str | None


_LANE = func.coalesce(jobs.c.lane, literal_column("''"))
_AWAITING = literal_column("'awaiting_citizen'", Text)
_SINCE = case(
    (requests.c.state == _AWAITING, func.coalesce(requests.c.expires_at, requests.c.state_since)),
    else_=requests.c.state_since,
)


def groups(conn: Connection, limits_ms: Mapping[str, int]) -> tuple[int, list[Group]]:
    """Now, and the requests older in their state than its limit; a test channel's are left out.

    Who waits for the citizen is counted from the end of the citizen's time.
    """
    now = now_ms(conn)
    found: list[Group] = []
    for state, limit in limits_ms.items():  # one index range each
        query = (
            select(requests.c.state, requests.c.service, _LANE, func.count(), func.min(_SINCE))
            .outerjoin(jobs, jobs.c.request_id == requests.c.id)
            .where(
                requests.c.state == state,
                requests.c.state_since < now - limit,
                requests.c.test == false(),
                now - limit > _SINCE,
            )
            .group_by(requests.c.state, requests.c.service, _LANE)
        )
        found += [Group(*row) for row in conn.execute(query)]
    return now, found


def count_before(conn: Connection, group: Group, moment: int) -> int:
    """How many of a group came into their state before that moment."""
    query = select(func.count()).select_from(requests).outerjoin(jobs, jobs.c.request_id == requests.c.id)
    return int(conn.execute(query.where(*_of(group, moment))).scalar_one())


def oldest_of(conn: Connection, group: Group, moment: int, limit: int) -> list[Stuck]:
    """The oldest of a group that came into their state before that moment."""
    query = (
        select(requests.c.id, requests.c.state, requests.c.service, _LANE, _SINCE, requests.c.reason)
        .outerjoin(jobs, jobs.c.request_id == requests.c.id)
        .where(*_of(group, moment))
        .order_by(requests.c.state_since)
        .limit(limit)
    )
    return [Stuck(*row) for row in conn.execute(query)]


def _of(group: Group, moment: int) -> tuple[Any, ...]:
    return (
        requests.c.state == group.state,
        requests.c.state_since < moment,
        requests.c.service == group.service,
        group.lane == _LANE,
        requests.c.test == false(),
        moment > _SINCE,
    )

"""Jobs at which workers fail: each failure is counted, and after so many the job is quarantined and the lane goes on.

A request whose job is quarantined is parked with the reason "poison": people look at it, and may replay it.
"""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, null, select, update

from gateway.ids import new_id
from gateway.packed import pack_text
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER, rescue
from gateway.store.tables import events, jobs, requests
from gateway.store.webhooks.outbox import Move
from gateway.store.webhooks.outbox import tell as tell_listeners
from mappings.status import FINAL, Request, move

POISON = "poison"
_FIRST_PAUSE_MS = 1000
#: The last of many suspects is tried within this.
_LONGEST_MS = 60_000


def stumble(conn: Connection, request_id: str, token: int, most: int) -> str:
    """A worker that holds the job under `token` failed at it: what became of it, "freed", "quarantined" or "fenced".

    It is due again later, each time twice as late; at the `most`-th failure in a row nobody takes it any more.
    """
    held = (jobs.c.request_id == request_id, jobs.c.token == token, jobs.c.claimed_by.is_not(None))
    job = conn.execute(select(jobs.c.stumbles).where(*held).with_for_update()).one_or_none()
    if job is None:
        return "fenced"
    count, now = job.stumbles + 1, now_ms(conn)
    _free(conn, request_id, stumbles=count, due_at=now + _FIRST_PAUSE_MS * 2 ** min(count - 1, 8))
    if count < most:
        return "freed"
    quarantine(conn, [request_id])
    return "quarantined"


def rescue_counted(conn: Connection, worker: str | None, most: int) -> int:
    """`rescue`, and each job whose worker died counts that; those at which `most` died in a row are set aside.

    A worker dies of one job and holds many. After one death all go on at once; those that were there again are tried
    apart from each other, ever further, so that the one that kills is soon alone when it does.
    """
    freed = rescue(conn, worker)
    quarantine(conn, [request_id for request_id, stumbles in freed if stumbles >= most])
    _set_apart(conn, {request_id: stumbles for request_id, stumbles in freed if 1 < stumbles < most})
    return len(freed)


def _set_apart(conn: Connection, suspects: Mapping[str, int]) -> None:
    """Give each a time of its own, in no order that the next death would repeat."""
    now = now_ms(conn)
    by_deaths: dict[int, list[str]] = {}
    for request_id, stumbles in suspects.items():
        by_deaths.setdefault(stumbles, []).append(request_id)
    for deaths, alike in by_deaths.items():
        apart = min(_FIRST_PAUSE_MS * 4 ** (deaths - 2), _LONGEST_MS // len(alike))
        first = now + _FIRST_PAUSE_MS * 2 ** min(deaths - 2, 8)
        random.shuffle(alike)
        for number, request_id in enumerate(alike):
            going = jobs.c.request_id == request_id, jobs.c.due_at < NEVER  # what rests, rests on
            conn.execute(update(jobs).where(*going).values(due_at=first + number * apart))


def _free(conn: Connection, request_id: str, **values: Any) -> None:
    freed = update(jobs).where(jobs.c.request_id == request_id)
    conn.execute(freed.values(claimed_by=null(), lease_until=null(), token=jobs.c.token + 1, **values))


def quarantine(conn: Connection, request_ids: Iterable[str]) -> None:
    """Park the requests, and let their free jobs rest."""
    now = now_ms(conn)
    for request_id in request_ids:
        row = conn.execute(select(requests.c.state).where(requests.c.id == request_id).with_for_update()).one()
        if Request(row.state) in FINAL:
            continue
        parked = move(Request(row.state), "parked")
        state = parked.value
        tell_listeners(conn, Move(request_id, parked, reason=POISON), now)
        conn.execute(update(jobs).where(jobs.c.request_id == request_id).values(due_at=NEVER))
        conn.execute(
            update(requests)
            .where(requests.c.id == request_id)
            .values(
                state=state,
                reason=POISON,
                next_try_at=None,
                version=requests.c.version + 1,
                updated_at=now,
                state_since=now,
            )
        )
        facts = pack_text({"code": POISON})
        conn.execute(
            insert(events).values(id=new_id(), request_id=request_id, at=now, kind="parked", state=state, facts=facts)
        )

"""The chores that time brings: rescue leases, expire unpaid requests, revive inquiries, read the calendar, forget keys.

Each is one short transaction that may run on any node and be repeated; `scheduler/timetable.py` says when.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, delete, select, update

from connectors.kit.contract import Connector
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.calendar import CalendarError, CalendarFile
from gateway.logs import log
from gateway.restoring.mode import RestoreMode
from gateway.settings import DispatchSettings
from gateway.store.actions import expire
from gateway.store.acts import forget_acts
from gateway.store.clock import now_ms
from gateway.store.engine import Store
from gateway.store.jobs import NEVER, renew
from gateway.store.stumbles import rescue_counted
from gateway.store.tables import attempts, idempotency, jobs, requests
from gateway.watch import Watch
from mappings.status import Attempt, Request

_BATCH = 500


class Upkeep:
    """The chores of one worker."""

    def __init__(
        self,
        store: Store,
        connectors: Mapping[str, Connector],
        policy: DispatchSettings,
        watch: Watch,
        wake: Callable[[], None],
        worker: str,
        calendar: CalendarFile,
        lanes: Lanes,
        mode: RestoreMode,
    ) -> None:
        self._calendar, self._lanes, self._mode = calendar, lanes, mode
        self._store, self._policy, self._watch, self._wake, self._worker = store, policy, watch, wake, worker
        self._inquirable = {
            (connector.name, operation.name): f"{connector.name}.{operation.inquire}"
            for connector in connectors.values()
            for operation in connector.operations.values()
            if operation.inquire
        }

    async def rescue_leases(self) -> None:
        """Free the jobs of workers that died, so that somebody judges what they left."""
        mine = self._worker if self._store.dialect == "sqlite" else None
        freed = await self._store.write(rescue_counted, mine, self._policy.poison_after)
        if freed:
            log.warning("leases_rescued", count=freed)
            self._wake()

    async def renew_leases(self) -> None:
        """Say that this worker lives (PostgreSQL; on SQLite the generation says it)."""
        if self._store.dialect != "sqlite":
            await self._store.write(renew, self._worker, int(self._policy.lease_seconds * 1000))

    async def expire_unpaid(self) -> None:
        """End the requests whose citizen did not answer in time."""
        ended = await self._store.write(expire, _BATCH)
        if ended:
            log.info("expired", count=len(ended))
            self._watch.publish(ended)

    async def inquire(self) -> None:
        """Give a due inquiry to every open attempt that can be asked about and that no job asks about."""
        revived = await self._store.write(revive_inquiries, self._inquirable)
        if revived:
            log.warning("inquiries_revived", count=revived)
            self._wake()

    async def read_calendar(self) -> None:
        """Keep to the calendar's file as it is now; one that is wrong changes nothing."""
        try:
            changed = self._calendar.read_again()
        except CalendarError as error:
            log.error("calendar_wrong", reason=str(error))
            return
        if changed is not None:
            self._lanes.keep_to(changed)
            self._wake()
            log.info("calendar_read")

    async def look_at_restore(self) -> None:
        """In restore mode: see whether another process ended it."""
        if await self._mode.look(self._store):
            self._wake()

    async def forget_keys(self) -> None:
        """Delete idempotency keys past their time."""
        gone = await self._store.write(forget_keys) + await self._store.write(forget_acts, _BATCH)
        if gone:
            log.info("keys_forgotten", count=gone)


def revive_inquiries(conn: Connection, lanes: Mapping[tuple[str, str], str]) -> int:
    """Make the resting jobs of inquirable open attempts due; how many."""
    resting = conn.execute(
        select(jobs.c.request_id, attempts.c.connector, attempts.c.operation)
        .join(requests, requests.c.id == jobs.c.request_id)
        .join(attempts, attempts.c.request_id == jobs.c.request_id)
        .where(
            jobs.c.due_at == NEVER,
            jobs.c.claimed_by.is_(None),
            requests.c.state.in_([Request.IN_DOUBT.value, Request.WITH_INSTITUTION.value]),
            attempts.c.state.in_([Attempt.IN_DOUBT.value, Attempt.PENDING.value]),
        )
        .limit(_BATCH)
    ).all()
    count, now = 0, now_ms(conn)
    for row in resting:
        lane = lanes.get((row.connector, row.operation))
        if lane is not None:
            due = update(jobs).where(jobs.c.request_id == row.request_id, jobs.c.due_at == NEVER)
            count += int(conn.execute(due.values(lane=lane, due_at=now, inquiries=0, absences=0)).rowcount)
    return count


def forget_keys(conn: Connection) -> int:
    """Delete a bounded number of expired keys; how many."""
    old = (
        select(idempotency.c.channel_id, idempotency.c.key).where(idempotency.c.expires_at < now_ms(conn)).limit(_BATCH)
    )
    count = 0
    for row in conn.execute(old).all():
        gone = delete(idempotency).where(idempotency.c.channel_id == row.channel_id, idempotency.c.key == row.key)
        count += int(conn.execute(gone).rowcount)
    return count

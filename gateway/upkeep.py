"""The chores that time brings: rescue leases, expire unpaid requests, revive inquiries, read the calendar, forget keys.

Each is one short transaction that may run on any node and be repeated; `scheduler/timetable.py` says when.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, select, update

from connectors.kit.contract import Connector
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.calendar import CalendarError, CalendarFile
from gateway.logs import log
from gateway.recoveries import Recoveries
from gateway.restoring.mode import RestoreMode
from gateway.settings import DispatchSettings
from gateway.store.actions import expire
from gateway.store.acts import forget_acts
from gateway.store.clock import Clock, now_ms
from gateway.store.engine import Store
from gateway.store.jobs import NEVER, renew
from gateway.store.recovery import recover
from gateway.store.tables import attempts, idempotency, jobs, requests
from gateway.watch import Watch
from gateway.work import Work
from mappings.status import Attempt, Request

_BATCH = 500


def rescue_every_seconds(policy: DispatchSettings) -> float:
    """How often the dead are looked for: with the lease before it and a look for work after it, 15 s by default."""
    return min(2.0, policy.lease_seconds / 3)


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
        judge: Callable[[Sequence[Work]], None],
        recoveries: Recoveries,
        clock: Clock,
        held: Callable[[], Collection[str]],
    ) -> None:
        """`judge` is given what the dead were sending, `recoveries` is told of it; `held` is what this one works on."""
        self._held = held
        self._judge, self._recoveries, self._clock = judge, recoveries, clock
        self._renewed_at = clock.monotonic()
        self._steady_since = float("-inf")
        self._calendar, self._lanes, self._mode = calendar, lanes, mode
        self._store, self._policy, self._watch, self._wake, self._worker = store, policy, watch, wake, worker
        self._inquirable = {
            (connector.name, operation.name): f"{connector.name}.{operation.inquire}"
            for connector in connectors.values()
            for operation in connector.operations.values()
            if operation.inquire
        }

    async def rescue_leases(self) -> None:
        """Free the jobs of workers that died, and judge at once what they were sending."""
        if not self._may_rescue():
            return
        mine = self._worker if self._store.dialect == "sqlite" else None
        lease_ms, policy = self._lease_ms, self._policy
        found = await self._store.write(recover, mine, policy.poison_after, self._worker, lease_ms, self._lanes.names())
        if found.count:
            self._recoveries.tell(found.count, found.seconds)
            log.warning("leases_rescued", count=found.count, seconds=round(found.seconds, 1))
            self._judge(found.interrupted)
            self._wake()

    async def renew_leases(self) -> None:
        """Say that this worker lives (PostgreSQL; on SQLite the generation says it)."""
        if self._store.dialect == "sqlite":
            return
        await self._store.write(renew, self._worker, self._lease_ms, self._held())
        now = self._clock.monotonic()
        if now - self._renewed_at > self._policy.lease_seconds * 2 / 3:
            self._steady_since = now
        self._renewed_at = now

    @property
    def _lease_ms(self) -> int:
        return int(self._policy.lease_seconds * 1000)

    def _may_rescue(self) -> bool:
        """Whether a lease that ran out tells of a death.

        Not when this worker could not renew its own for a while: then the database was away for all, and those that
        live are given the time to renew theirs first.
        """
        third, now = self._policy.lease_seconds / 3, self._clock.monotonic()
        if self._store.dialect == "sqlite":
            return True
        return now - self._renewed_at <= 2 * third and now - self._steady_since >= third

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

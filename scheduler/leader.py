"""The one leader of the schedule: holds the lead by lease, plans what is due, and runs it; others wait to take over.

Truth is in the database: who leads, what is due, what became of it. A leader that was stopped and goes on after another
took over begins nothing, ends nothing, and its chores write nothing (gateway/store/schedule/fence.py).
"""

import asyncio
from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from gateway.logs import log
from gateway.store.engine import Store
from gateway.store.errors import StoreError
from gateway.store.schedule import fires
from gateway.store.schedule.fence import Fenced, fenced_by
from gateway.store.schedule.fires import Fire
from gateway.store.schedule.lead import hold, resign
from scheduler.planning import Plan, plan
from scheduler.timetable import Entry


class Leader:
    """Leads, or waits to lead, for one process."""

    def __init__(self, store: Store, entries: Iterable[Entry], worker: str, lease_seconds: float) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self.wake: Callable[[], None] = lambda: None  #: Called when a look is worth while before the pause ends.
        self.token: int | None = None  #: None: another one leads, as far as this process knows.
        self._store, self._worker = store, worker
        self._lease_ms = int(lease_seconds * 1000)
        self._running: dict[str, tuple[int, asyncio.Task[None]]] = {}

    async def step(self, only: str | None = None) -> float:
        """Hold the lead, begin what is due; how many seconds until the next look, at most. Raises StoreError.

        With `only`, what is due of the others is left to the next leader.
        """
        alive = {(name, moment) for name, (moment, _) in self._running.items()}
        held = await self._store.write(_hold_and_plan, self.entries, self._worker, self._lease_ms, alive)
        if held is None:
            self._lost()
            return self._lease_ms / 3000
        token, planned = held
        if token != self.token:
            log.info("schedule_leads", worker=self._worker, fence=token)
            self.token = token
        for fire in planned.due:
            entry = self.entries.get(fire.schedule)
            if entry is not None and entry.name not in self._running and only in (None, entry.name):
                self._start(entry, fire, token)
        pause_ms = self._lease_ms / 3 if planned.next_in_ms is None else min(self._lease_ms / 3, planned.next_in_ms)
        return pause_ms / 1000

    async def lead_for(self, name: str) -> bool:
        """Lead until all that is due of one schedule has run; False when another one leads. Raises StoreError."""
        await self.step(name)
        led = self.token is not None
        while tasks := [task for _, task in self._running.values()]:
            await asyncio.wait(tasks, timeout=self._lease_ms / 3000)
            await self.step(name)
        await self.stop(0)
        return led

    async def settled(self) -> None:
        """Wait until what runs now has ended."""
        while self._running:
            await asyncio.wait([task for _, task in self._running.values()])

    async def stop(self, grace_seconds: float) -> None:
        """Let what runs finish within the grace, and lead no more: another one takes over at once.

        What did not finish is begun again by the next leader, or noted as interrupted, as its policy says.
        """
        if tasks := [task for _, task in self._running.values()]:
            await asyncio.wait(tasks, timeout=grace_seconds)
        self._cancel()
        await self.settled()
        if self.token is not None:
            self.token = None
            try:
                await self._store.write(resign, self._worker)
            except StoreError as error:  # then the lease runs out
                log.warning("schedule_not_given_back", error_kind=type(error).__name__)

    def _start(self, entry: Entry, fire: Fire, token: int) -> None:
        task = asyncio.get_running_loop().create_task(self._run(entry, fire, token))
        self._running[entry.name] = fire.fire_time, task
        task.add_done_callback(lambda _: self._ended(entry.name))

    def _ended(self, name: str) -> None:
        del self._running[name]
        self.wake()

    async def _run(self, entry: Entry, fire: Fire, token: int) -> None:
        this = (fire.schedule, fire.fire_time)
        try:
            if not await self._store.write(fires.begin, *this, self._worker, token):
                log.warning("schedule_fenced", schedule=entry.name, fence=token)
                return
            state, code = await _outcome(entry, token)
            if await self._store.write(fires.end, *this, token, state, code):
                log.debug("schedule_ran", schedule=entry.name, state=state, due_at=fire.fire_time, code=code)
            else:
                log.warning("schedule_fenced", schedule=entry.name, fence=token)
        except StoreError as error:  # what became of it could not be written down: the next step finds it open
            log.warning("schedule_failed", schedule=entry.name, error_kind=type(error).__name__)

    def _lost(self) -> None:
        """Another one leads: what runs here is in vain."""
        if self.token is not None:
            log.warning("schedule_lost_the_lead", worker=self._worker, fence=self.token)
            self.token = None
            self._cancel()

    def _cancel(self) -> None:
        for _, task in self._running.values():
            task.cancel()


async def _outcome(entry: Entry, token: int) -> tuple[str, str | None]:
    """Run the chore under the leader's token: what became of it, and why."""
    try:
        with fenced_by(token):
            await entry.chore()
    except Fenced:
        return fires.INTERRUPTED, "fenced"
    except StoreError as error:
        log.warning("schedule_failed", schedule=entry.name, error_kind=type(error).__name__)
        return fires.FAILED, type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever a chore raises, the others go on and the history tells it
        log.error("schedule_failed", schedule=entry.name, exc_info=error)
        return fires.FAILED, str(getattr(error, "code", "")) or type(error).__name__
    return fires.SUCCEEDED, None


def _hold_and_plan(
    conn: Connection, entries: dict[str, Entry], worker: str, lease_ms: int, alive: set[tuple[str, int]]
) -> tuple[int, Plan] | None:
    token = hold(conn, worker, lease_ms)
    if token is None:
        return None
    # a tick that a new leader finds is as old as a failover at most: the lease, and the look after it
    return token, plan(conn, entries, worker, token, alive, on_time_ms=2 * lease_ms)

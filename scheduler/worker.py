"""One worker: its claim loop, its desk for messages of institutions, its sender of webhooks, and its timetable.

They start and end together.
"""

import asyncio

from gateway.callbacks.desk import CallbackDesk
from gateway.dispatch import Dispatcher
from gateway.keeping import Keeping
from gateway.logs import log
from gateway.reconciliation.reconciler import Reconciler
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.upkeep import Upkeep
from gateway.webhooks.sender import Sender
from scheduler.clock import Clockwork
from scheduler.leader import Leader
from scheduler.timetable import timetable


class Worker:
    """Claims and runs work until stopped."""

    def __init__(
        self,
        store: Store,
        worker: str,
        dispatcher: Dispatcher,
        upkeep: Upkeep,
        settings: Settings,
        desk: CallbackDesk,
        keeping: Keeping,
        reconciler: Reconciler,
        sender: Sender,
    ) -> None:
        self._dispatcher, self._upkeep, self._desk, self._sender = dispatcher, upkeep, desk, sender
        self.keeping = keeping
        self.timetable = timetable(upkeep, keeping, reconciler, settings)
        self.leader = Leader(store, self.timetable.entries, worker, settings.dispatch.lease_seconds)
        self._clockwork = Clockwork(self.timetable.pulses, self.leader)
        self._loop: asyncio.Task[None] | None = None

    async def rescue_leases(self) -> None:
        """Free what the dead held."""
        await self._upkeep.rescue_leases()

    async def start(self) -> None:
        """Free what an earlier life of this worker held, then claim and tick."""
        await self.rescue_leases()
        self._clockwork.start()
        self._loop = asyncio.get_running_loop().create_task(self._dispatcher.run())
        self._desk.start()
        await self._sender.start()

    async def stop(self, grace_seconds: float) -> None:
        """Claim no more, and let what runs finish within the grace."""
        parts = (self._clockwork, self._desk, self._dispatcher, self._sender)
        await asyncio.gather(*(part.stop(grace_seconds) for part in parts))
        if self._loop is not None:
            await self._loop

    async def give_back(self, grace_seconds: float) -> None:
        """The end, when nobody hands in work any more: finish what came last, give back what was not sent."""
        await self._dispatcher.stop(grace_seconds)
        released = await self._dispatcher.give_back()
        log.info("worker_stopped", count=released)

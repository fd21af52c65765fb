"""Wakes the timetable's entries by APScheduler; it owns no truth, so a missed or doubled tick does no harm."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from gateway.logs import log
from gateway.store.engine import StoreError
from scheduler.timetable import Entry


class Clockwork:
    """Runs the entries until stopped; an entry never overlaps itself."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._running: set[asyncio.Task[Any] | None] = set()
        for entry in entries:
            self._scheduler.add_job(
                self._guarded(entry.name, entry.chore), IntervalTrigger(seconds=entry.every_seconds), id=entry.name
            )

    def start(self) -> None:
        """Begin to tick in the running event loop."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Tick no more, and let the chore that runs finish its transaction: APScheduler would cancel it."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        await asyncio.sleep(0)  # a chore that was woken already begins
        running = [task for task in self._running if task is not None]
        if running:
            await asyncio.wait(running)
        self._scheduler.shutdown(wait=False)

    def _guarded(self, name: str, chore: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            task = asyncio.current_task()
            self._running.add(task)
            try:
                await chore()
            except StoreError as error:  # the next tick tries again
                log.warning("schedule_failed", schedule=name, error_kind=type(error).__name__)
            finally:
                self._running.discard(task)

        return run

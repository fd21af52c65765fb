"""Wakes the pulses and the leader of this process, by the monotonic clock.

It owns no truth: a leader that is woken asks the database what is due. APScheduler computes the moments of crontab
lines (scheduler/times.py), but does not wake: its timers go by the wall clock, and one that is set back by two hours
would leave every lease of this node unrenewed for two hours.
"""

import asyncio
from collections.abc import Iterable

from gateway.logs import log
from gateway.store.engine import StoreError
from scheduler.leader import Leader
from scheduler.timetable import Pulse


class Clockwork:
    """Runs the pulses and lets the leader look until stopped; a pulse never overlaps itself."""

    def __init__(self, pulses: Iterable[Pulse], leader: Leader) -> None:
        self._pulses, self._leader = tuple(pulses), leader
        self._stopping, self._woken = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to tick in the running event loop."""
        loop = asyncio.get_running_loop()
        self._leader.wake = self._woken.set
        self._tasks = [loop.create_task(self._lead()), *(loop.create_task(self._beat(each)) for each in self._pulses)]

    async def stop(self, grace_seconds: float) -> None:
        """Tick no more; what runs finishes, within the grace, and another node may lead."""
        if not self._tasks:
            return
        self._stopping.set()
        self._woken.set()
        await asyncio.wait(self._tasks)
        self._tasks = []
        await self._leader.stop(grace_seconds)

    async def _beat(self, pulse: Pulse) -> None:
        while not await _set_within(self._stopping, pulse.every_seconds):
            try:
                await pulse.chore()
            except StoreError as error:  # the next beat tries again
                log.warning("pulse_failed", schedule=pulse.name, error_kind=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - a pulse that ended for good would leave leases to run out
                log.error("pulse_failed", schedule=pulse.name, exc_info=error)

    async def _lead(self) -> None:
        pause = 0.0
        while not self._stopping.is_set():
            await _set_within(self._woken, pause)
            self._woken.clear()
            if not self._stopping.is_set():
                pause = await self._look()

    async def _look(self) -> float:
        try:
            return await self._leader.step()
        except StoreError as error:
            log.warning("schedule_failed", schedule="leader", error_kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it was, this node must be able to lead again
            log.error("schedule_failed", schedule="leader", exc_info=error)
        return _AFTER_FAILURE_SECONDS


_AFTER_FAILURE_SECONDS = 1.0


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event was set before the time had passed."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True

"""When a waiting request is expected to be sent: from the queue before it, the lane's pace, and when it opens.

An estimate, believed for a few seconds: nothing is reserved by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt

from gateway.lanes.bulkhead import FIRST_SHARE, Lane, Lanes
from gateway.settings import DispatchSettings
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.queues import Queue, Standing, waiting

_BELIEVED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a lane, for a request that comes now or stands at a place in its queue."""

    waiting: int  #: Due requests before it.
    at: datetime | None  #: UTC; None when the lane opens at no known time.


class Outlooks:
    """Estimates for this process's lanes."""

    def __init__(self, store: Store, lanes: Lanes, policy: DispatchSettings, clock: Clock) -> None:
        self._store, self._lanes, self._policy, self._clock = store, lanes, policy, clock
        self._queues: Mapping[tuple[str, int], Queue] = {}
        self._read_at = float("-inf")

    async def of_new(self, lane: str, priority: int) -> Expected:
        """For a request that would come now."""
        queues = await self._known()
        before = sum(queue.count for (name, urgency), queue in queues.items() if name == lane and urgency <= priority)
        return self._expected(lane, before, self._clock.utcnow())

    async def of_waiting(self, standing: Standing) -> datetime | None:
        """For a request that stands in a queue; None for one that waits for nothing of the kind."""
        if standing.lane not in self._lanes:
            return None
        queues = await self._known()
        before = sum(
            queue.count
            for (name, urgency), queue in queues.items()
            if name == standing.lane and urgency < standing.priority
        )
        own = queues.get((standing.lane, standing.priority))
        before += own.place_of(standing.due_at) if own else 0
        return self._expected(standing.lane, before, datetime.fromtimestamp(standing.due_at / 1000, UTC)).at

    async def _known(self) -> Mapping[tuple[str, int], Queue]:
        now = self._clock.monotonic()
        if now - self._read_at >= _BELIEVED_SECONDS:
            self._read_at = now
            self._queues = await self._store.read(waiting)
        return self._queues

    def _expected(self, name: str, before: int, due: datetime) -> Expected:
        lane, now = self._lanes.lane(name), self._clock.utcnow()
        start = max(now, due, self._lanes.probe_at(name) if lane.is_open_circuit else now)
        opens = self._lanes.opens_at(name)
        if opens is not None:
            start = max(start, opens)
        return Expected(before, lane.opening.after(start, self._seconds_for(lane, before)))

    def _seconds_for(self, lane: Lane, before: int) -> float:
        """How long it takes to send so many, as the lane is now or will be when it opens."""
        pace = lane.places / max(lane.seconds, 0.001)
        if lane.rate is not None:
            pace = min(pace, lane.rate)
        begins = self._policy.ramp_seconds * (0 if lane.is_open_circuit or not lane.window.open else 1)
        share = FIRST_SHARE if begins == 0 else self._lanes.share(lane.name)
        return ramped_seconds(before / pace, share, self._policy.ramp_seconds)


def ramped_seconds(whole_seconds: float, share: float, ramp_seconds: float) -> float:
    """How long work takes that would take `whole_seconds` at full pace, when the pace grows from `share` on.

    It grows in a straight line, from FIRST_SHARE to 1 within `ramp_seconds`.
    """
    if share >= 1 or ramp_seconds <= 0:
        return whole_seconds
    slope = (1 - FIRST_SHARE) / ramp_seconds
    left = (1 - share) / slope
    while_growing = left * (share + 1) / 2
    if whole_seconds >= while_growing:
        return left + whole_seconds - while_growing
    return (sqrt(share * share + 2 * slope * whole_seconds) - share) / slope

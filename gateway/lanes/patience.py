"""How long a request has waited for an institution that could be reached: closed time spends nobody's patience."""

from datetime import UTC, datetime

from gateway.lanes.bulkhead import Lanes
from gateway.lanes.calendar import Opening
from gateway.settings import DispatchSettings
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.lines import find_closures
from gateway.work import Work


class Patience:
    """Counts open time only."""

    def __init__(self, store: Store, lanes: Lanes, clock: Clock) -> None:
        self._store, self._lanes, self._clock = store, lanes, clock

    async def spent_ms(self, work: Work, lane: str, policy: DispatchSettings) -> int:
        """Since the request began to wait in its present state: without the hours, holidays and planned outages in
        which the lane is closed, and without the times for which the institution said by itself that it was."""
        now, since = self._clock.now_ms(), max(work.created_at, work.since)
        if now - since <= policy.max_wait_hours * 3_600_000:
            return now - since
        opening = self._lanes.lane(lane).opening
        spent = _open_ms(opening, since, now)
        for begins, ends in await self._store.read(find_closures, lane):
            if ends > since and begins < now:
                spent -= _open_ms(opening, max(begins, since), min(ends, now))
        return spent


def _open_ms(opening: Opening, since: int, now: int) -> int:
    return round(1000 * opening.open_seconds(_moment(since), _moment(now)))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)

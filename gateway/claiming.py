"""One worker's claim loop: looks for due work, claims what fits into its lanes, and starts it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping

from gateway import crash
from gateway.lanes.bulkhead import Lanes
from gateway.logs import log
from gateway.settings import DispatchSettings
from gateway.store.claims import Turns, claim, look
from gateway.store.clock import Clock
from gateway.store.engine import Store, StoreError
from gateway.store.lines import BreakerPolicy, take_slot, tell_lines
from gateway.work import Work

#: How often a worker reads what the others know of the lanes, at most.
_LINES_SECONDS = 0.25


class Claims:
    """Claims until stopped; also the way into a lane for what cannot wait for a claim."""

    def __init__(
        self,
        store: Store,
        lanes: Lanes,
        policy: DispatchSettings,
        clock: Clock,
        worker: str,
        start: Callable[[Work], None],
    ) -> None:
        """`start` is given every work that was claimed; its lane place is taken."""
        self._store, self._lanes, self._policy, self._clock = store, lanes, policy, clock
        self._worker, self._start = worker, start
        self._wake = asyncio.Event()
        self._stopping = False
        self._behind: set[str] = set()  # where due work waits for a place: whoever leaves one wakes the loop
        self._turns = Turns()
        self._lines_at = float("-inf")

    def wake(self) -> None:
        """Look for due work now."""
        self._wake.set()

    def stop(self) -> None:
        """Claim no more."""
        self._stopping = True
        self._wake.set()

    def leave(self, lane: str) -> None:
        """Give a place back."""
        self._lanes.leave(lane)
        if lane in self._behind:
            self.wake()

    async def run(self) -> None:
        """Claim and start due work until stopped."""
        while not self._stopping:
            self._wake.clear()
            pause = self._policy.poll_seconds
            try:
                pause = await self._claim()
            except StoreError as error:
                log.warning("claim_failed", error_kind=type(error).__name__)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _claim(self) -> float:
        """Start what is due and fits; seconds until the next look."""
        await self._tell_lines()
        outlook = await self._store.read(look, self._lately_ms())
        if outlook.lines is not None:
            self._lanes.learn(outlook.lines)
        self._behind = set(outlook.lanes)
        # reserved, so that an accept in between cannot take the same place
        places = {lane: free for lane in outlook.lanes if (free := self._lanes.enter_all(lane))}
        taken: Counter[str] = Counter()
        if places:
            try:
                taken = await self._take(places)
            finally:
                for lane, reserved in places.items():
                    self._lanes.leave(lane, reserved - taken[lane])
        self._behind = {lane for lane in outlook.lanes if self._lanes.is_full(lane)}
        pause = min(self._policy.poll_seconds, self._lanes.next_look_seconds(outlook.lanes))
        return pause if outlook.next_due_in_ms is None else min(pause, outlook.next_due_in_ms / 1000)

    def _lately_ms(self) -> int | None:
        """How far back to look for lanes that recovered, when it is time to look for such; else None."""
        now = self._clock.monotonic()
        if now - self._lines_at < _LINES_SECONDS:
            return None
        self._lines_at = now
        return int(self._policy.ramp_seconds * 1000)

    async def _tell_lines(self) -> None:
        """Let all workers know what this one saw of its lanes."""
        changes = self._lanes.changes()
        if not changes:
            return
        policy = self._policy
        breaker = BreakerPolicy(
            first_ms=int(policy.breaker_first_seconds * 1000),
            most_ms=int(policy.breaker_max_seconds * 1000),
            successes=policy.breaker_successes,
            calm_ms=int(policy.ramp_seconds * 1000),
        )
        try:
            told = await self._store.write(tell_lines, changes, breaker)
        except StoreError:
            self._lanes.retell(changes)
            raise
        self._lines_at = float("-inf")
        for lane, state in told.items():
            log.warning("breaker", lane=lane, state=state)

    async def _take(self, places: Mapping[str, int]) -> Counter[str]:
        """Claim and start; how many of each lane."""
        limits, lease_ms = self._lanes.limits(places), int(self._policy.lease_seconds * 1000)
        works = await self._store.write(
            claim, self._worker, places, lease_ms, limits, self._turns, self._policy.poison_after
        )
        if works:
            crash.point("claim.after_commit")
        for work in works:
            self._lanes.probes(work.lane)
            self._start(work)
        return Counter(work.lane for work in works)

    async def enter(self, lane: str) -> bool:
        """Take a place for an exchange that cannot wait, within the lane's rate; whether there was one."""
        if self._lanes.try_enter(lane):
            return True
        limit = self._lanes.enter_paced(lane)
        if limit is None:
            return False
        entered = False
        try:
            entered = await self._store.write(take_slot, lane, limit)
        finally:
            if not entered:
                self._lanes.leave(lane)
        return entered

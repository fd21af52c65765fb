"""What a worker has in hand: only those leases are renewed; and how a job is put down at which it failed."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable

from gateway.logs import log
from gateway.store.callbacks import let_go
from gateway.store.engine import Store, StoreError
from gateway.store.stumbles import stumble
from gateway.work import Work

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Hand:
    """The works of one worker, by their requests."""

    def __init__(self, store: Store, poison_after: int, wake: Callable[[], None]) -> None:
        self._store, self._poison_after, self._wake = store, poison_after, wake
        self._works: Counter[str] = Counter()

    def take(self, work: Work) -> None:
        """It is worked on from now on."""
        self._works[work.request_id] += 1

    def leave(self, work: Work) -> None:
        """It is not any more."""
        self._works -= Counter([work.request_id])

    def requests(self) -> frozenset[str]:
        """Whose leases are to be renewed."""
        return frozenset(self._works)

    async def stumbled(self, work: Work, error: Exception) -> None:
        """The job is tried again later, and set aside when that has happened too often.

        What the database did is no fault of the request: the job is only given back, as soon as that can be written.
        """
        log.error("work_failed", request_id=work.request_id, exc_info=error)
        if not isinstance(error, StoreError):
            with contextlib.suppress(StoreError):
                became = await self._store.write(stumble, work.request_id, work.token, self._poison_after)
                log.warning("stumbled", request_id=work.request_id, state=became)
                return
        await self._give_back(work)

    async def _give_back(self, work: Work) -> None:
        """Again and again until it is written: nobody else takes it as long as this worker lives."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._store.write(let_go, work.request_id, work.token)
            except StoreError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                self._wake()
                return

"""Tells those who wait for a request (`Prefer: wait`, event streams) that it changed, within this process."""

import asyncio
from collections.abc import Iterable


class Watch:
    """Wakes waiters by request id. A change in another process is seen by the waiter's own slow poll."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}

    async def wait(self, request_id: str, *, timeout_seconds: float) -> bool:
        """True as soon as the request changes, False after the timeout."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(request_id, set()).add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=timeout_seconds)
            return waiter.done()
        finally:
            waiters = self._waiters.get(request_id)
            if waiters is not None:
                waiters.discard(waiter)
                if not waiters:
                    del self._waiters[request_id]

    def publish(self, request_ids: Iterable[str]) -> None:
        """Called after COMMIT for every request that changed."""
        for request_id in request_ids:
            for waiter in self._waiters.get(request_id, ()):
                if not waiter.done():
                    waiter.set_result(None)

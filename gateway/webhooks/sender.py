"""Sends what waits: each address has places of its own, so that one that is dead or slow holds up no other.

Rows hold the truth. A worker takes some, sends them, and writes down what came of it; whoever dies in between leaves
them to the next look, and the receiver knows the event again by its id.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from functools import partial

from gateway.logs import log
from gateway.store.engine import Store, StoreError
from gateway.store.webhooks.deliveries import Due, Sent, due_endpoints, record, release, take
from gateway.store.webhooks.subscribers import listening_channels
from gateway.webhooks.post import Post, Told
from gateway.webhooks.settings import WebhookSettings

#: Until another worker takes what one holds: longer than a try may last.
_LEASE_OVER_DEADLINE = 2.0
#: What was written is committed soon after the word of it came.
_COMMIT_SECONDS = 0.02
_LEARN_SECONDS = 2.0
_JITTER = 0.1


class Sender:
    """One worker's part in telling channels."""

    def __init__(
        self, store: Store, post: Post, settings: WebhookSettings, monotonic: Callable[[], float], worker: str,
        *, poll_seconds: float,
    ) -> None:  # fmt: skip
        self._store, self._post, self._settings = store, post, settings
        self._monotonic, self._worker, self._poll_seconds = monotonic, worker, poll_seconds
        self._lease_ms = int(1000 * _LEASE_OVER_DEADLINE * settings.deadline_seconds)
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._learnt_at = float("-inf")

    async def start(self) -> None:
        """Begin to look. On SQLite nobody else can live, so what others held is free at once."""
        if self._store.dialect == "sqlite":
            await self._store.write(lambda conn: release(conn, self._worker, others=True))
        loop = asyncio.get_running_loop()
        self._store.subscribers.on_news(lambda: loop.call_soon_threadsafe(self._wake.set))
        await self.learn()
        self._loop = loop.create_task(self._run())

    async def stop(self, grace_seconds: float) -> None:
        """Take no more; finish within the grace what is under way, and give back what is cut off."""
        self._store.subscribers.on_news(None)
        self._stopping = True
        self._wake.set()
        if self._loop is None:
            return
        await self._loop
        if self._lanes:
            await asyncio.wait(tuple(self._lanes.values()), timeout=grace_seconds)
        late = tuple(self._lanes.values())
        for lane in late:
            lane.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(StoreError):  # then it falls due by itself
            await self._store.write(release, self._worker)

    async def learn(self) -> None:
        """Read anew who listens."""
        self._store.subscribers.learn(await self._store.read(listening_channels))
        self._learnt_at = self._monotonic()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                if self._monotonic() - self._learnt_at >= _LEARN_SECONDS:
                    await self.learn()
                if self._store.subscribers.some:
                    await self._open_lanes()
            except StoreError as error:
                log.warning("webhooks_failed", error_kind=type(error).__name__)
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._wake.wait()
                    await asyncio.sleep(_COMMIT_SECONDS)
            except TimeoutError:
                continue

    async def _open_lanes(self) -> None:
        for endpoint_id in await self._store.read(due_endpoints):
            if endpoint_id not in self._lanes and not self._stopping:
                lane = asyncio.get_running_loop().create_task(self._lane(endpoint_id))
                self._lanes[endpoint_id] = lane
                lane.add_done_callback(partial(self._closed, endpoint_id))

    def _closed(self, endpoint_id: str, _lane: asyncio.Task[None]) -> None:
        self._lanes.pop(endpoint_id, None)

    async def _lane(self, endpoint_id: str) -> None:
        """Send to one address until nothing is due there."""
        sending: set[asyncio.Task[None]] = set()
        try:
            while True:
                free = 0 if self._stopping else self._settings.places - len(sending)
                for due in await self._take(endpoint_id, free) if free else ():
                    sending.add(asyncio.get_running_loop().create_task(self._send(due)))
                if not sending:
                    return
                done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        except StoreError as error:
            log.warning("webhooks_failed", error_kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one address must not stop the others
            log.error("webhook_lane_failed", exc_info=error)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _take(self, endpoint_id: str, most: int) -> list[Due]:
        return await self._store.write(take, endpoint_id, self._worker, most, self._lease_ms)

    async def _send(self, due: Due) -> None:
        told = await self._post.carry(due)
        sent = Sent(
            due,
            told.at,
            told.milliseconds,
            told.outcome,
            told.http_status,
            delivered=told.delivered,
            retry_in_ms=self._retry_in_ms(due, told),
            gone=told.http_status == 410,
            patience_ms=int(self._settings.disable_after_days * 86_400_000),
        )
        try:
            recorded = await self._store.write(record, sent)
        except StoreError as error:  # it falls due again, and the receiver knows it by its id
            log.warning("webhooks_failed", error_kind=type(error).__name__)
            return
        log.info(
            "webhook",
            channel=due.channel_id,
            request_id=due.request_id,
            attempt=due.number,
            milliseconds=told.milliseconds,
            status=told.http_status,
            reason=told.outcome,
            state=recorded.state if recorded else None,
        )
        if recorded is not None and (recorded.tripped or recorded.state == "failed" or recorded.off):
            log.error("webhook_receiver_fails", channel=due.channel_id, reason=told.outcome, state=recorded.state)

    def _retry_in_ms(self, due: Due, told: Told) -> int:
        """By the schedule, a little spread; later when the receiver wishes it."""
        schedule = self._settings.retry_seconds
        seconds = schedule[min(due.waits, len(schedule) - 1)] * random.uniform(1, 1 + _JITTER)  # noqa: S311 - no secret
        return int(1000 * max(seconds, told.retry_after_seconds))

"""Looks at the messages that wait for a verdict, as they come and again when what they wait for has happened."""

import asyncio

from gateway.callbacks.judge import Judge
from gateway.logs import log
from gateway.store.callbacks import Kept, next_due_in, postpone, take_due
from gateway.store.engine import Store, StoreError
from gateway.watch import Watch

_AT_ONCE = 20
_LEASE_MS = 15_000  #: Whoever takes longer over one message may be overtaken; the request's own fence holds.
_WATCHED_SECONDS = 30.0
_MOST_WATCHED = 1000


class CallbackDesk:
    """One worker's part in judging messages."""

    def __init__(self, store: Store, judge: Judge, watch: Watch, *, poll_seconds: float, awake: bool) -> None:
        """`awake` is false where no institution sends messages: then nothing runs."""
        self._store, self._judge, self._watch = store, judge, watch
        self._poll_seconds, self._awake = poll_seconds, awake
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None
        self._watching: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """A message came."""
        self._wake.set()

    def start(self) -> None:
        """Begin to look."""
        if self._awake:
            self._loop = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, grace_seconds: float) -> None:
        """Finish the message at hand within the grace, and look at no more; one that is cut off falls due again."""
        self._stopping = True
        self._wake.set()
        watching = list(self._watching.values())
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        if self._loop is not None:
            _, late = await asyncio.wait([self._loop], timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(self._loop, return_exceptions=bool(late))
            self._loop = None

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            pause = self._poll_seconds
            try:
                pause = await self._look()
            except StoreError as error:
                log.warning("callbacks_failed", error_kind=type(error).__name__)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _look(self) -> float:
        """Judge what is due; seconds until the next look."""
        due = await self._store.read(next_due_in)
        if due is None or due > 0:
            return self._poll_seconds if due is None else min(self._poll_seconds, due / 1000)
        for kept in await self._store.write(take_due, _AT_ONCE, _LEASE_MS):
            await self._judge_one(kept)
            if self._stopping:
                break
        return 0.0

    async def _judge_one(self, kept: Kept) -> None:
        try:
            waits_for = await self._judge.judge(kept)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 (one message that cannot be judged must not stop the others)
            log.error("callback_failed", connector=kept.institution, attempt=kept.tries, exc_info=error)
            return
        if waits_for is not None and kept.id not in self._watching and len(self._watching) < _MOST_WATCHED:
            task = asyncio.get_running_loop().create_task(self._when_settled(kept.id, waits_for))
            self._watching[kept.id] = task
            task.add_done_callback(lambda _: self._watching.pop(kept.id, None))

    async def _when_settled(self, callback_id: str, request_id: str) -> None:
        """Look at once when the request moves in this process; otherwise the message falls due by itself."""
        if await self._watch.wait(request_id, timeout_seconds=_WATCHED_SECONDS):
            try:
                await self._store.write(postpone, callback_id, 0)
            except StoreError as error:
                log.warning("callbacks_failed", error_kind=type(error).__name__)
            self._wake.set()

"""Gathers rows that wait for the same store function, so that they go to the database in one call.

A flusher runs per function while rows wait for it, and it takes them at the last moment: when the database has time for
them. So a lone row never waits for company, and under load the batches grow by themselves.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

#: A batch store function: one result per row, aligned.
BatchFunction = Callable[[Connection, Sequence[Any]], Sequence[Any]]
#: Gives the rows of a batch; calling it closes the batch, from any thread. The same rows however often it is called.
Take = Callable[[], list[Any]]

MAX_ROWS = 256


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of a row or job that raised, told apart from every value that a function may return."""

    error: BaseException


@dataclass(slots=True)
class _Line:
    """The rows that wait for one function, and how many flushers are at work on them."""

    waiting: deque[tuple[Any, asyncio.Future[Any]]] = field(default_factory=deque)
    flushers: int = 0


@dataclass(slots=True)
class _Batch:
    """What one flush takes from its line."""

    line: _Line
    taken: list[tuple[Any, asyncio.Future[Any]]] | None = None

    def take(self) -> list[Any]:
        if self.taken is None:
            waiting = self.line.waiting
            pairs = [waiting.popleft() for _ in range(min(len(waiting), MAX_ROWS))]
            self.taken = [(row, future) for row, future in pairs if not future.done()]
        return [row for row, _ in self.taken]


class Batcher:
    """Hands batches to `flush`, which gives one outcome per row (a value or `Failed`) after COMMIT; answers callers."""

    def __init__(self, flush: Callable[[BatchFunction, Take], Awaitable[Sequence[Any]]], *, flushers: int) -> None:
        """At most `flushers` flushes run at a time for one function."""
        self._flush = flush
        self._flushers = flushers
        self._lines: dict[BatchFunction, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, fn: BatchFunction, row: Any) -> asyncio.Future[Any]:
        """A future of the row's result. A caller that goes away before its row is taken withdraws the row."""
        line = self._lines.get(fn)
        if line is None:
            line = self._lines[fn] = _Line()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        line.waiting.append((row, future))
        if line.flushers < self._flushers:
            line.flushers += 1
            task = loop.create_task(self._drain(fn, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _drain(self, fn: BatchFunction, line: _Line) -> None:
        try:
            await asyncio.sleep(0)  # what is ready to leave for an institution goes first: that wait is the longer one
            while line.waiting:
                await self._flush_batch(fn, _Batch(line))
        finally:
            line.flushers -= 1

    async def _flush_batch(self, fn: BatchFunction, batch: _Batch) -> None:
        outcomes: Sequence[Any] = ()
        try:
            outcomes = await self._flush(fn, batch.take)
        except BaseException as error:
            outcomes = [Failed(error)] * len(batch.take())
            if not isinstance(error, Exception):
                raise
        finally:
            for (_, future), outcome in zip(batch.taken or (), outcomes, strict=True):
                answer(future, outcome)

    async def finish(self) -> None:
        """Wait until every row that was submitted is answered."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))


def answer(future: asyncio.Future[Any], outcome: Any) -> None:
    """Give a caller its outcome, unless it has gone away."""
    if future.done():
        return
    if isinstance(outcome, Failed):
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)


def aligned(fn: BatchFunction, conn: Connection, rows: Sequence[Any]) -> Sequence[Any]:
    """Call `fn`; raises RuntimeError when it does not give exactly one result per row."""
    if not rows:  # all who waited have gone away
        return []
    results = fn(conn, rows)
    if len(results) != len(rows):
        raise RuntimeError(f"{fn.__name__} gave {len(results)} results for {len(rows)} rows")
    return results

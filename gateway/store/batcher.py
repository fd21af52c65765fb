"""Gathers rows that wait for the same store function, so that they go to the database in one call.

A flusher runs per function while rows wait for it: whatever gathered during one flush goes in the next. So a lone row
never waits for company, and under load the batches grow by themselves.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

#: A batch store function: one result per row, aligned.
BatchFunction = Callable[[Connection, Sequence[Any]], Sequence[Any]]

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


class Batcher:
    """Hands rows to `flush`, which gives one outcome per row (a value or `Failed`) after COMMIT; answers callers."""

    def __init__(self, flush: Callable[[BatchFunction, list[Any]], Awaitable[Sequence[Any]]], *, flushers: int) -> None:
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
            while line.waiting:
                taken = [line.waiting.popleft() for _ in range(min(len(line.waiting), MAX_ROWS))]
                live = [(row, future) for row, future in taken if not future.done()]
                if live:
                    await self._flush_rows(fn, live)
        finally:
            line.flushers -= 1

    async def _flush_rows(self, fn: BatchFunction, live: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        try:
            outcomes = await self._flush(fn, [row for row, _ in live])
        except BaseException as error:
            outcomes = [Failed(error)] * len(live)
            if not isinstance(error, Exception):
                raise
        finally:
            for (_, future), outcome in zip(live, outcomes, strict=True):
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
    results = fn(conn, rows)
    if len(results) != len(rows):
        raise RuntimeError(f"{fn.__name__} gave {len(results)} results for {len(rows)} rows")
    return results

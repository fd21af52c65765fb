"""The batcher alone: when a batch is closed, who is in it, and what becomes of those who left."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from gateway.store.batcher import Batcher, BatchFunction, Take


def double(_conn: Connection, rows: Sequence[Any]) -> list[Any]:
    return [2 * row for row in rows]


class Database:
    """Takes the rows of a batch only when it is let."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.batches: list[list[Any]] = []

    async def flush(self, fn: BatchFunction, take: Take) -> Sequence[Any]:
        await self.free.wait()
        self.batches.append(take())
        return fn(None, take())  # type: ignore[arg-type]  # it needs no connection


async def test_a_batch_takes_its_rows_when_the_database_has_time_for_them():
    database = Database()
    batcher = Batcher(database.flush, flushers=1)
    first = batcher.submit(double, 1)
    await asyncio.sleep(0)  # the flush has begun, and the database is busy
    later = [batcher.submit(double, row) for row in (2, 3)]

    database.free.set()

    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert database.batches == [[1, 2, 3]]


async def test_a_row_whose_caller_went_away_before_it_was_taken_is_not_written():
    database = Database()
    batcher = Batcher(database.flush, flushers=1)
    gone, stays = batcher.submit(double, 1), batcher.submit(double, 2)
    await asyncio.sleep(0)
    gone.cancel()

    database.free.set()

    assert await stays == 4
    assert database.batches == [[2]]


async def test_a_flush_that_fails_before_it_took_rows_fails_those_that_waited():
    async def broken(_fn: BatchFunction, _take: Take) -> Sequence[Any]:
        raise ConnectionError("gone")

    batcher = Batcher(broken, flushers=1)
    outcomes = await asyncio.gather(*(batcher.submit(double, row) for row in (1, 2)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    await batcher.finish()

"""The promises of Store, on both databases."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import Store, StoreError, open_store
from gateway.store.tables import owner, tokens
from tests.conftest import Database
from tests.unit.gateway.store.counters import (
    add,
    add_all,
    add_or_orphan,
    count_up,
    counted,
    largest_batch,
    names,
    orphan,
    until,
)


def _generation(conn: Connection) -> int:
    return int(conn.execute(select(owner.c.generation)).scalar_one())


async def test_every_start_has_a_higher_generation(database: Database, keyring: Keyring, clock: Clock) -> None:
    first = await open_store(database.url, keyring, clock)
    await first.close()
    second = await open_store(database.url, keyring, clock)
    assert second.generation == first.generation + 1 == await second.read(_generation)
    await second.close()


async def test_a_write_gives_the_functions_result_and_a_later_read_sees_it(store: Store) -> None:
    assert await store.write(add, "one") == "one"
    assert await store.read(names) == {"one"}


async def test_a_failing_write_among_others_fails_alone(store: Store) -> None:
    await store.write(add, "twice")
    writes = [store.write(add, name) for name in ("a", "twice", "b", "twice", "c")]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, IntegrityError, str, IntegrityError, str]
    assert await store.read(names) == {"twice", "a", "b", "c"}


async def test_what_a_failing_function_wrote_is_undone(store: Store) -> None:
    def half(conn: Connection) -> None:
        add(conn, "half")
        raise LookupError("no")

    with pytest.raises(LookupError):
        await store.write(half)
    assert await store.read(names) == set()


async def test_nobody_is_answered_before_commit(store: Store) -> None:
    """The function succeeds and COMMIT fails: had it been answered early, the caller would have a result."""
    with pytest.raises(IntegrityError):
        await store.write(orphan, "k")


async def test_a_write_that_only_commit_refuses_fails_alone(store: Store) -> None:
    writes = [store.write(add, "a"), store.write(orphan, "k"), store.write(add, "b")]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, IntegrityError, str]
    assert await store.read(names) == {"a", "b"}


async def test_rows_that_wait_together_go_in_one_batch_and_each_gets_its_own_result(store: Store) -> None:
    wanted = [f"row{number}" for number in range(100)]
    results = await asyncio.gather(*(store.batch(add_all, name) for name in wanted))
    assert results == [name.upper() for name in wanted]
    assert await store.read(names) == set(wanted)
    assert await store.read(largest_batch) > 10


async def test_a_bad_row_of_a_batch_fails_alone(store: Store) -> None:
    await store.write(add, "taken")
    rows = ["a", "b", "taken", "c"]
    outcomes = await asyncio.gather(*(store.batch(add_all, row) for row in rows), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, str, IntegrityError, str]
    assert await store.read(names) == {"taken", "a", "b", "c"}


async def test_a_row_that_only_commit_refuses_fails_alone(store: Store) -> None:
    rows = ["a", "orphan", "b"]
    outcomes = await asyncio.gather(*(store.batch(add_or_orphan, row) for row in rows), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, IntegrityError, str]
    assert await store.read(names) == {"a", "b"}


async def test_a_batch_function_that_loses_a_result_is_an_error_and_stores_nothing(store: Store) -> None:
    def forgetful(conn: Connection, rows: Sequence[str]) -> list[str]:
        return add_all(conn, rows)[1:]

    outcomes = await asyncio.gather(*(store.batch(forgetful, row) for row in "abc"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError] * 3
    assert await store.read(names) == set()


async def test_a_result_that_is_an_exception_is_a_result(store: Store) -> None:
    def judge(_conn: Connection, rows: Sequence[str]) -> list[Exception]:
        return [ValueError(row) for row in rows]

    results = await asyncio.gather(*(store.batch(judge, row) for row in "ab"))
    assert [str(result) for result in results] == ["a", "b"]


async def test_s4_eight_tasks_that_count_lose_no_update(store: Store) -> None:
    await store.write(add, "counter")

    async def task() -> None:
        for _ in range(25):
            await store.write(count_up, "counter")

    await asyncio.gather(*(task() for _ in range(8)))
    assert await store.read(counted, "counter") == 200


async def test_reading_refuses_to_write(store: Store) -> None:
    with pytest.raises((DBAPIError, StoreError)):
        await store.read(add, "sly")
    assert await store.read(names) == set()


async def test_a_cancelled_callers_write_goes_on(store: Store) -> None:
    caller = asyncio.create_task(store.write(add, "kept"))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    async def kept() -> bool:
        return "kept" in await store.read(names)

    await until(kept)


async def test_closing_answers_what_waits_and_refuses_what_comes(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    store = await open_store(database.url, keyring, clock)
    waiting = [asyncio.ensure_future(store.batch(add_all, name)) for name in "abc"]
    waiting.append(asyncio.ensure_future(store.write(add, "d")))
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*waiting) == ["A", "B", "C", "d"]
    for refused in (store.write(add, "late"), store.batch(add_all, "late"), store.read(names)):
        with pytest.raises(StoreError, match="closed"):
            await refused


async def test_a_store_for_reading_changes_nothing_and_needs_no_ownership(
    database: Database, keyring: Keyring, store: Store
) -> None:
    await store.write(add, "one")
    reader = await open_store(database.url, keyring, Clock(), read_only=True)
    assert await reader.read(names) == {"one"}
    with pytest.raises(StoreError, match="reading only"):
        await reader.write(add, "two")
    with pytest.raises(StoreError, match="reading only"):
        await reader.batch(add_all, "two")
    await reader.close()


async def test_parameters_stand_in_no_error(store: Store) -> None:
    def wrong(conn: Connection) -> None:
        conn.execute(insert(tokens).values(name=None, value=b"canary", expires_at=4711, fetching_until=0))

    with pytest.raises(IntegrityError) as caught:
        await store.write(wrong)
    assert "4711" not in str(caught.value).split("DETAIL")[0]
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://root@localhost/jisr", "only sqlite and postgresql"),
        ("sqlite://", "names no file"),
        ("sqlite:////nowhere/at/all/jisr.db", "folder /nowhere/at/all of the database does not exist"),
    ],
)
async def test_a_wrong_url_is_one_clear_sentence(url: str, sentence: str, keyring: Keyring, clock: Clock) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        await open_store(url, keyring, clock)
    assert "\n" not in str(caught.value)

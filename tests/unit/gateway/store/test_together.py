"""Writes that go as one step: the same rows on both databases, one round trip where there are any."""

import pytest
from sqlalchemy import Connection, select, update

from gateway.store.tables import owner, tokens
from gateway.store.together import Guard, Write, rows_of, write_guarded, write_together

ROW = {"value": None, "expires_at": 1, "fetching_until": 0}
_LATER = Write(
    lambda given: (
        update(tokens).where(tokens.c.name == given("key")).values(expires_at=tokens.c.expires_at + given("more"))
    ),
    {"key": tokens.c.name, "more": tokens.c.expires_at},
)
_UNEXPIRED = Guard(
    lambda given: select(tokens.c.name).where(tokens.c.name == given("key"), tokens.c.expires_at >= given("least")),
    {"key": tokens.c.name, "least": tokens.c.expires_at},
)


def _write_if(conn: Connection, *least: int) -> bool:
    """Prolong both old tokens and insert a third, if each expires at `least` or later."""
    guarded = [{"key": f"old-{number}", "least": each} for number, each in enumerate(least, start=1)]
    return write_guarded(
        conn, _UNEXPIRED, guarded, (_LATER, [{"key": "old-1", "more": 10}]), rows_of(tokens, [{"name": "third", **ROW}])
    )


def _write(conn: Connection) -> None:
    """An insert of three rows, an update of two others, and of a table that has nothing to write."""
    conn.execute(tokens.insert(), [{"name": name, **ROW} for name in ("old-1", "old-2")])
    write_together(
        conn,
        rows_of(tokens, [{"name": f"new-{number}", **ROW, "value": b"secret"} for number in range(3)]),
        (_LATER, [{"key": "old-1", "more": 10}, {"key": "old-2", "more": 20}]),
        rows_of(owner, []),
    )


async def test_a_step_writes_every_row(store):
    await store.write(_write)
    rows = await store.read(lambda conn: conn.execute(select(tokens.c.name, tokens.c.expires_at)).all())

    assert dict(rows) == {"old-1": 11, "old-2": 21, "new-0": 1, "new-1": 1, "new-2": 1}


async def test_a_sealed_column_is_sealed_in_a_step_too(store):
    await store.write(_write)
    raw = "SELECT value FROM tokens WHERE name = 'new-0'"

    kept = await store.read(lambda conn: conn.exec_driver_sql(raw).scalar_one())
    told = await store.read(
        lambda conn: conn.execute(select(tokens.c.value).where(tokens.c.name == "new-0")).scalar_one()
    )

    assert b"secret" not in kept
    assert told == b"secret"


async def test_nothing_to_write_is_nothing(store):
    await store.write(lambda conn: write_together(conn, rows_of(tokens, []), (_LATER, [])))

    assert await store.read(lambda conn: conn.execute(select(tokens.c.name)).all()) == []


async def test_a_step_that_breaks_a_constraint_writes_nothing(store):
    twice = [{"name": "same", **ROW}, {"name": "same", **ROW}]

    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda conn: write_together(conn, rows_of(owner, []), rows_of(tokens, twice)))

    assert await store.read(lambda conn: conn.execute(select(tokens.c.name)).all()) == []


@pytest.mark.parametrize(
    ("least", "written"),
    [
        ((1, 1), {"old-1": 11, "old-2": 1, "third": 1}),
        ((1,), {"old-1": 11, "old-2": 1, "third": 1}),
        ((1, 2), {"old-1": 1, "old-2": 1}),  # one of them is not found, so nothing is written
        ((2, 2), {"old-1": 1, "old-2": 1}),
    ],
)
async def test_a_guarded_step_writes_all_when_everything_is_found_and_else_nothing(store, least, written):
    olds = [{"name": name, **ROW} for name in ("old-1", "old-2")]
    await store.write(lambda conn: conn.execute(tokens.insert(), olds))

    assert await store.write(_write_if, *least) is ("third" in written)
    rows = await store.read(lambda conn: conn.execute(select(tokens.c.name, tokens.c.expires_at)).all())
    assert dict(rows) == written


async def test_a_guarded_step_that_breaks_a_constraint_writes_nothing_and_says_so(store):
    there = [{"name": name, **ROW} for name in ("old-1", "old-2", "third")]
    await store.write(lambda conn: conn.execute(tokens.insert(), there))

    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(_write_if, 1, 1)
    rows = await store.read(lambda conn: conn.execute(select(tokens.c.expires_at)).all())
    assert rows == [(1,)] * 3


async def test_a_guarded_step_is_undone_with_the_transaction_that_went_before_it(store):
    def write_and_fail(conn: Connection) -> None:
        conn.execute(tokens.insert(), [{"name": name, **ROW} for name in ("old-1", "old-2")])
        assert _write_if(conn, 1, 1)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(write_and_fail)
    assert await store.read(lambda conn: conn.execute(select(tokens.c.name)).all()) == []

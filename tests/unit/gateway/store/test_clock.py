"""Time in SQL: whose clock it is, and what moves it."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from gateway.store.clock import Clock, SteppedClock, process_clock, sql_now
from gateway.store.engine import Store


def _sql_now(conn: Connection) -> int:
    return int(conn.execute(select(sql_now(conn))).scalar_one())


async def test_sql_now_is_now_in_milliseconds(store: Store) -> None:
    assert abs(await store.read(_sql_now) - time.time() * 1000) < 10_000
    assert abs(await store.write(_sql_now) - time.time() * 1000) < 10_000


async def test_advancing_the_clock_advances_sql_now(store: Store, clock: Clock) -> None:
    before = await store.read(_sql_now)
    clock.advance(3600)
    assert 3_600_000 <= await store.read(_sql_now) - before < 3_660_000


@pytest.mark.parametrize("hours", [2, -2])
async def test_d9_a_jump_of_a_nodes_wall_clock_does_not_move_the_time_that_nodes_share(
    hours: int, store: Store, clock: Clock
) -> None:
    """On SQLite there is one process, and its generation stands for the lease: its own clock is what counts."""
    before = await store.read(_sql_now)
    clock.jump(hours * 3600)
    moved = await store.read(_sql_now) - before
    expected = hours * 3_600_000 if store.dialect == "sqlite" else 0
    assert expected <= moved < expected + 60_000


def test_a_jump_leaves_the_monotonic_clock_alone() -> None:
    clock = Clock()
    before = clock.monotonic()
    clock.jump(-7200)
    assert 0 <= clock.monotonic() - before < 60
    clock.advance(100)
    assert 100 <= clock.monotonic() - before < 160


def test_utcnow_and_now_ms_are_the_same_aware_moment() -> None:
    clock = Clock()
    clock.advance(1000)
    assert abs(clock.utcnow().timestamp() * 1000 - clock.now_ms()) < 10_000
    assert clock.utcnow().tzinfo is not None


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        Clock().advance(-1)


def test_only_a_test_setting_lets_a_file_step_a_process_s_clock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CLOCK_OFFSET_FILE", raising=False)
    assert type(process_clock()) is Clock
    file = tmp_path / "offset"
    monkeypatch.setenv("CLOCK_OFFSET_FILE", str(file))
    clock = process_clock()
    assert isinstance(clock, SteppedClock)
    assert abs(clock.now_ms() - time.time() * 1000) < 60_000, "the file has not come yet"
    file.write_text("7200000")
    stepped = SteppedClock(file)
    before = stepped.monotonic()
    assert 7_200_000 <= stepped.now_ms() - time.time() * 1000 + 1 < 7_260_000
    assert stepped.monotonic() - before < 60

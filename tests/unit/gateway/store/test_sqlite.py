"""What only SQLite has: ownership, durability settings, a full disk, backup and checkpoint beside the writers."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import Connection

from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import StorageFull, Store, StoreError, open_store
from gateway.store.owner import refuse_network_file_system
from gateway.store.sqlite import has_wal_reset_fault
from tests.conftest import Database
from tests.unit.gateway.store.counters import add, add_all, count_up, counted, names


@pytest.fixture
def dialect() -> str:
    """This file is about one database only."""
    return "sqlite"


OWNER = """
import asyncio, sys
from pathlib import Path
from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import open_store

async def main():
    await open_store(sys.argv[1], Keyring.load(Path(sys.argv[2])), Clock())
    print("owned", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_s5_a_database_of_another_running_process_is_refused_until_it_dies(
    database: Database, keyring: Keyring, keyring_path: Path, clock: Clock
) -> None:
    command = [sys.executable, "-c", OWNER, database.url, str(keyring_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:  # noqa: ASYNC220 - its first line is waited for
        assert other.stdout is not None
        assert other.stdout.readline() == b"owned\n"
        with pytest.raises(StoreError, match=f"is owned by the running process {other.pid}$"):
            await open_store(database.url, keyring, clock)
        other.send_signal(signal.SIGKILL)
        other.wait()
    store = await open_store(database.url, keyring, clock)
    await store.close()


async def test_s5_a_second_owner_in_the_same_process_is_refused_too(
    database: Database, keyring: Keyring, store: Store
) -> None:
    with pytest.raises(StoreError, match=f"is owned by the running process {os.getpid()}$"):
        await open_store(database.url, keyring, Clock())
    await store.write(add, "still mine")


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_s5_a_network_file_system_is_refused(kind: str) -> None:
    mountinfo = (
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"40 21 0:50 / /srv/shared\\040disk rw,relatime shared:2 - {kind} server:/export rw\n"
        "41 21 0:51 / /srv/local rw - ext4 /dev/sdb1 rw\n"
    )
    with pytest.raises(StoreError, match=kind):
        refuse_network_file_system(Path("/srv/shared disk/jisr/jisr.db"), mountinfo)
    refuse_network_file_system(Path("/srv/local/jisr.db"), mountinfo)
    refuse_network_file_system(Path("/srv/shared/jisr.db"), mountinfo)


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 9), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_s5_versions_with_the_wal_reset_fault_are_known(version: tuple[int, int, int], faulty: bool) -> None:
    assert has_wal_reset_fault(version) is faulty


def test_the_driver_that_is_installed_has_no_wal_reset_fault() -> None:
    assert not has_wal_reset_fault(dbapi2.sqlite_version_info)


@pytest.mark.parametrize("weak", ["OFF", "normal", "1"])
async def test_c11_synchronous_below_full_is_refused(
    weak: str, database: Database, keyring: Keyring, clock: Clock
) -> None:
    with pytest.raises(StoreError, match="must run with FULL or EXTRA"):
        await open_store(f"{database.url}?synchronous={weak}", keyring, clock)


async def test_c11_the_writer_runs_in_wal_with_full_synchronous_and_foreign_keys(store: Store) -> None:
    def settings(conn: Connection) -> list[object]:
        return [
            conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert await store.write(settings) == ["wal", 2, 1]


async def test_the_database_file_is_private(database: Database, store: Store) -> None:
    assert database.path is not None
    fresh = database.path.with_name("fresh.db")
    opened = await open_store(f"sqlite:///{fresh}", Keyring.generate(), Clock())
    await opened.close()
    assert fresh.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_is_no_database_is_one_clear_sentence(tmp_path: Path, keyring: Keyring, clock: Clock) -> None:
    (tmp_path / "jisr.db").write_bytes(b"this is a letter to a friend, not a database" * 100)
    with pytest.raises(StoreError, match="cannot be opened: the database file is damaged") as caught:
        await open_store(f"sqlite:///{tmp_path}/jisr.db", keyring, clock)
    assert "\n" not in str(caught.value)


def _limit_pages(conn: Connection, more: int) -> None:
    pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")


async def test_s1_a_full_disk_acknowledges_nothing_and_the_writer_recovers(store: Store) -> None:
    await store.write(_limit_pages, 8)
    wanted = [f"row{number}" for number in range(40)]
    outcomes = await asyncio.gather(*(store.write(add, name, b"x" * 3000) for name in wanted), return_exceptions=True)
    stored = {outcome for outcome in outcomes if isinstance(outcome, str)}
    assert all(isinstance(outcome, (str, StorageFull)) for outcome in outcomes)
    assert len(stored) < 40
    assert await store.read(names) == stored

    await store.write(_limit_pages, 1000)
    assert await store.write(add, "after") == "after"


async def test_s1_a_full_disk_fails_a_whole_batch(store: Store) -> None:
    await store.write(_limit_pages, 1)
    long = [f"{number:01000}" for number in range(40)]
    outcomes = await asyncio.gather(*(store.batch(add_all, name) for name in long), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StorageFull}
    assert await store.read(names) == set()

    await store.write(_limit_pages, 1000)
    assert await store.batch(add_all, "after") == "AFTER"


async def test_s4_writers_checkpoint_and_backup_do_not_lock_each_other_out(
    database: Database, store: Store, tmp_path: Path
) -> None:
    await store.write(add, "counter")
    done = asyncio.Event()

    def backup() -> None:
        source, target = dbapi2.connect(str(database.path)), dbapi2.connect(str(tmp_path / "backup.db"))
        source.backup(target, pages=5)
        assert target.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        source.execute("PRAGMA wal_checkpoint(PASSIVE)")
        source.close()
        target.close()

    async def disturb() -> int:
        rounds = 0
        while not done.is_set():
            await asyncio.to_thread(backup)
            rounds += 1
        return rounds

    async def task() -> None:
        for _ in range(25):
            await store.write(count_up, "counter")

    disturbance = asyncio.create_task(disturb())
    await asyncio.gather(*(task() for _ in range(8)))
    done.set()
    assert await disturbance >= 1
    assert await store.read(counted, "counter") == 200
    assert await store.read(lambda conn: conn.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"


async def test_a_function_that_ends_the_transaction_itself_is_told_so(store: Store) -> None:
    def rude(conn: Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")

    with pytest.raises(RuntimeError, match="ended the transaction by itself"):
        await store.write(rude)
    assert await store.write(add, "next") == "next"

"""Taking a backup and looking through one: one moment under load, nothing half written, and every damage is noticed."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from gateway import settings as settings_module
from gateway.backup import embedded, postgres
from gateway.backup.errors import BackupError
from gateway.backup.manifest import read_manifest
from gateway.backup.putting_back import check, put_back
from gateway.backup.taking import Order, Taken, take
from gateway.security.keyring import Keyring
from gateway.settings import Settings
from gateway.store.clock import Clock
from gateway.store.engine import Store, open_store
from gateway.store.errors import StoreError
from tests.conftest import Database
from tests.disks import fill, small_disk
from tests.unit.gateway.store.counters import add, count_up, counted

__all__ = ["small_disk"]


@pytest.fixture
def dialect() -> str:
    """The other database has tests/faults/test_s7_restore.py."""
    return "sqlite"


@pytest.fixture
def settings(database: Database, keyring_path: Path, tmp_path: Path) -> Settings:
    environment = {
        "JISR_DATA_DIR": str(tmp_path),
        "JISR_DATABASE_URL": database.url,
        "JISR_KEYRING_PATH": str(keyring_path),
    }
    return settings_module.load(environment=environment)


@pytest.fixture
def taken(settings: Settings, keyring: Keyring, tmp_path: Path) -> Taken:
    statement = settings.statements_folder / "syriatel_cash" / "settlement" / "one.csv"
    statement.parent.mkdir(parents=True)
    statement.write_text("a day")
    return take(settings, keyring, Clock(), Order(tmp_path / "backups", "1"))


async def test_s4_a_backup_beside_eight_writers_is_one_moment_and_keeps_nobody_waiting(
    database: Database, store: Store, tmp_path: Path
) -> None:
    assert database.path is not None
    await store.write(add, "counter")
    await store.write(add, "ballast", b"x" * 40_000_000)
    written_when: list[int] = []
    running = asyncio.Event()

    def copy() -> None:
        assert database.path is not None
        embedded.copy_database(database.path, tmp_path / "copy.db", lambda done, _: written_when.append(done))

    async def task() -> None:
        while not running.is_set():
            await store.write(count_up, "counter")

    tasks = [asyncio.create_task(task()) for _ in range(8)]
    before = await store.read(counted, "counter")
    await asyncio.to_thread(copy)
    running.set()
    await asyncio.gather(*tasks)
    after = await store.read(counted, "counter")
    copied = dbapi2.connect(str(tmp_path / "copy.db"))
    (in_copy,) = copied.execute("SELECT length(value) FROM tokens WHERE name = 'ballast'").fetchone() or (0,)
    copied.close()
    assert len(written_when) > 2, "in several steps, each of which lets the writer go on"
    assert sorted(written_when) == written_when, "the copy never had to begin anew"
    assert after > before, "the writers went on"
    assert in_copy > 40_000_000


def test_a_backup_holds_the_record_the_statements_and_no_key(taken: Taken, keyring: Keyring) -> None:
    names = sorted(part.name for part in taken.manifest.parts)
    assert names == ["record.sqlite", "statements/syriatel_cash/settlement/one.csv"]
    everything = b"".join(path.read_bytes() for path in taken.folder.rglob("*") if path.is_file())
    assert not any(key in everything for key in (*keyring.keys.values(), keyring.index_key))
    assert taken.folder.stat().st_mode & 0o077 == 0


def test_a_second_backup_links_the_files_that_the_first_one_has(
    taken: Taken, settings: Settings, keyring: Keyring, tmp_path: Path
) -> None:
    again = take(settings, keyring, Clock(), Order(tmp_path / "backups", "1"))
    assert again.folder != taken.folder
    name = "statements/syriatel_cash/settlement/one.csv"
    assert (again.folder / name).stat().st_ino == (taken.folder / name).stat().st_ino


@pytest.mark.parametrize("name", ["record.sqlite", "manifest.json", "statements/syriatel_cash/settlement/one.csv"])
def test_one_byte_that_changed_is_noticed_before_anything_is_restored(
    taken: Taken, settings: Settings, keyring: Keyring, name: str
) -> None:
    content = bytearray((taken.folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (taken.folder / name).unlink()
    (taken.folder / name).write_bytes(content)
    with pytest.raises(BackupError, match=f"{name} is not as it was written"):
        put_back(settings, keyring, Clock(), taken.folder, force=True)


def test_another_keyring_is_refused_with_the_names_of_the_keys_that_it_lacks(taken: Taken, settings: Settings) -> None:
    other = Keyring.generate()
    with pytest.raises(BackupError, match="does not open this backup") as refused:
        check(taken.folder, other, settings.keyring_path)
    assert taken.manifest.keyring.ids[0] in str(refused.value)


def test_a_backup_of_a_newer_program_is_refused(taken: Taken) -> None:
    told = json.loads((taken.folder / "manifest.json").read_bytes()) | {"format": 99}
    text = json.dumps(told).encode()
    (taken.folder / "manifest.json").write_bytes(text)
    sums = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n"
    (taken.folder / "SHA256SUMS").write_text(sums)
    with pytest.raises(BackupError, match="newer Jisr"):
        read_manifest(taken.folder)


def test_a_folder_without_a_backup_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"There is no backup in .*\."):
        read_manifest(tmp_path)


async def test_a_record_that_a_process_owns_is_not_restored(
    taken: Taken, settings: Settings, keyring: Keyring, database: Database
) -> None:
    store = await open_store(database.url, keyring, Clock())
    with pytest.raises(StoreError, match="is owned by the running process"):
        await asyncio.to_thread(put_back, settings, keyring, Clock(), taken.folder, force=True)
    await store.close()


def test_an_empty_record_is_replaced_and_a_missing_statement_is_back(
    taken: Taken, settings: Settings, keyring: Keyring
) -> None:
    statement = settings.statements_folder / "syriatel_cash" / "settlement" / "one.csv"
    statement.unlink()
    done = put_back(settings, keyring, Clock(), taken.folder)
    assert (done.open_requests, done.statements, statement.read_text()) == (0, 1, "a day")
    assert Path(done.aside).exists()
    assert [path.name for path in settings.data_dir.glob(".*restoring*")] == []


_KILLED = """
import os, pathlib, signal, sys
from gateway import settings
from gateway.backup.putting_back import put_back
from gateway.security.keyring import Keyring
from gateway.store.clock import Clock

rename = pathlib.Path.rename
def deadly(path, target):
    if path.name.endswith(".restoring"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
pathlib.Path.rename = deadly
here = settings.load(environment=dict(os.environ))
put_back(here, Keyring.load(here.keyring_path), Clock(), pathlib.Path(sys.argv[1]), force=True)
"""


def test_s7_a_restoration_that_is_killed_leaves_the_record_that_was_there_with_its_journal(
    taken: Taken, settings: Settings, keyring: Keyring, database: Database
) -> None:
    assert database.path is not None
    names = [Path(f"{database.path}{ending}") for ending in ("", "-wal")]

    async def write() -> list[bytes]:
        store = await open_store(database.url, keyring, Clock())
        await store.write(add, "young")
        files = [await asyncio.to_thread(name.read_bytes) for name in names]
        await store.close()
        return files

    async def read() -> int:
        store = await open_store(database.url, keyring, Clock())
        try:
            return await store.read(counted, "young")
        finally:
            await store.close()

    files = asyncio.run(write())
    assert b"young" not in files[0]  # as a kill of the server leaves them: the youngest row stands in the journal alone
    for name, content in zip(names, files, strict=True):
        name.write_bytes(content)

    environment = os.environ | {
        "JISR_DATA_DIR": str(settings.data_dir),
        "JISR_DATABASE_URL": database.url,
        "JISR_KEYRING_PATH": str(settings.keyring_path),
    }
    command = [sys.executable, "-c", _KILLED, str(taken.folder)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert asyncio.run(read()) == 0


def test_s1_a_full_disk_under_the_backups_leaves_nothing_and_says_so(
    settings: Settings, keyring: Keyring, small_disk: Path
) -> None:
    target = small_disk / "backups"
    target.mkdir()
    fill(small_disk)
    with pytest.raises(BackupError, match="is full: nothing was kept"):
        take(settings, keyring, Clock(), Order(target, "1"))
    assert list(target.iterdir()) == []


def test_client_programs_that_are_too_old_for_the_server_are_one_sentence() -> None:
    server = postgres.Server("PostgreSQL 99", 99, "0001", 0, 0)
    with pytest.raises(BackupError, match="no pg_dump for PostgreSQL 99 or newer: install postgresql-client-99"):
        postgres.program("pg_dump", server)

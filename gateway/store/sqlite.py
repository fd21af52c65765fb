"""The store on SQLite: one owner process, one writing thread, a few reading threads, every COMMIT on the disk."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pysqlite3 import dbapi2
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gateway.store import migrate
from gateway.store.batcher import Batcher, BatchFunction, Failed, Take
from gateway.store.clock import CLOCK, Clock
from gateway.store.errors import StoreError
from gateway.store.owner import Ownership, next_generation, refuse_network_file_system
from gateway.store.webhooks.subscribers import SUBSCRIBERS, Subscribers
from gateway.store.writer import Writer, driver_connection, first, run_batch, translated

T = TypeVar("T")
R = TypeVar("R")

log = structlog.get_logger()

READERS = 4
#: Writes that may share a COMMIT; a batch counts as one.
MAX_GROUP = 256
BUSY_MILLISECONDS = 20_000
#: How far the journal grows (16 MiB) before its pages go into the file: those that are written again and again go once.
CHECKPOINT_PAGES = 4_000
WRITER_CACHE_KIB = 16_384
#: Less than a large document, which a reader takes from the journal page by page and never looks at again.
READER_CACHE_KIB = 4_096
SAFE_SYNCHRONOUS = {"FULL": 2, "EXTRA": 3}
MOUNTINFO = Path("/proc/self/mountinfo")


def has_wal_reset_fault(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite can lose committed rows when a checkpoint meets a write (fixed in 3.44.6, 3.50.7, 3.51.3)."""
    fixed = {(3, 44): 6, (3, 50): 7, (3, 51): 3}
    if version >= (3, 52, 0):
        return False
    return version[2] < fixed.get(version[:2], version[2] + 1)


def database_path(url: URL) -> Path:
    """The file that the URL names; raises StoreError for a URL that names none."""
    if not url.database or url.database == ":memory:":
        raise StoreError("the SQLite URL names no file: write sqlite:///folder/jisr.db")
    return Path(url.database).absolute()


def _synchronous(url: URL) -> str:
    unknown = sorted(set(url.query) - {"synchronous"})
    if unknown:
        raise StoreError(f"the SQLite URL has an unknown option: {unknown[0]}")
    wanted = str(url.query.get("synchronous", "FULL")).upper()
    if wanted not in SAFE_SYNCHRONOUS:
        raise StoreError(f"synchronous={wanted} can lose what was acknowledged: SQLite must run with FULL or EXTRA")
    return wanted


def _engine(path: Path, synchronous: str, *, read_only: bool) -> Engine:
    def connect() -> dbapi2.Connection:
        mode = "ro" if read_only else "rw"
        raw = dbapi2.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        raw.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        if not read_only:
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("PRAGMA journal_size_limit = 67108864")
            raw.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        raw.execute(f"PRAGMA synchronous = {synchronous}")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA trusted_schema = OFF")
        raw.execute("PRAGMA cell_size_check = ON")
        raw.execute("PRAGMA temp_store = MEMORY")
        raw.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB if read_only else WRITER_CACHE_KIB}")
        if read_only:
            raw.execute("PRAGMA query_only = ON")
        return raw

    return create_engine(
        "sqlite://",
        module=dbapi2,
        creator=connect,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


class SqliteStore:
    """`Store` on one SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: Path, clock: Clock, synchronous: str, *, read_only: bool, migrates: bool = True) -> None:
        """Opens nothing yet: `open` does, in a thread."""
        self.path = path
        self.generation = 0
        self.upgraded: migrate.Upgraded | None = None
        self.subscribers = Subscribers(clock.monotonic)
        self._clock = clock
        self._read_only, self._migrates = read_only, migrates
        self._closed = False
        self._synchronous = synchronous
        self._reading = _engine(path, synchronous, read_only=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="jisr-sqlite-reader")
        self._local = threading.local()
        self._read_connections: list[Connection] = []
        self._batcher = Batcher(self._flush, flushers=1)
        self._ownership: Ownership | None = None
        self._conn: Connection | None = None
        self._writer: Writer | None = None

    def open(self) -> None:
        """Take the database, migrate it and start the writer. Blocks; raises StoreError."""
        if not self.path.parent.is_dir():
            raise StoreError(f"the folder {self.path.parent} of the database does not exist")
        if MOUNTINFO.exists():
            refuse_network_file_system(self.path, MOUNTINFO.read_text())
        if has_wal_reset_fault(dbapi2.sqlite_version_info):
            log.warning("sqlite_has_wal_reset_fault", version=dbapi2.sqlite_version)
        try:
            if self._read_only:
                self._check_schema()
            else:
                self._ownership = Ownership.take(self.path)
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
                self._start_writer()
        except (dbapi2.Error, DBAPIError) as error:
            raise _start_error(self.path, error) from error
        except OSError as error:
            raise StoreError(f"the database {self.path} cannot be opened: {error.strerror}") from error

    def _check_schema(self) -> None:
        if not self.path.exists():
            raise StoreError(f"the database {self.path} does not exist yet")
        with self._reading.connect() as conn:
            migrate.require_current(conn)

    def _start_writer(self) -> None:
        conn = _engine(self.path, self._synchronous, read_only=False).connect()
        conn.info[CLOCK] = self._clock
        conn.info[SUBSCRIBERS] = self.subscribers
        self._conn = conn
        raw = driver_connection(conn)
        self._require_durable(raw)
        raw.execute("BEGIN IMMEDIATE")
        self.upgraded = migrate.upgrade(conn, allowed=self._migrates)
        self.generation = next_generation(conn)
        raw.execute("COMMIT")
        self._writer = Writer(conn, MAX_GROUP)
        self._writer.start()

    def _require_durable(self, raw: dbapi2.Connection) -> None:
        """Believe what SQLite says it does, not what it was asked for."""
        if raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            raise StoreError(f"the file system of {self.path} does not take a write-ahead log")
        if raw.execute("PRAGMA synchronous").fetchone()[0] < SAFE_SYNCHRONOUS["FULL"]:
            raise StoreError("SQLite does not run with synchronous=FULL: what is acknowledged could be lost")

    @property
    def max_group(self) -> int:
        """Writes that may share a COMMIT; 1 gives each its own, which is what the bench compares with."""
        return self._writer.max_group if self._writer is not None else 0

    @max_group.setter
    def max_group(self, jobs: int) -> None:
        if self._writer is not None:
            self._writer.max_group = jobs

    async def write(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn(conn, *args)` in one transaction; the result comes after COMMIT."""
        result: T = await self._submit(lambda conn: fn(conn, *args))
        return result

    async def batch(self, fn: Callable[[Connection, Sequence[R]], Sequence[T]], row: R) -> T:
        """Run `fn(conn, rows)` together with the other callers of `fn`; the row's result comes after COMMIT."""
        result: T = await self._batcher.submit(fn, row)
        return result

    async def read(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn(conn, *args)` on one snapshot; it sees every write that was answered before."""
        if self._closed:
            raise StoreError("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(self._read, fn, *args))

    async def close(self) -> None:
        """Finish what waits, check the log into the database, and give up the ownership."""
        self._closed = True
        await self._batcher.finish()
        await asyncio.to_thread(self.shut)

    def shut(self) -> None:
        """The blocking part of `close`, also for a store that failed to open."""
        self._readers.shutdown()
        for conn in self._read_connections:
            conn.close()
        if self._writer is not None:
            self._writer.stop()
        if self._conn is not None:
            self._conn.close()
        if self._ownership is not None:
            self._ownership.release()

    def _submit(self, run: Callable[[Connection], Any]) -> asyncio.Future[Any]:
        if self._writer is None:
            raise StoreError("the database was opened for reading only")
        return self._writer.submit(run)

    async def _flush(self, fn: BatchFunction, take: Take) -> Sequence[Any]:
        try:
            outcomes: Sequence[Any] = await self._submit(lambda conn: run_batch(conn, fn, take()))
        except StoreError:
            raise
        except Exception:
            if len(rows := take()) == 1:
                raise
        else:
            return outcomes
        # COMMIT found a deferred constraint broken by one of the rows, and does not say by which.
        alone = await asyncio.gather(*(self.write(partial(_one, fn, row)) for row in rows), return_exceptions=True)
        return [Failed(each) if isinstance(each, BaseException) else each[0] for each in alone]

    def _read(self, fn: Callable[..., T], *args: Any) -> T:
        conn = getattr(self._local, "conn", None)
        if conn is None:
            conn = self._local.conn = self._reading.connect()
            conn.info[CLOCK] = self._clock
            self._read_connections.append(conn)
        raw = driver_connection(conn)
        raw.execute("BEGIN")
        try:
            return fn(conn, *args)
        except Exception as error:
            known = translated(error)
            if known is error:
                raise
            raise known from error
        finally:
            if raw.in_transaction:
                raw.execute("ROLLBACK")


def _one(fn: BatchFunction, row: Any, conn: Connection) -> tuple[Any]:
    """Wrapped, so that an exception that is a result is not taken for a failure."""
    return (first(fn, row, conn),)


def _start_error(path: Path, error: dbapi2.Error | DBAPIError) -> StoreError:
    known = translated(error)
    reason = known if isinstance(known, StoreError) else getattr(error, "orig", error)
    return StoreError(f"the database {path} cannot be opened: {reason}")


async def open_sqlite(url: URL, clock: Clock, *, read_only: bool, migrates: bool = True) -> SqliteStore:
    """Open the store that the URL names; raises StoreError in one sentence and leaves nothing open."""
    store = SqliteStore(database_path(url), clock, _synchronous(url), read_only=read_only, migrates=migrates)
    try:
        await asyncio.to_thread(store.open)
    except BaseException:
        await asyncio.to_thread(store.shut)
        raise
    return store

"""The store on PostgreSQL: asyncpg pools, READ COMMITTED, and no guess about a COMMIT that was cut off."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.store import migrate
from gateway.store.batcher import Batcher, BatchFunction, Failed, Take, aligned
from gateway.store.clock import CLOCK, SERVER_TIME, Clock, ServerTime
from gateway.store.errors import CommitUnknown, StorageFull, StoreError, StoreUnavailable
from gateway.store.owner import next_generation
from gateway.store.webhooks.subscribers import SUBSCRIBERS, Subscribers

T = TypeVar("T")
R = TypeVar("R")

WRITERS = 12
READERS = 4
POOL_WAIT_SECONDS = 30.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
FLUSHERS = 1  # per function: two halve the batches, and a batch costs 8 to 12 round trips however long it is
TRIES = 6
SERIALIZATION_FAILURE = "40001"
DEADLOCK = "40P01"
DISK_FULL = "53100"
#: A process that stops in the middle of a transaction (SIGSTOP, a frozen machine) loses it after so long, and with it
#: the rows that it keeps from the others.
IDLE_SECONDS = 5
#: Where it stopped while a statement was being prepared, which the server does not take for idle (PostgreSQL 17 on).
TRANSACTION_SECONDS = 60
_IDLED = ("25P03", "25P04")
_START_REASONS = {
    "28P01": "the password is wrong",
    "28000": "the user may not log in",
    "3D000": "the database does not exist",
    "42501": "the user lacks a right",
    "53300": "the server has no connection left",
    "57P03": "the server is starting or stopping",
}


class PostgresStore:
    """`Store` on one PostgreSQL database, which many processes may share."""

    dialect = "postgresql"

    def __init__(
        self, url: URL, clock: Clock, *, read_only: bool, restoring: bool = False, migrates: bool = True
    ) -> None:
        """Opens nothing yet: `open` does."""
        self._restoring = restoring
        self.generation = 0
        self.upgraded: migrate.Upgraded | None = None
        self.subscribers = Subscribers(clock.monotonic)
        self._url = url
        self._read_only, self._migrates = read_only, migrates
        known = ServerTime()
        self._engine = _engine(url, clock, known, WRITERS, {}, self.subscribers)
        self._reading = _engine(url, clock, known, READERS, {"default_transaction_read_only": "on"}).execution_options(
            isolation_level="AUTOCOMMIT"
        )
        self._batcher = Batcher(self._flush, flushers=FLUSHERS)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def open(self) -> None:
        """Check the server, migrate and count this start; raises StoreError in one sentence."""
        try:
            async with self._engine.connect() as conn:
                await conn.run_sync(_require_durable)
                if not self._restoring:
                    await conn.run_sync(_require_whole)
                if self._read_only:
                    await conn.run_sync(migrate.require_current)
                    return
                await conn.run_sync(_take_your_time)
                self.upgraded = await conn.run_sync(partial(migrate.upgrade, allowed=self._migrates))
                self.generation = await conn.run_sync(next_generation)
                await conn.commit()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _start_error(self._url, error) from error

    async def write(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn(conn, *args)` in one transaction; the result comes after COMMIT.

        It may run more than once (deadlock, lost connection before COMMIT). Raises CommitUnknown, StorageFull,
        StoreUnavailable, or what `fn` raised.
        """
        if self._read_only:
            raise StoreError("the database was opened for reading only")
        return await self._unbroken(self._transaction(lambda conn: _begun(conn, fn, *args)))

    async def batch(self, fn: Callable[[Connection, Sequence[R]], Sequence[T]], row: R) -> T:
        """Run `fn(conn, rows)` together with the other callers of `fn`; the row's result comes after COMMIT."""
        if self._closed or self._read_only:
            raise StoreError("the database is closed" if self._closed else "the database was opened for reading only")
        result: T = await self._batcher.submit(fn, row)
        return result

    async def read(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn(conn, *args)` without a transaction; each statement sees what was committed before it."""
        return await self._unbroken(self._transaction(lambda conn: fn(conn, *args), reading=True))

    async def close(self) -> None:
        """Finish what waits and close the pool."""
        self._closed = True
        await self._batcher.finish()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
        for engine in (self._engine, self._reading):
            with suppress(TimeoutError):  # a server that does not say goodbye must not hold up the end of the process
                async with asyncio.timeout(CLOSE_SECONDS):
                    await engine.dispose()

    async def _unbroken(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the transaction end even when its caller is cancelled: a query cut in the middle costs the connection."""
        if self._closed:
            work.close()
            raise StoreError("the database is closed")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also when the caller has gone away

    async def _flush(self, fn: BatchFunction, take: Take) -> Sequence[Any]:
        try:
            return await self._transaction(lambda conn: aligned(fn, conn, take()))
        except StoreError:
            raise
        except Exception:
            if len(rows := take()) == 1:
                raise
        return [await self._one(fn, row) for row in rows]

    async def _one(self, fn: BatchFunction, row: Any) -> Any:
        try:
            return (await self._transaction(lambda conn: aligned(fn, conn, [row])))[0]
        except Exception as error:  # noqa: BLE001 - the row's caller gets it
            return Failed(error)

    async def _transaction(self, run: Callable[[Connection], T], *, reading: bool = False) -> T:
        for left in reversed(range(TRIES)):
            try:
                return await self._attempt(run, reading=reading)
            except (DBAPIError, OSError, TimeoutError) as error:
                if not _worth_repeating(error) or left == 0:
                    raise _translated(error) from error
            # Jitter, so that two transactions that met do not meet again.
            await asyncio.sleep(random.uniform(0.001, 0.02) * (TRIES - left))  # noqa: S311 - no secret
        raise AssertionError("the last try returns or raises")

    async def _attempt(self, run: Callable[[Connection], T], *, reading: bool) -> T:
        if reading:
            async with self._reading.connect() as conn:
                return await conn.run_sync(run)
        async with self._engine.connect() as conn:
            result = await conn.run_sync(run)
            await _commit(conn)
            return result


def _take_your_time(conn: Connection) -> None:
    """A migration may be longer than any other transaction."""
    for name in conn.execute(text("SELECT name FROM pg_settings WHERE name = 'transaction_timeout'")).scalars().all():
        conn.execute(text(f"SET LOCAL {name} = 0"))


def _begun(conn: Connection, fn: Callable[..., T], *args: Any) -> T:
    """All of `fn` in one transaction: what a batch commits at once, as its last step, waits here for the end."""
    conn.begin()  # sends nothing yet
    return fn(conn, *args)


async def _commit(conn: AsyncConnection) -> None:
    """COMMIT, or CommitUnknown when no answer to it came; a COMMIT that the server refuses raises as ever."""
    try:
        await conn.commit()
    except (DBAPIError, OSError, TimeoutError) as error:
        if _lost(error):
            raise CommitUnknown("the connection was lost during COMMIT: the write may be stored") from error
        raise


def _engine(
    url: URL,
    clock: Clock,
    known: ServerTime,
    pool_size: int,
    server_settings: Mapping[str, str],
    subscribers: Subscribers | None = None,
) -> AsyncEngine:
    engine = create_async_engine(
        _driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,  # the connection whose server process is warm
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "prepared_statement_cache_size": 512,
            "server_settings": {
                "application_name": "jisr",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                "enable_seqscan": "off",
                "default_transaction_isolation": "read committed",
                "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
                **server_settings,
            },
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def leave_clock(driver: Any, record: Any) -> None:
        if driver.driver_connection.get_server_version() >= (17,):
            driver.run_async(lambda raw: raw.execute(f"SET transaction_timeout = '{TRANSACTION_SECONDS}s'"))
        record.info[CLOCK] = clock
        record.info[SERVER_TIME] = known
        record.info[SUBSCRIBERS] = subscribers

    return engine


def _driver_url(url: URL) -> URL:
    """The URL for asyncpg: libpq's `sslmode` is called `ssl` there."""
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)


def _require_durable(conn: Connection) -> None:
    """Raise StoreError for a server or role whose COMMIT does not mean "on the disk"."""
    for setting in ("fsync", "synchronous_commit"):
        if conn.execute(text(f"SHOW {setting}")).scalar_one() == "off":
            raise StoreError(f"PostgreSQL runs with {setting}=off: what is acknowledged could be lost; switch it on")


def _require_whole(conn: Connection) -> None:
    """Raise StoreError for a database into which a backup was being put back and is not, all of it."""
    if conn.execute(text("SELECT to_regnamespace('jisr_restoring') IS NOT NULL")).scalar_one():
        raise StoreError("a restoration of this database was begun and not finished: run `jisr restore` again")


def _sqlstate(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def _lost(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (_sqlstate(error) or "").startswith(("08", "57P", *_IDLED))
    return isinstance(error, (OSError, TimeoutError))


def _worth_repeating(error: BaseException) -> bool:
    return _sqlstate(error) in (SERIALIZATION_FAILURE, DEADLOCK) or _lost(error)


def _translated(error: Exception) -> Exception:
    """What a caller gets: a StoreError when the database is at fault, else the error itself."""
    state = _sqlstate(error)
    if state == DISK_FULL:
        return StorageFull("the disk of the database server is full: nothing of this write is stored")
    if _lost(error) or state in (SERIALIZATION_FAILURE, DEADLOCK, "53300", "57014"):
        return StoreUnavailable("PostgreSQL did not take the work; nothing of it is stored")
    return error


def _start_error(url: URL, error: Exception) -> StoreError:
    place = f"{url.database!r} at {url.host or url.query.get('host') or 'localhost'}"
    reason = _START_REASONS.get(_sqlstate(error) or "")
    if reason is None and isinstance(error, (OSError, TimeoutError)):
        reason = f"the server cannot be reached ({getattr(error, 'strerror', None) or 'no answer in time'})"
    if reason is None:
        cause = getattr(error, "orig", None) or error
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return StoreError(f"the PostgreSQL database {place} cannot be used: {reason}")


async def open_postgres(
    url: URL, clock: Clock, *, read_only: bool, restoring: bool = False, migrates: bool = True
) -> PostgresStore:
    """Open the store that the URL names; raises StoreError in one sentence and leaves nothing open."""
    store = PostgresStore(url, clock, read_only=read_only, restoring=restoring, migrates=migrates)
    try:
        await store.open()
    except BaseException:
        await store.close()
        raise
    return store

"""The one thread that writes to SQLite, with group commit.

It takes every job that waits, runs them in one transaction, commits once, and only then answers: a job that fails is
rolled back alone to its savepoint, and one COMMIT (one fsync) pays for all. Transactions are begun and ended on the
driver's connection, because SQLAlchemy's own bookkeeping knows no BEGIN IMMEDIATE.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.store.batcher import BatchFunction, Failed, aligned, answer
from gateway.store.errors import StorageFull, StoreError, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Job:
    """Work for the writer, and where its outcome goes."""

    run: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Writer:
    """Owns the writing connection once `start` was called; nothing else may use it until `stop` returned."""

    def __init__(self, conn: Connection, max_group: int) -> None:
        """`conn` is in driver autocommit and has its pragmas set; `max_group` jobs at most share a COMMIT."""
        self.max_group = max_group
        self._conn = conn
        self._raw: dbapi2.Connection = driver_connection(conn)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="jisr-sqlite-writer", daemon=True)
        self._gate = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def submit(self, run: Callable[[Connection], Any]) -> asyncio.Future[Any]:
        """Queue a job; its future is answered after COMMIT. Raises StoreError after `stop`."""
        loop = asyncio.get_running_loop()
        job = Job(run, loop, loop.create_future())
        with self._gate:
            if self._stopped:
                raise StoreError("the database is closed")
            self._queue.put(job)
        return job.future

    def stop(self) -> None:
        """Refuse new jobs, finish those that wait, and end the thread. Blocks."""
        with self._gate:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        more = True
        while more:
            group, more = self._take()
            if group:
                _answer(group, self._commit(group))

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for a job, then take all that wait; false when the end mark was among them."""
        first = self._queue.get()
        if first is None:
            return [], False
        group = [first]
        while len(group) < self.max_group:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                return group, False
            group.append(job)
        return group, True

    def _commit(self, group: Sequence[Job]) -> list[Any]:
        """Run the group in one transaction; the outcomes are true only because COMMIT came back."""
        try:
            self._raw.execute("BEGIN IMMEDIATE")
            outcomes = []
            for job in group:
                outcomes.append(run_alone(self._conn, job.run, alone=len(group) == 1))
                if not self._raw.in_transaction:
                    return _nothing_stored(outcomes, len(group))
            self._raw.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            self._roll_back()
            failure = translated(error)
            if len(group) > 1 and not isinstance(failure, StoreError):
                # COMMIT found a deferred constraint broken by one of them, and does not say by whom.
                return [self._commit([job])[0] for job in group]
            return [Failed(failure)] * len(group)
        return outcomes

    def _roll_back(self) -> None:
        if self._raw.in_transaction:
            with suppress(dbapi2.Error):  # the next BEGIN says what is wrong; this thread must live to answer
                self._raw.execute("ROLLBACK")


def run_alone(conn: Connection, run: Callable[[Connection], Any], *, alone: bool = False) -> Any:
    """Run inside the open transaction so that a failure undoes this run only.

    `alone` says that nothing else is in the transaction, so that all of it is undone and no savepoint is needed.
    """
    raw = driver_connection(conn)
    try:
        if alone:
            return run(conn)
        raw.execute("SAVEPOINT one")
        result = run(conn)
        raw.execute("RELEASE one")
    except Exception as error:  # noqa: BLE001 - whoever waits gets it
        if raw.in_transaction:
            if alone:
                raw.execute("ROLLBACK")
            else:
                raw.execute("ROLLBACK TO one")
                raw.execute("RELEASE one")
        return Failed(translated(error))
    return result


def run_batch(conn: Connection, fn: BatchFunction, rows: Sequence[Any]) -> list[Any]:
    """The outcomes of `rows`: of one call of `fn`, or, when that fails, of one call per row.

    Raises what failed when there is one row only, when the database is at fault, or when SQLite ended the transaction.
    """
    whole = run_alone(conn, lambda inner: aligned(fn, inner, rows))
    if not isinstance(whole, Failed):
        return list(whole)
    raw = driver_connection(conn)
    if len(rows) == 1 or isinstance(whole.error, StoreError) or not raw.in_transaction:
        raise whole.error
    outcomes = []
    for row in rows:
        outcome = run_alone(conn, partial(first, fn, row))
        if isinstance(outcome, Failed) and not raw.in_transaction:
            raise outcome.error
        outcomes.append(outcome)
    return outcomes


def first(fn: BatchFunction, row: Any, conn: Connection) -> Any:
    """The result of a batch of one row."""
    return aligned(fn, conn, [row])[0]


def driver_connection(conn: Connection) -> dbapi2.Connection:
    """The driver's own connection under SQLAlchemy's."""
    raw = conn.connection.driver_connection
    assert isinstance(raw, dbapi2.Connection)
    return raw


def translated(error: Exception) -> Exception:
    """What a caller gets: a StoreError when the database is at fault, else the error itself."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:
        return error
    match code & 0xFF:
        case dbapi2.SQLITE_FULL:
            kind: type[StoreError] = StorageFull
            text = "the disk is full: nothing of this write is stored"
        case dbapi2.SQLITE_BUSY | dbapi2.SQLITE_LOCKED:
            kind, text = StoreUnavailable, "another process holds the database for too long"
        case dbapi2.SQLITE_IOERR | dbapi2.SQLITE_CANTOPEN | dbapi2.SQLITE_READONLY:
            kind, text = StoreUnavailable, f"the disk does not take the write ({cause})"
        case dbapi2.SQLITE_CORRUPT | dbapi2.SQLITE_NOTADB:
            kind, text = StoreError, f"the database file is damaged ({cause})"
        case _ if isinstance(error, dbapi2.IntegrityError):  # of COMMIT, which SQLAlchemy has not seen
            return IntegrityError("COMMIT", None, error)
        case _:
            return error
    translation = kind(text)
    translation.__cause__ = error
    return translation


def _nothing_stored(outcomes: Sequence[Any], jobs: int) -> list[Any]:
    """A lone job failed, or SQLite ended the transaction by itself (disk full, I/O error): all of the group failed."""
    last = outcomes[-1]
    if not isinstance(last, Failed):
        last = Failed(RuntimeError("a store function ended the transaction by itself"))
    earlier = [outcome if isinstance(outcome, Failed) else last for outcome in outcomes[:-1]]
    return earlier + [last] * (jobs - len(earlier))


def _answer(group: Sequence[Job], outcomes: Sequence[Any]) -> None:
    """Hand over all outcomes with one wake-up of each event loop (in practice there is one)."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, outcome in zip(group, outcomes, strict=True):
        by_loop.setdefault(job.loop, []).append((job.future, outcome))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in pairs:
        answer(future, outcome)

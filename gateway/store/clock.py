"""The one source of time, and the time that SQL statements compare with.

On SQLite one process owns the database, so its own clock is as good as any. On PostgreSQL many nodes share it, so
leases and due times are compared by the database's clock, whatever a node's wall clock says. Times in SQL are
milliseconds.
"""

import contextlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, literal_column, select

#: Keys of `Connection.info` under which a store leaves its clock and, on PostgreSQL, what it knows of the server's.
CLOCK = "jisr.clock"
SERVER_TIME = "jisr.server_time"
_ASK_AGAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.05


class Clock:
    """The machine's clock; tests move it by `advance` and `jump`, and nothing else does."""

    def __init__(self) -> None:
        """Start without any offset."""
        self.offset_ms = 0  #: Of the wall clock.
        self.passed_ms = 0  #: What `advance` added, which the database's clock is given too.

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    def utcnow(self) -> datetime:
        """The same as aware datetime."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def monotonic(self) -> float:
        """Seconds that never go back; a jump of the wall clock does not touch them."""
        return time.monotonic() + self.passed_ms / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass: the wall clock, the monotonic clock and `sql_now` go forward."""
        if seconds < 0:
            raise ValueError("time does not go back; `jump` moves the wall clock alone")
        self.offset_ms += round(seconds * 1000)
        self.passed_ms += round(seconds * 1000)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an operator or NTP would; no other clock follows."""
        self.offset_ms += round(seconds * 1000)


class SteppedClock(Clock):
    """A clock whose wall time is as far off as a file says, in milliseconds, so that a test can step a process's clock.

    The monotonic clock does not follow, as it would not when an operator or NTP steps the machine's.
    """

    def __init__(self, file: Path) -> None:
        """The file may come later, and may change at any time."""
        super().__init__()
        self._file = file
        self._looked_at = float("-inf")

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC, off by what the file says."""
        now = time.monotonic()
        if now - self._looked_at > _LOOK_SECONDS:
            self._looked_at = now
            with contextlib.suppress(OSError, ValueError):  # not there yet, or being written
                self.offset_ms = int(self._file.read_text(encoding="ascii"))
        return super().now_ms()


def process_clock() -> Clock:
    """The clock of this process: the machine's, unless a test names in CLOCK_OFFSET_FILE the file that steps it."""
    file = os.environ.get("CLOCK_OFFSET_FILE", "")
    return SteppedClock(Path(file)) if file else Clock()


class ServerTime:
    """The database server's clock as last asked, carried on by this node's monotonic clock.

    So a node's wall clock plays no part, and a transaction need not ask first, which would cost a round trip each time.
    A node that slept is behind for a few seconds: it takes leases for younger than they are, never for older.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._ahead_ms = 0.0
        self._asked_at: float | None = None

    def now_ms(self, clock: Clock, ask: Callable[[], int]) -> int:
        """Now by the server, asked at most every five seconds."""
        here = clock.monotonic()
        if self._asked_at is None or here - self._asked_at > _ASK_AGAIN_SECONDS:
            answered = ask()
            self._asked_at = here = clock.monotonic()
            self._ahead_ms = answered - here * 1000
        return int(here * 1000 + self._ahead_ms)


# STABLE, unlike clock_timestamp(), so an index serves it; and unlike now() it goes on while a transaction waits.
_POSTGRESQL_NOW = literal_column("CAST(floor(extract(epoch FROM statement_timestamp()) * 1000) AS bigint)", BigInteger)


def clock_of(conn: Connection) -> Clock:
    """The clock that the store left on the connection."""
    clock: Clock = conn.info[CLOCK]
    return clock


def sql_now(conn: Connection) -> ColumnElement[int]:
    """Now, in milliseconds, for use inside a statement: this process's clock on SQLite, the server's on PostgreSQL."""
    clock = clock_of(conn)
    if conn.dialect.name == "sqlite":
        return literal(clock.now_ms(), BigInteger)
    if clock.passed_ms:
        return _POSTGRESQL_NOW + literal(clock.passed_ms, BigInteger)
    return _POSTGRESQL_NOW


def now_ms(conn: Connection) -> int:
    """Now, in milliseconds, for a transaction that writes many rows by one time; on PostgreSQL the server's clock."""
    if conn.dialect.name == "sqlite":
        return clock_of(conn).now_ms()
    known: ServerTime = conn.info[SERVER_TIME]
    return known.now_ms(clock_of(conn), lambda: int(conn.execute(select(sql_now(conn))).scalar_one()))

"""Copies the embedded database while it is in use: one state of it, without keeping its owner waiting.

The copy reads from one open read transaction, so it sees one moment however long it takes, and neither the writer nor
the readers wait for it. Only the write-ahead log grows meanwhile, because nothing of it is reused before the copy ends.
"""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pysqlite3 import dbapi2

from gateway.backup.errors import BackupError, damaged, full

_PAGES = 2048
_BUSY_MILLISECONDS = 20_000


@dataclass(frozen=True, slots=True)
class Copied:
    """What the copy says of itself."""

    revision: str
    server: str


def copy_database(source: Path, target: Path, moved: Callable[[int, int], None] = lambda _done, _all: None) -> Copied:
    """Copy the database into a new file and look through it; `moved` is told pages done and all. Raises BackupError."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(_open(source)) as ours, closing(dbapi2.connect(str(target), isolation_level=None)) as theirs:
            ours.execute("BEGIN")
            revision = _revision(ours, source)
            ours.backup(
                theirs, pages=_PAGES, progress=lambda _status, remaining, total: moved(total - remaining, total)
            )
            ours.execute("ROLLBACK")
            theirs.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
            theirs.execute("PRAGMA synchronous = FULL")
            _require_sound(theirs, target)
    except dbapi2.Error as error:
        raise _told(error, source, target) from error
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return Copied(revision, f"SQLite {dbapi2.sqlite_version}")


def require_sound(path: Path) -> None:
    """Look through a database that nobody uses. Raises BackupError."""
    try:
        with closing(dbapi2.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as conn:
            _require_sound(conn, path)
    except dbapi2.Error as error:
        raise _told(error, path, path) from error


def is_empty(path: Path) -> bool:
    """Whether nothing was ever recorded in it: no principal and no request. A damaged one is not empty."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    try:
        with closing(_open(path)) as conn:
            tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return not any(
                conn.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608 - one of these two
                for name in ("principals", "requests")
                if name in tables
            )
    except dbapi2.Error:
        return False


def fold_journal(path: Path) -> bool:
    """Bring a database that nobody uses into one file; whether that could be done: a damaged one may not let it."""
    try:
        with closing(dbapi2.connect(str(path), isolation_level=None)) as conn:
            return bool(conn.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
    except dbapi2.Error:
        return False


def _open(path: Path) -> dbapi2.Connection:
    conn = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    conn.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    return conn


def _revision(conn: dbapi2.Connection, source: Path) -> str:
    try:
        return str(conn.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (dbapi2.OperationalError, TypeError):
        raise BackupError(
            f"ليس في {source} سجلّ لجسر بعد: لا شيء يُنسخ.", f"{source} is no record of Jisr yet: nothing to back up."
        ) from None


def _require_sound(conn: dbapi2.Connection, path: Path) -> None:
    sound = conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    if not sound or conn.execute("PRAGMA foreign_key_check").fetchone():
        raise damaged(path.name)


def _told(error: dbapi2.Error, source: Path, target: Path) -> BackupError:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case dbapi2.SQLITE_FULL:
            return full(target)
        case dbapi2.SQLITE_CORRUPT | dbapi2.SQLITE_NOTADB:
            return damaged(source.name)
        case dbapi2.SQLITE_CANTOPEN:
            return BackupError(f"لا يمكن فتح {source}.", f"{source} cannot be opened.")
        case _:
            return BackupError(f"تعذّر نسخ {source}: {error}.", f"{source} cannot be copied: {error}.")

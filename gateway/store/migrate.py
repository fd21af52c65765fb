"""Brings the schema of a database to the newest revision, in one transaction on either database.

`python -m gateway.store.migrate "add a column"` writes the next revision from the difference between the migrations
and `tables.py`; read it before you commit it.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from gateway.store.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
#: Two nodes that start together on PostgreSQL: one migrates, the other waits. Any number that nobody else uses.
ADVISORY_LOCK = 7_460_198_223


@dataclass(frozen=True, slots=True)
class Upgraded:
    """Which revision a database had (None: it was empty) and has now."""

    before: str | None
    after: str


def _config(conn: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = conn
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def head() -> str:
    """The revision that this code needs."""
    revision = _script().get_current_head()
    if revision is None:
        raise StoreError("this installation of Jisr has lost its migrations")
    return revision


def current(conn: Connection) -> str | None:
    """The revision that the database has; None when it has no tables yet."""
    return MigrationContext.configure(conn).get_current_revision()


def upgrade(conn: Connection, *, allowed: bool = True) -> Upgraded:
    """Migrate inside the caller's transaction. A database that is one revision newer than this code is used as it is:
    migrations only add, so that nodes of two versions work beside each other. Raises StoreError when it is newer than
    that, and when it is older and migrating is not `allowed`."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    before, target = current(conn), head()
    if before is not None and _is_newer(before):
        _refuse_far(before)
        return Upgraded(before, before)
    if before != target:
        if before is not None and not allowed:
            raise StoreError(_BEHIND.format(before=before, target=target))
        command.upgrade(_config(conn), "head")
    return Upgraded(before, target)


def require_current(conn: Connection) -> None:
    """Raise StoreError unless the database has the revision that this code needs, or the next one."""
    before = current(conn)
    if before == head():
        return
    if before is None or not _is_newer(before):
        raise StoreError(_BEHIND.format(before=before or "none", target=head()))
    _refuse_far(before)


_BEHIND = "the database has schema revision {before} and needs {target}: run `jisr db upgrade`"


def _is_newer(revision: str) -> bool:
    return revision not in {script.revision for script in _script().walk_revisions()}


def _refuse_far(revision: str) -> None:
    """Raise StoreError for a revision that this code does not know, unless it is the very next one."""
    if not revision.isdecimal() or int(revision) != int(head()) + 1:
        raise StoreError(
            f"the database has schema revision {revision}, which is newer than this version of Jisr by more than one "
            f"(it knows {head()}): upgrade Jisr first"
        )


def write_revision(message: str) -> None:
    """Write the next revision file into the migrations folder."""
    number = f"{len(list(_script().walk_revisions())) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/blank.db")
        with engine.begin() as conn:
            if _script().get_current_head() is not None:
                command.upgrade(_config(conn), "head")
            command.revision(_config(conn), message=message, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message", help="what the revision does, in a few words")
    write_revision(parser.parse_args().message)

"""Migrations: they make exactly the tables of tables.py, all or nothing, once, and refuse what they do not know."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pysqlite3 import dbapi2
from sqlalchemy import Connection, text

from gateway.security.keyring import Keyring
from gateway.store import migrate
from gateway.store.clock import Clock
from gateway.store.engine import Store, StoreError, open_store
from gateway.store.tables import metadata
from tests.conftest import Database
from tests.unit.gateway.store.counters import add, names

#: Opens the store and dies at the n-th statement that the database is given.
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import open_store

created = 0

@event.listens_for(Engine, "after_cursor_execute")
def count(conn, cursor, statement, *rest):
    global created
    if statement.lstrip().startswith("CREATE "):
        created += 1
        if created == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(open_store(sys.argv[1], Keyring.load(Path(sys.argv[2])), Clock()))
"""


async def test_the_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    def differences(conn: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), metadata))

    assert await store.read(differences) == []


async def test_the_partial_indexes_and_deferred_references_are_there(store: Store) -> None:
    """What alembic's comparison does not look at."""

    def definitions(conn: Connection) -> str:
        source = (
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
            if conn.dialect.name == "sqlite"
            else "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        )
        return "\n".join(conn.execute(text(source)).scalars()).upper()

    sql = await store.read(definitions)
    for table in metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options[store.dialect]["where"]
            line = next(line for line in sql.split("\nCREATE") if f" {index.name} ".upper() in line)
            assert ("WHERE" in line) is (where is not None), index.name
    assert sql.count("DEFERRABLE INITIALLY DEFERRED") == sum(
        bool(constraint.deferrable)
        for table in metadata.tables.values()
        for constraint in table.foreign_key_constraints
    )


def test_whatever_refers_to_a_request_is_found_by_an_index() -> None:
    """SQLite looks through the referring tables at every insert of a request while a deferred reference is open."""
    for table in metadata.tables.values():
        found = {next(iter(index.columns)).name for index in table.indexes} | {next(iter(table.primary_key)).name}
        found |= {column.name for column in table.columns if column.unique}
        referring = {
            column.name
            for column in table.columns
            for key in column.foreign_keys
            if key.column.table.name == "requests"
        }
        assert referring <= found, table.name


async def test_an_empty_database_is_migrated_and_a_current_one_left_alone(
    empty_database: Database, keyring: Keyring, clock: Clock
) -> None:
    first = await open_store(empty_database.url, keyring, clock)
    assert first.upgraded == migrate.Upgraded(None, migrate.head())
    await first.close()
    second = await open_store(empty_database.url, keyring, clock)
    assert second.upgraded == migrate.Upgraded(migrate.head(), migrate.head())
    await second.close()


@pytest.mark.parametrize("statement", [1, 2, 9, 20])
def test_c8_a_kill_in_the_middle_of_a_migration_leaves_nothing_and_a_restart_completes(
    statement: int, empty_database: Database, keyring: Keyring, keyring_path: Path
) -> None:
    command = [sys.executable, "-c", DYING, empty_database.url, str(keyring_path), str(statement)]
    killed = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if empty_database.path is not None:
        raw = dbapi2.connect(str(empty_database.path))
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == []
        raw.close()

    async def restart() -> None:
        store = await open_store(empty_database.url, keyring, Clock())
        assert store.upgraded == migrate.Upgraded(None, migrate.head())
        await store.write(add, "works")
        await store.close()

    asyncio.run(restart())


async def test_a_database_that_is_newer_than_the_code_is_refused_and_left_alone(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    store = await open_store(database.url, keyring, clock)
    await store.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount)
    await store.close()
    for read_only in (False, True):
        with pytest.raises(
            StoreError, match="revision 9999, which is newer than this version of Jisr by more than one"
        ):
            await open_store(database.url, keyring, clock, read_only=read_only)


async def test_a_store_for_reading_does_not_migrate(empty_database: Database, keyring: Keyring, clock: Clock) -> None:
    with pytest.raises(StoreError, match=r"jisr db upgrade|does not exist yet"):
        await open_store(empty_database.url, keyring, clock, read_only=True)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_two_nodes_that_start_together_on_an_empty_database_both_come_up(
    empty_database: Database, keyring: Keyring
) -> None:
    stores = await asyncio.gather(*(open_store(empty_database.url, keyring, Clock()) for _ in range(4)))
    assert sorted(store.generation for store in stores) == [1, 2, 3, 4]
    assert [store.upgraded.before for store in stores if store.upgraded].count(None) == 1
    await stores[0].write(add, "shared")
    assert await stores[3].read(names) == {"shared"}
    for store in stores:
        await store.close()

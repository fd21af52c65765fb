"""What every test may ask for: a clock, a keyring, and a fresh migrated database of both kinds.

A test that takes `database` or `store` runs twice, on SQLite and on PostgreSQL. A missing PostgreSQL is a failure.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import Store, open_store
from tests.postgresql import Server, running_server

pytest_plugins = ["tests.sandboxes", "tests.gateways", "tests.offices"]


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh database with all tables, and nobody connected to it."""

    dialect: str  #: "sqlite" or "postgresql"
    url: str  #: Good for any process of this machine.
    path: Path | None  #: The file, on SQLite.


@pytest.fixture
def clock() -> Clock:
    """A real clock that the test may move: `clock.advance(seconds)`, `clock.jump(seconds)`."""
    return Clock()


@pytest.fixture(scope="session")
def keyring_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the session's keyring, for child processes."""
    path = tmp_path_factory.mktemp("keyring") / "keyring.json"
    Keyring.create(path)
    return path


@pytest.fixture(scope="session")
def keyring(keyring_path: Path) -> Keyring:
    """The session's keyring."""
    return Keyring.load(keyring_path)


def _migrate(url: str, keyring: Keyring) -> None:
    async def open_and_close() -> None:
        await (await open_store(url, keyring, Clock())).close()

    asyncio.run(open_and_close())


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """One PostgreSQL server for the whole session."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: Server, keyring: Keyring) -> str:
    """The name of a migrated database that others are copied from."""
    name = "jisr_template"
    postgresql_server.execute(f'CREATE DATABASE "{name}"')
    _migrate(postgresql_server.url(name), keyring)
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    """A migrated SQLite file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "jisr.db"
    _migrate(f"sqlite:///{path}", keyring)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Both kinds of database, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def database(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh migrated database, gone after the test."""
    if dialect == "sqlite":
        path = tmp_path / "jisr.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield Database(dialect, f"sqlite:///{path}", path)
        return
    template: str = request.getfixturevalue("postgresql_template")
    server: Server = request.getfixturevalue("postgresql_server")
    with server.fresh_database(template) as url:
        yield Database(dialect, url, None)


@pytest.fixture
def empty_database(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table: on SQLite a file that does not exist yet."""
    if dialect == "sqlite":
        path = tmp_path / "empty.db"
        yield Database(dialect, f"sqlite:///{path}", path)
        return
    server: Server = request.getfixturevalue("postgresql_server")
    with server.fresh_database() as url:
        yield Database(dialect, url, None)


@pytest.fixture
async def store(database: Database, keyring: Keyring, clock: Clock) -> AsyncIterator[Store]:
    """An open store on a fresh database."""
    opened = await open_store(database.url, keyring, clock)
    yield opened
    await opened.close()

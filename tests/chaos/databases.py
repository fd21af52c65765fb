"""The two kinds of database: what a run asks them, and how a server is killed and comes back."""

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from pysqlite3 import dbapi2 as sqlite3

from tests.postgresql import running_server

QUERY_SECONDS = 5.0


class Database(Protocol):
    """A record database under a run."""

    dialect: str
    url: str

    async def up(self) -> None:
        """Wait until processes may be started on it."""

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The result of a query, read beside whatever runs. Raises OSError when it cannot be asked now."""

    async def problems(self) -> list[str]:
        """What the database itself says to be wrong with its files."""

    def close(self) -> None:
        """End it."""


class Embedded:
    """An SQLite file, which one process owns; there is no server to be killed."""

    dialect = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "jisr.sqlite"
        self.url = f"sqlite:///{self.path}"

    async def up(self) -> None:
        """It is a file."""

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read it as a reader beside the owner, or while there is none."""
        return await asyncio.to_thread(self._rows, query)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=QUERY_SECONDS)
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        try:
            return list(connection.execute(query))
        except sqlite3.OperationalError as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    async def problems(self) -> list[str]:
        """`PRAGMA integrity_check` and `foreign_key_check`."""
        said = [str(row[0]) for row in await self.rows("PRAGMA integrity_check")]
        strangers = [
            f"a row of {row[0]} refers to none of {row[2]}" for row in await self.rows("PRAGMA foreign_key_check")
        ]
        return [line for line in said if line != "ok"] + strangers

    def close(self) -> None:
        """Nothing runs."""


class Server:
    """A PostgreSQL server of our own."""

    dialect = "postgresql"

    def __init__(self) -> None:
        """Starts it."""
        self._ending = ExitStack()
        self._server = self._ending.enter_context(running_server())
        self._server.execute("CREATE DATABASE chaos")
        self.url = self._server.url("chaos")
        self.is_up = asyncio.Event()
        self.is_up.set()
        self._returning: asyncio.Task[None] | None = None

    async def up(self) -> None:
        """Wait until the server runs. Raises what keeps it from coming back."""
        if self._returning is not None:
            await asyncio.shield(self._returning)
        await self.is_up.wait()

    async def kill(self, number: signal.Signals, pause_seconds: float) -> None:
        """End it by this signal, and start it again on its files after a pause, also when nobody waits for it any more."""
        self.is_up.clear()
        self._returning = asyncio.create_task(self._return(number, pause_seconds))
        await asyncio.shield(self._returning)

    async def _return(self, number: signal.Signals, pause_seconds: float) -> None:
        await asyncio.to_thread(self._server.end, number)
        await asyncio.sleep(pause_seconds)
        await asyncio.to_thread(self._server.start_again)
        self.is_up.set()

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Over a connection of its own."""
        try:
            connection = await asyncpg.connect(self.url, timeout=QUERY_SECONDS)
            try:
                return [tuple(row) for row in await connection.fetch(query, timeout=QUERY_SECONDS * 4)]
            finally:
                connection.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError) as error:
            raise OSError(str(error)) from error

    async def problems(self) -> list[str]:
        """What the server's own checks of its b-trees find."""
        await self.rows("CREATE EXTENSION IF NOT EXISTS amcheck")
        indexes = await self.rows(
            "SELECT c.oid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE a.amname = 'btree' AND n.nspname = 'public' AND i.indisvalid"
        )
        found = []
        for (name,) in indexes:
            try:
                await self.rows(f"SELECT bt_index_check('{name}'::regclass, true)")
            except OSError as error:
                found.append(f"{name}: {error}")
        return found

    def close(self) -> None:
        """End it and remove its files."""
        self._ending.close()

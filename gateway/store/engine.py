"""The record store as the rest of the gateway sees it: functions on a connection, run in transactions that are durable.

A store function is `def f(conn, …)` on SQLAlchemy Core and knows no database by name. It must not end the transaction
itself; `conn.begin_nested()` is allowed. On PostgreSQL it may run again after a deadlock, so it changes nothing outside
the database.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from gateway.security.keyring import Keyring
from gateway.store import sealed
from gateway.store.clock import Clock
from gateway.store.errors import CommitUnknown, StorageFull, StoreError, StoreUnavailable
from gateway.store.migrate import Upgraded
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from gateway.store.webhooks.subscribers import Subscribers

__all__ = ["CommitUnknown", "StorageFull", "Store", "StoreError", "StoreUnavailable", "open_store"]

#: What a database URL looks like.
FORMS = "sqlite:///folder/jisr.db or postgresql://user@host/name"

T = TypeVar("T")
R = TypeVar("R")


class Store(Protocol):
    """One open record database."""

    dialect: str  #: "sqlite" or "postgresql"
    generation: int  #: Number of this start, 0 when read only; `f"g{generation}"` is a worker id of this start alone.
    subscribers: Subscribers  #: The channels with webhooks, as far as this process knows.
    upgraded: Upgraded | None  #: What the migration at the start did; None when opened for reading only.

    async def write(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn(conn, *args)` in one transaction; the result comes after COMMIT.

        A cancelled caller's write goes on.
        """

    async def read(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn(conn, *args)` on a connection that writes nothing; it never waits for a writer."""

    async def batch(self, fn: Callable[[Connection, Sequence[R]], Sequence[T]], row: R) -> T:
        """Run `fn(conn, rows)` once for all that call it now; the row's own result comes after COMMIT.

        `fn` must be the same object at every call (a module's function) and gives one result per row, in order. When it
        raises, the rows are run one by one, so that a bad row fails alone.
        """

    async def close(self) -> None:
        """Finish what waits and let the database go."""


async def open_store(
    database_url: str,
    keyring: Keyring,
    clock: Clock,
    *,
    read_only: bool = False,
    restoring: bool = False,
    migrates: bool = True,
) -> Store:
    """Open the database, migrate it to this version, and bind the keyring for the whole process.

    `sqlite:///folder/jisr.db` (the process becomes its owner) or `postgresql://user@host/name`, where `?host=/folder`
    names a Unix socket. `read_only` takes no ownership, migrates nothing and refuses writes. `restoring` is for whoever
    puts a backup back: everybody else is refused until that is done. Without `migrates` an older schema is refused; one
    that is one revision newer is used as it is. Raises StoreError.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the database URL cannot be read: write {FORMS}") from None
    sealed.use(keyring)
    match url.get_backend_name():
        case "sqlite":
            return await open_sqlite(url, clock, read_only=read_only, migrates=migrates)
        case "postgresql" | "postgres":
            return await open_postgres(url, clock, read_only=read_only, restoring=restoring, migrates=migrates)
        case other:
            raise StoreError(f"the database URL names {other!r}: only sqlite and postgresql are known")

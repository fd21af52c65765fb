"""Store functions that the tests of the store share: counters and notes in the `tokens` table, which has no references."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Connection, func, insert, select, update

from gateway.store.tables import idempotency, tokens


def add(conn: Connection, name: str, value: bytes | None = None) -> str:
    """Insert a row; a second one of the same name breaks the primary key."""
    conn.execute(insert(tokens).values(name=name, value=value, expires_at=0, fetching_until=0))
    return name


def add_all(conn: Connection, names: Sequence[str]) -> list[str]:
    """The batch form of `add`, one statement for all rows."""
    rows = [{"name": name, "value": None, "expires_at": len(names), "fetching_until": 0} for name in names]
    conn.execute(insert(tokens), rows)
    return [name.upper() for name in names]


def names(conn: Connection) -> set[str]:
    """The names of all rows."""
    return set(conn.scalars(select(tokens.c.name)))


def count_up(conn: Connection, name: str) -> int:
    """Read, then write what was read plus one: loses updates wherever two of them can overlap."""
    row = conn.execute(select(tokens.c.expires_at).where(tokens.c.name == name).with_for_update()).one()
    conn.execute(update(tokens).where(tokens.c.name == name).values(expires_at=row.expires_at + 1))
    return int(row.expires_at) + 1


def counted(conn: Connection, name: str) -> int:
    """Where a counter stands."""
    return int(conn.execute(select(tokens.c.expires_at).where(tokens.c.name == name)).scalar_one())


def largest_batch(conn: Connection) -> int:
    """The most rows that one call of `add_all` was given."""
    return int(conn.execute(select(func.max(tokens.c.expires_at))).scalar_one())


def orphan(conn: Connection, key: str) -> str:
    """Insert an idempotency key of no request: a deferred constraint that only COMMIT finds broken."""
    conn.execute(
        insert(idempotency).values(
            channel_id="channel",
            key=key,
            scope="requests",
            body_hash=b"",
            request_id="none",
            status="accepted",
            answer=b"",
            created_at=0,
            expires_at=0,
        )
    )
    return key


def add_or_orphan(conn: Connection, rows: Sequence[str]) -> list[str]:
    """A batch in which a row called "orphan" makes COMMIT fail."""
    return [orphan(conn, row) if row == "orphan" else add(conn, row) for row in rows]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds; the test fails when it does not within a minute."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - the condition is in the database
            await asyncio.sleep(0.005)

"""The token cache of all workers: one of them fetches, the others wait for what it brings.

Within a process, callers of one name share one look-up. Between processes the row's `fetching_until` is a short lease:
who holds it fetches and prolongs it meanwhile, and when its holder dies it runs out and another takes it.
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, cast, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connectors.kit.contract import Token
from connectors.kit.errors import TokenUnavailable
from gateway.store.clock import Clock, sql_now
from gateway.store.engine import Store, StoreError
from gateway.store.tables import tokens

#: Whoever fetches says so again and again; when it has said nothing for so long it is dead, and another may fetch.
LEASE_SECONDS = 5
_PROLONG_SECONDS = 1.5
#: A token that ends sooner than this is not used any more: the request that carries it must arrive in time.
MARGIN_SECONDS = 10
#: How often a waiting worker looks whether the fetching one is done.
LOOK_SECONDS = 0.1

Fetch = Callable[[], Awaitable[Token]]


@dataclass(frozen=True, slots=True)
class _Held:
    """A token as this process remembers it."""

    value: str
    expires_at_ms: int


@dataclass(slots=True)
class _Lease:
    """The right to fetch; `until` proves that it is still this one, and grows while the fetch lasts."""

    until: int


class StoreTokens:
    """`TokenCache` on the `tokens` table; values are sealed there."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """One instance per process, for all names."""
        self._store = store
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._flights: dict[str, asyncio.Task[_Held]] = {}

    async def get(self, name: str, fetch: Fetch, *, rejected: str | None = None) -> str:
        """The token of `name`, fetched by one worker of all. Raises what `fetch` raises, to everybody who waits for it.

        Raises TokenUnavailable when a fresh fetch brings the rejected value again.
        """
        mine = False
        while not mine:
            held = self._held.get(name)
            if held is not None and self._usable(held, rejected):
                return held.value
            flight = self._flights.get(name)
            mine = flight is None
            if flight is None:
                flight = self._start(name, fetch, rejected)
            brought = await asyncio.shield(flight)
            if brought.value != rejected:
                return brought.value
            # Somebody else's look-up did not know that this value is refused: make one that does.
        raise TokenUnavailable(f"the token of {name} was refused, and a fresh fetch brought the same one")

    def _start(self, name: str, fetch: Fetch, rejected: str | None) -> asyncio.Task[_Held]:
        flight = asyncio.get_running_loop().create_task(self._look_up(name, fetch, rejected))
        self._flights[name] = flight
        flight.add_done_callback(lambda task: self._landed(name, task))
        return flight

    def _landed(self, name: str, task: asyncio.Task[_Held]) -> None:
        if self._flights.get(name) is task:
            del self._flights[name]
        if not task.cancelled():
            task.exception()  # seen, also when every caller has gone away

    def _usable(self, held: _Held, rejected: str | None) -> bool:
        return held.value != rejected and held.expires_at_ms > self._clock.now_ms() + MARGIN_SECONDS * 1000

    async def _look_up(self, name: str, fetch: Fetch, rejected: str | None) -> _Held:
        """Take the row's token when it is good, else fetch under the lease, else wait for whoever does."""
        while True:
            found = await self._store.write(_claim, name, rejected, self._clock.now_ms() + MARGIN_SECONDS * 1000)
            held = await self._fetch(name, fetch, found) if isinstance(found, _Lease) else found
            if held is not None:
                self._held[name] = held
                return held
            await asyncio.sleep(LOOK_SECONDS)

    async def _fetch(self, name: str, fetch: Fetch, lease: _Lease) -> _Held | None:
        """Fetch and keep; None when the lease ran out meanwhile and another worker's token counts."""
        over = asyncio.Event()
        prolonging = asyncio.get_running_loop().create_task(self._prolong(name, lease, over))
        try:
            token = await fetch()
        except BaseException:
            over.set()
            await prolonging
            await self._store.write(_give_back, name, lease)
            raise
        over.set()
        await prolonging
        held = _Held(token.value, math.floor(token.expires_at.timestamp() * 1000))
        return held if await self._store.write(_keep, name, held, lease) else None

    async def _prolong(self, name: str, lease: _Lease, over: asyncio.Event) -> None:
        """Keep the lease until the fetch is over; a store that fails is asked again."""
        while lease.until > 0 and not over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PROLONG_SECONDS):
                    await over.wait()
            if not over.is_set():
                with contextlib.suppress(StoreError):
                    lease.until = await self._store.write(_longer, name, lease.until)


def _longer(conn: Connection, name: str, until: int) -> int:
    """The lease's new end; -1, which no row has, when it was lost."""
    mine = (tokens.c.name == name, tokens.c.fetching_until == until)
    later = update(tokens).where(*mine).values(fetching_until=cast(sql_now(conn), BigInteger) + LEASE_SECONDS * 1000)
    return int(conn.execute(later.returning(tokens.c.fetching_until)).scalar_one_or_none() or -1)


def _claim(conn: Connection, name: str, rejected: str | None, needed_until: int) -> _Held | _Lease | None:
    """The row's token when it is good, else the lease when nobody holds it, else None."""
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    blank = dialect.insert(tokens).values(name=name, value=None, expires_at=0, fetching_until=0)
    conn.execute(blank.on_conflict_do_nothing())
    row = conn.execute(select(tokens).where(tokens.c.name == name).with_for_update()).one()
    if row.value is not None and row.expires_at > needed_until:
        value = row.value.decode()
        if value != rejected:
            return _Held(value, row.expires_at)
    now = sql_now(conn)
    taken = conn.execute(
        update(tokens)
        .where(
            tokens.c.name == name,
            tokens.c.fetching_until <= now,
        )
        .values(fetching_until=cast(now, BigInteger) + LEASE_SECONDS * 1000)
        .returning(tokens.c.fetching_until)
    ).scalar_one_or_none()
    return None if taken is None else _Lease(taken)


def _keep(conn: Connection, name: str, held: _Held, lease: _Lease) -> bool:
    """Store a fetched token and free the lease; false when the lease was lost."""
    statement = (
        update(tokens)
        .where(tokens.c.name == name, tokens.c.fetching_until == lease.until)
        .values(value=held.value.encode(), expires_at=held.expires_at_ms, fetching_until=0)
    )
    return conn.execute(statement).rowcount == 1


def _give_back(conn: Connection, name: str, lease: _Lease) -> None:
    """Free the lease after a failed fetch, so that the next caller need not wait for its end."""
    conn.execute(
        update(tokens).where(tokens.c.name == name, tokens.c.fetching_until == lease.until).values(fetching_until=0)
    )

"""Leaders over one database, with a timetable that a test may hold up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from gateway.store.clock import Clock
from gateway.store.engine import Store, open_store
from gateway.store.schedule import fires
from gateway.store.schedule.fence import FencedStore
from gateway.store.schedule.fires import Fire
from scheduler.leader import Leader
from scheduler.times import Every
from scheduler.timetable import CatchUp, Entry
from tests.conftest import Database

LEASE_SECONDS = 30.0
MINUTE = 60_000


def mark(conn, who):
    """A write of a chore, which another one would see."""
    conn.execute(text("INSERT INTO tokens (name, expires_at, fetching_until) VALUES (:who, 0, 0)"), {"who": who})


def marks(conn):
    return sorted(conn.execute(text("SELECT name FROM tokens")).scalars())


@dataclass
class Node:
    """One process: its store, its leader, and what its chore did."""

    name: str
    store: Store
    leader: Leader = None  # type: ignore[assignment]
    begun: int = 0
    ended: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)  #: The chore waits here between its two writes.
    began: asyncio.Event = field(default_factory=asyncio.Event)
    wrote: asyncio.Event = field(default_factory=asyncio.Event)
    fails: Exception | None = None

    async def chore(self) -> None:
        self.begun += 1
        self.began.set()
        mine, count = FencedStore(self.store), self.begun
        await mine.write(mark, f"{self.name}-{count}-begun")
        self.wrote.set()
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        await mine.write(mark, f"{self.name}-{count}-ended")
        self.ended += 1

    async def hang(self) -> None:
        """One look that begins the chore, which hangs between its writes until the gate opens."""
        self.gate.clear()
        await self.leader.step()
        if self.leader._running:
            await self.began.wait()

    async def look(self) -> None:
        """One look, and wait for what it began, and for what waited behind that."""
        before = -1
        while before != self.begun:
            before = self.begun
            await self.leader.step()
            if self.gate.is_set():
                await self.leader.settled()


@dataclass
class House:
    """The nodes of one database."""

    database: Database
    keyring: object
    clock: Clock
    first: Store
    nodes: list[Node] = field(default_factory=list)
    opened: list[Store] = field(default_factory=list)

    async def node(self, catch_up: CatchUp = CatchUp.ONCE, every: float = 60) -> Node:
        """Another process; on SQLite, where there is one at a time, the next life of the same."""
        store = self.first
        if self.nodes and self.first.dialect == "postgresql":
            store = await open_store(self.database.url, self.keyring, self.clock)  # type: ignore[arg-type]
            self.opened.append(store)
        node = Node(f"w{len(self.nodes)}", store)
        node.gate.set()
        entry = Entry("chore", Every(every), catch_up, ("", ""), node.chore)
        node.leader = Leader(store, [entry], node.name, LEASE_SECONDS)
        self.nodes.append(node)
        return node

    async def history(self) -> list[Fire]:
        """Oldest first."""
        return list(reversed(await self.first.read(fires.history, None, (), 1000)))

    async def marks(self) -> list[str]:
        found: list[str] = await self.first.read(marks)
        return found


@pytest.fixture
async def house(store: Store, database: Database, keyring: object, clock: Clock) -> AsyncIterator[House]:
    made = House(database, keyring, clock, store)
    yield made
    for node in made.nodes:
        node.gate.set()
        await node.leader.stop(5)
    for each in made.opened:
        await each.close()


@pytest.fixture
def to_the_next(clock: Clock) -> Callable[..., int]:
    """Let time pass until a second after the next full minute, or of as many seconds as are given; that moment."""

    def advance(seconds: int = 60) -> int:
        now = clock.now_ms()
        target = now - now % (seconds * 1000) + seconds * 1000
        clock.advance((target - now) / 1000 + 1)
        return target

    return advance

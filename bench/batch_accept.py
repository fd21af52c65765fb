"""Store level: accepts per second in batches against one transaction each, with 64 that wait at any time."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy import Connection, func, insert, select

from bench.measure import Goal, Measurement, Place
from gateway.ids import new_id
from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import Store, open_store
from gateway.store.requests import Accepted, Existing, NewIntent, NewRequest, accept
from gateway.store.sqlite import SqliteStore
from gateway.store.tables import principals, requests

WAITING = 64
BATCHED = 4096
SINGLE = 1024
CHANNEL = "bench"
CONTENT = b'{"applicant": {"national_number": "01234567890"}, "input": {"session": "2024"}}'

Submit = Callable[[Store, NewRequest], Awaitable[Accepted | Existing]]


def _channel(conn: Connection) -> None:
    conn.execute(
        insert(principals).values(
            id=CHANNEL,
            kind="channel",
            name=CHANNEL,
            key_hash=b"",
            roles="[]",
            services='["*"]',
            priority=1,
            created_at=0,
        )
    )


def _count(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(requests)).scalar_one())


def _request() -> NewRequest:
    identity = new_id()
    return NewRequest(
        id=identity,
        channel_id=CHANNEL,
        key=identity,
        body_hash=os.urandom(32),
        answer=b'{"id": "", "state": "accepted"}',
        service="education.secondary-certificate-copy",
        language="ar",
        priority=1,
        reference=None,
        traceparent="00-00000000000000000000000000000001-0000000000000001-01",
        content=CONTENT,
        progress=b"{}",
        applicant_index=os.urandom(32),
        mapping_version="1",
        step=0,
        phase="",
        lane="education.check",
        intent=NewIntent(new_id(), 2500, "SYP", "SYP-new"),
        keep_key_ms=1000,
        created_at=0,
        claim_for=None,
        lease_ms=30_000,
    )


def _one(conn: Connection, row: NewRequest) -> Accepted | Existing:
    return accept(conn, [row])[0]


async def _batched(store: Store, row: NewRequest) -> Accepted | Existing:
    return await store.batch(accept, row)


async def _alone(store: Store, row: NewRequest) -> Accepted | Existing:
    return await store.write(_one, row)


async def _per_second(store: Store, submit: Submit, count: int, waiting: int) -> float:
    """Submit `count` accepts with `waiting` of them under way; the rate at which they are answered."""
    rows = iter([_request() for _ in range(count)])

    async def client() -> None:
        for row in rows:
            assert isinstance(await submit(store, row), Accepted)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(waiting)))
    return count / (time.perf_counter() - started)


async def run(place: Place) -> dict[str, float]:
    """One ratio: both sides on the same database, the odd runs in the other order."""
    store = await open_store(place.url, Keyring.generate(), Clock())
    try:
        await store.write(_channel)
        sides: list[tuple[str, Submit, int]] = [("batched", _batched, BATCHED), ("alone", _alone, SINGLE)]
        rates: dict[str, float] = {}
        for name, submit, count in sides[:: -1 if place.run % 2 else 1]:
            await _per_second(store, submit, WAITING, WAITING)  # warm the statements
            with _one_commit_each(store) if name == "alone" else nullcontext():
                rates[name] = await _per_second(store, submit, count, WAITING)
        assert await store.read(_count) == BATCHED + SINGLE + 2 * WAITING
    finally:
        await store.close()
    return {"batch_accept_gain": rates["batched"] / rates["alone"]}


@contextmanager
def _one_commit_each(store: Store) -> Iterator[None]:
    """SQLite's writer lets waiting writes share a COMMIT; here it must not, or there is nothing to compare with."""
    if not isinstance(store, SqliteStore):
        yield
        return
    usual, store.max_group = store.max_group, 1
    yield
    store.max_group = usual


MEASUREMENTS = [Measurement("batch_accept_gain", "times", Goal(5, at_least=True), run)]

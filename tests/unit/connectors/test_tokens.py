"""The token cache of one process."""

import asyncio
from datetime import UTC, datetime, timedelta

from connectors.kit.contract import Token
from connectors.kit.tokens import LocalTokens

START = datetime(2026, 3, 1, tzinfo=UTC)


class Source:
    def __init__(self):
        self.now = START
        self.fetched = 0

    async def fetch(self) -> Token:
        self.fetched += 1
        await asyncio.sleep(0)
        return Token(f"t{self.fetched}", self.now + timedelta(seconds=60))


async def test_many_callers_fetch_once():
    source = Source()
    cache = LocalTokens(lambda: source.now)
    assert set(await asyncio.gather(*(cache.get("a", source.fetch) for _ in range(20)))) == {"t1"}


async def test_a_token_ends_with_its_time():
    source = Source()
    cache = LocalTokens(lambda: source.now)
    await cache.get("a", source.fetch)
    source.now += timedelta(seconds=60)
    assert await cache.get("a", source.fetch) == "t2"


async def test_a_rejected_token_is_never_returned_and_refetched_once():
    source = Source()
    cache = LocalTokens(lambda: source.now)
    await cache.get("a", source.fetch)
    assert set(await asyncio.gather(*(cache.get("a", source.fetch, rejected="t1") for _ in range(20)))) == {"t2"}
    assert source.fetched == 2

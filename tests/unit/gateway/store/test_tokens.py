"""One token for all workers: who fetches, who waits, and what is never returned. Two `StoreTokens` are two workers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, text

from connectors.kit.contract import Token
from connectors.kit.errors import TokenUnavailable
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.tables import tokens
from gateway.store.tokens import LEASE_SECONDS, StoreTokens, _claim
from tests.unit.gateway.store.counters import until

NAME = "invented_wallet"


class Issuer:
    """The token operation of a counterparty: counts its calls and answers when `gate` is open."""

    def __init__(self, clock: Clock, *, lifetime_seconds: float = 600, prefix: str = "token") -> None:
        """Tokens live for `lifetime_seconds`."""
        self.clock = clock
        self.lifetime_seconds = lifetime_seconds
        self.prefix = prefix
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def fetch(self) -> Token:
        """Issue the next token."""
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Token(f"{self.prefix}-{number}", self.clock.utcnow() + timedelta(seconds=self.lifetime_seconds))

    def called(self, times: int = 1) -> Callable[[], Awaitable[bool]]:
        """A condition for `until`."""

        async def condition() -> bool:
            return self.calls >= times

        return condition


@pytest.fixture
def issuer(clock: Clock) -> Issuer:
    """A counterparty that issues tokens."""
    return Issuer(clock)


@pytest.fixture
def workers(store: Store, clock: Clock) -> tuple[StoreTokens, StoreTokens]:
    """Two workers that share nothing but the database."""
    return StoreTokens(store, clock), StoreTokens(store, clock)


async def test_twenty_callers_on_two_workers_fetch_exactly_once(
    workers: tuple[StoreTokens, StoreTokens], issuer: Issuer
) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(workers[number % 2].get(NAME, issuer.fetch)) for number in range(20)]
    await until(issuer.called())
    issuer.gate.set()
    assert set(await asyncio.gather(*callers)) == {"token-1"}
    assert issuer.calls == 1


async def test_a_rejected_token_is_never_returned_and_replaced_once(
    workers: tuple[StoreTokens, StoreTokens], issuer: Issuer
) -> None:
    assert [await worker.get(NAME, issuer.fetch) for worker in workers] == ["token-1", "token-1"]
    callers = [workers[number % 2].get(NAME, issuer.fetch, rejected="token-1") for number in range(20)]
    assert set(await asyncio.gather(*callers)) == {"token-2"}
    assert issuer.calls == 2
    assert await workers[0].get(NAME, issuer.fetch) == "token-2"


async def test_an_issuer_that_repeats_the_rejected_token_is_an_error(
    workers: tuple[StoreTokens, StoreTokens], clock: Clock
) -> None:
    async def stubborn() -> Token:
        return Token("same", clock.utcnow() + timedelta(seconds=600))

    assert await workers[0].get(NAME, stubborn) == "same"
    with pytest.raises(TokenUnavailable) as caught:
        await workers[0].get(NAME, stubborn, rejected="same")
    assert "same one" in str(caught.value)
    assert "'same'" not in str(caught.value)


async def test_a_token_is_fetched_again_before_it_ends(
    workers: tuple[StoreTokens, StoreTokens], issuer: Issuer, clock: Clock
) -> None:
    assert await workers[0].get(NAME, issuer.fetch) == "token-1"
    clock.advance(580)
    assert await workers[0].get(NAME, issuer.fetch) == "token-1"
    clock.advance(11)
    assert await workers[0].get(NAME, issuer.fetch) == "token-2"
    assert await workers[1].get(NAME, issuer.fetch) == "token-2"


async def test_a_fetcher_that_dies_is_replaced_after_its_lease(
    store: Store, workers: tuple[StoreTokens, StoreTokens], issuer: Issuer, clock: Clock
) -> None:
    await store.write(_claim, NAME, None, clock.now_ms())  # a worker takes the lease, and no more is heard of it
    waiting = asyncio.create_task(workers[1].get(NAME, issuer.fetch))
    clock.advance(LEASE_SECONDS - 1)
    assert await store.write(_claim, NAME, None, clock.now_ms()) is None
    assert issuer.calls == 0
    clock.advance(2)
    assert await waiting == "token-1"


async def test_a_fetcher_that_outlives_its_lease_takes_what_its_successor_brought(
    workers: tuple[StoreTokens, StoreTokens], clock: Clock
) -> None:
    slow, quick = Issuer(clock, prefix="slow"), Issuer(clock, prefix="quick")
    slow.gate.clear()
    first = asyncio.create_task(workers[0].get(NAME, slow.fetch))
    await until(slow.called())
    clock.advance(LEASE_SECONDS + 1)
    assert await workers[1].get(NAME, quick.fetch) == "quick-1"
    slow.gate.set()
    assert await first == "quick-1"


async def test_c3_a_fetcher_that_takes_its_time_prolongs_its_lease_and_is_not_replaced(
    store: Store,
    workers: tuple[StoreTokens, StoreTokens],
    issuer: Issuer,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.store.tokens._PROLONG_SECONDS", 0.01)

    async def lease() -> int:
        return int(await store.read(lambda conn: conn.execute(select(tokens.c.fetching_until)).scalar_one()))

    issuer.gate.clear()
    first = asyncio.create_task(workers[0].get(NAME, issuer.fetch))
    await until(issuer.called())
    for _ in range(3):
        before = await lease()
        clock.advance(LEASE_SECONDS - 1)

        async def longer(before: int = before) -> bool:
            return await lease() > before

        await until(longer)
    second = asyncio.create_task(workers[1].get(NAME, issuer.fetch))
    issuer.gate.set()
    assert [await first, await second] == ["token-1", "token-1"]
    assert issuer.calls == 1


async def test_a_failed_fetch_fails_those_who_wait_and_frees_the_lease(
    workers: tuple[StoreTokens, StoreTokens], issuer: Issuer
) -> None:
    issuer.error = TokenUnavailable("the token operation answered 500")
    outcomes = await asyncio.gather(*(workers[0].get(NAME, issuer.fetch) for _ in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {TokenUnavailable}
    assert issuer.calls == 1
    issuer.error = None
    assert await workers[1].get(NAME, issuer.fetch) == "token-2"


async def test_a_caller_that_goes_away_does_not_break_the_fetch_of_the_others(
    workers: tuple[StoreTokens, StoreTokens], issuer: Issuer
) -> None:
    issuer.gate.clear()
    gone, stays = (asyncio.create_task(workers[0].get(NAME, issuer.fetch)) for _ in range(2))
    await until(issuer.called())
    gone.cancel()
    issuer.gate.set()
    assert await stays == "token-1"
    assert issuer.calls == 1


async def test_a_token_that_lives_shorter_than_the_margin_still_serves_the_call_that_fetched_it(
    workers: tuple[StoreTokens, StoreTokens], clock: Clock
) -> None:
    issuer = Issuer(clock, lifetime_seconds=2)
    assert await workers[0].get(NAME, issuer.fetch) == "token-1"


async def test_names_do_not_share_tokens(workers: tuple[StoreTokens, StoreTokens], issuer: Issuer) -> None:
    assert await workers[0].get("one", issuer.fetch) != await workers[0].get("two", issuer.fetch)


async def test_the_token_is_sealed_in_the_database(
    store: Store, workers: tuple[StoreTokens, StoreTokens], issuer: Issuer
) -> None:
    def stored(conn: Connection) -> tuple[bytes, bytes]:
        raw = conn.execute(text("SELECT value FROM tokens")).scalar_one()
        return bytes(raw), conn.execute(select(tokens.c.value)).scalar_one()

    await workers[0].get(NAME, issuer.fetch)
    raw, opened = await store.read(stored)
    assert opened == b"token-1"
    assert b"token-1" not in raw

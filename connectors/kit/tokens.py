"""A token cache for one process: for tools and tests. The gateway shares its tokens through the store instead."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from connectors.kit.contract import Token


class LocalTokens:
    """Keeps tokens in memory; one caller at a time fetches. Implements `connectors.kit.contract.TokenCache`."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str, fetch: Callable[[], Awaitable[Token]], *, rejected: str | None = None) -> str:
        """The cached token, or a fetched one; never the `rejected` value."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            token = self._tokens.get(name)
            if token is None or token.expires_at <= self._now() or token.value == rejected:
                token = self._tokens[name] = await fetch()
            return token.value

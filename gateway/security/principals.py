"""This file says who calls: channels, operators and ministries, known by a key that is shown once and kept as a hash.

A key is `jisr_<kind>_<id>_<43 random characters>`. The store has its SHA-256 only: the secret has 256 random bits, so
nothing slower is needed, and a dump of the database holds no usable key.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from gateway.bucket import Bucket
from gateway.errors import Problem

#: A principal that was read stays believed for this long, so a revoked key dies within 60 s on every node (A12).
CACHE_SECONDS = 30.0
_CACHE_LIMIT = 10_000
_KEY = re.compile(r"jisr_(channel|operator|ministry|test)_([a-z0-9-]{1,64})_([A-Za-z0-9_-]{43})\Z")


#: Roles of operators: who may propose what becomes of a doubt, and who may approve what another one proposed.
MAKER, CHECKER = "maker", "checker"


class Kind(StrEnum):
    """What a principal is."""

    CHANNEL = "channel"
    OPERATOR = "operator"
    MINISTRY = "ministry"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody with a key."""

    id: str
    kind: Kind
    name: str
    roles: frozenset[str]
    services: tuple[str, ...]  #: Service ids or patterns ("education.*", "*").
    priority: int  #: 0 desk, 1 mobile, 2 web, 3 batch.
    test: bool = False  #: A channel whose requests reach test systems only.

    def may_use(self, service_id: str) -> bool:
        """Whether the principal's rights name this service."""
        return any(fnmatchcase(service_id, pattern) for pattern in self.services)


@dataclass(frozen=True, slots=True)
class StoredPrincipal:
    """A principal as the store has it."""

    principal: Principal
    key_hash: bytes
    revoked: bool


def new_key(kind: Kind, principal_id: str, *, test: bool = False) -> str:
    """A fresh key; 32 random bytes, base64url. That of a test channel is told by its look."""
    return f"jisr_{'test' if test else kind}_{principal_id}_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> bytes:
    """What the store keeps of a key."""
    return hashlib.sha256(key.encode()).digest()


class Authenticator:
    """Finds the principal of a bearer key; believes what it read for at most CACHE_SECONDS."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[StoredPrincipal | None]],
        monotonic: Callable[[], float],
        strangers: Bucket | None = None,
        *,
        cache_seconds: float = CACHE_SECONDS,
    ) -> None:
        """`strangers` limits how often a key is looked up that was not found to be good before."""
        self._find, self._strangers = find, strangers
        self._monotonic = monotonic
        self._cache_seconds = cache_seconds
        self._cache: dict[bytes, tuple[float, Principal]] = {}

    async def principal(self, authorization: str) -> Principal:
        """The principal that an Authorization header names. Raises Problem: `unauthenticated` for anything else,
        `rate_limited` when too many unknown keys come."""
        scheme, _, key = authorization.partition(" ")
        match = _KEY.match(key)
        if scheme.lower() != "bearer" or match is None:
            raise Problem("unauthenticated")
        given = hash_key(key)
        now = self._monotonic()
        cached = self._cache.get(given)
        if cached is not None and now - cached[0] < self._cache_seconds:
            return cached[1]
        if cached is None and self._strangers is not None and not self._strangers.take():
            raise Problem("rate_limited", retry_after_seconds=1)
        stored = await self._find(match[2])
        # The comparison runs for an unknown id too, so that its duration does not tell ids.
        known = stored.key_hash if stored is not None else bytes(32)
        if not hmac.compare_digest(known, given) or stored is None or stored.revoked:
            self._cache.pop(given, None)
            raise Problem("unauthenticated")
        if len(self._cache) >= _CACHE_LIMIT:
            self._cache.clear()
        self._cache[given] = (now, stored.principal)
        return stored.principal

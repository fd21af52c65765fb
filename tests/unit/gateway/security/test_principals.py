"""Keys: what they look like, how they are compared, and how long a reading of the store is believed."""

import pytest

from gateway.errors import Problem
from gateway.security.principals import (
    CACHE_SECONDS,
    Authenticator,
    Kind,
    Principal,
    StoredPrincipal,
    hash_key,
    new_key,
)

WEB = Principal("web-1", Kind.CHANNEL, "web", frozenset(), ("education.*", "transport.vehicle-statement"), 2)


class Registry:
    """The store's part: one principal that can be revoked, and a count of the readings."""

    def __init__(self) -> None:
        self.key = new_key(Kind.CHANNEL, "web-1")
        self.revoked = False
        self.read = 0
        self.now = 1000.0

    async def find(self, principal_id: str) -> StoredPrincipal | None:
        self.read += 1
        return StoredPrincipal(WEB, hash_key(self.key), self.revoked) if principal_id == WEB.id else None

    def authenticator(self) -> Authenticator:
        return Authenticator(self.find, lambda: self.now)


def test_a_key_says_what_it_is_for_and_no_two_are_alike() -> None:
    one, other = new_key(Kind.OPERATOR, "layla"), new_key(Kind.OPERATOR, "layla")
    assert one.startswith("jisr_operator_layla_")
    assert len(one) == len("jisr_operator_layla_") + 43
    assert one != other


@pytest.mark.parametrize(
    ("service", "allowed"),
    [
        ("education.secondary-certificate-copy", True),
        ("education", False),
        ("higher-education.transcript", False),
        ("transport.vehicle-statement", True),
        ("transport.vehicle-statement.x", False),
    ],
)
def test_rights_are_ids_and_patterns(service: str, allowed: bool) -> None:
    assert WEB.may_use(service) is allowed


async def test_a12_a_reading_is_believed_for_thirty_seconds_and_no_longer() -> None:
    registry = Registry()
    known = registry.authenticator()
    header = f"Bearer {registry.key}"
    for _ in range(3):
        assert await known.principal(header) is WEB
    assert registry.read == 1
    registry.revoked = True
    registry.now += CACHE_SECONDS - 0.001
    assert await known.principal(header) is WEB
    registry.now += 0.002
    with pytest.raises(Problem, match="unauthenticated"):
        await known.principal(header)
    registry.revoked = False
    assert await known.principal(header) is WEB


async def test_a12_a_wrong_key_of_a_known_id_is_refused_and_not_remembered() -> None:
    registry = Registry()
    known = registry.authenticator()
    wrong = f"Bearer {new_key(Kind.CHANNEL, 'web-1')}"
    for _ in range(2):
        with pytest.raises(Problem, match="unauthenticated"):
            await known.principal(wrong)
    assert registry.read == 2
    assert await known.principal(f"Bearer {registry.key}") is WEB


@pytest.mark.parametrize(
    "change", [str.upper, lambda key: key[:-1], lambda key: key + "A", lambda key: " " + key, lambda key: key + "\n"]
)
async def test_a12_a_key_must_be_exact(change: object) -> None:
    registry = Registry()
    with pytest.raises(Problem, match="unauthenticated"):
        await registry.authenticator().principal(f"Bearer {change(registry.key)}")  # type: ignore[operator]


async def test_a12_every_process_reads_for_itself() -> None:
    registry = Registry()
    here, there = registry.authenticator(), registry.authenticator()
    await here.principal(f"Bearer {registry.key}")
    registry.revoked = True
    with pytest.raises(Problem, match="unauthenticated"):
        await there.principal(f"Bearer {registry.key}")


async def test_ids_with_underscores_and_odd_secrets_are_told_apart() -> None:
    registry = Registry()
    registry.key = "jisr_channel_web-1_" + "_-" * 21 + "A"
    assert await registry.authenticator().principal(f"bearer {registry.key}") is WEB

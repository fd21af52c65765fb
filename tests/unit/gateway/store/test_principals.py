"""Principals in the store: added once, found by id, listed, revoked for ever."""

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.security.principals import Kind, hash_key, new_key
from gateway.store.engine import Store
from gateway.store.principals import add_principal, find_principal, list_principals, revoke_principal


async def add(store: Store, name: str, kind: Kind = Kind.CHANNEL) -> str:
    key = new_key(kind, f"{name}-id")
    await store.write(
        lambda conn: add_principal(
            conn, f"{name}-id", key, kind=kind, name=name, roles=["b", "a"], services=["x.*"], priority=1
        )
    )
    return key


async def test_a_principal_is_found_as_it_was_added(store: Store) -> None:
    key = await add(store, "web")
    found = await store.read(find_principal, "web-id")
    assert found is not None
    assert (found.key_hash, found.revoked) == (hash_key(key), False)
    principal = found.principal
    assert (principal.kind, principal.name, principal.roles) == (Kind.CHANNEL, "web", frozenset({"a", "b"}))
    assert (principal.services, principal.priority) == (("x.*",), 1)
    assert await store.read(find_principal, "nobody") is None


async def test_a_name_stands_once_in_its_kind(store: Store) -> None:
    await add(store, "web")
    await store.write(
        lambda conn: add_principal(conn, "o", new_key(Kind.OPERATOR, "o"), kind=Kind.OPERATOR, name="web")
    )
    with pytest.raises(IntegrityError):
        await store.write(
            lambda conn: add_principal(conn, "w2", new_key(Kind.CHANNEL, "w2"), kind=Kind.CHANNEL, name="web")
        )


@pytest.mark.parametrize("called", ["web", "web-id"])
async def test_a_revoked_principal_stays_listed_and_cannot_be_revoked_twice(store: Store, called: str) -> None:
    await add(store, "web")
    await add(store, "app")
    assert await store.write(revoke_principal, Kind.CHANNEL, called) is True
    assert await store.write(revoke_principal, Kind.CHANNEL, called) is False
    assert await store.write(revoke_principal, Kind.OPERATOR, "app") is False
    listed = await store.read(list_principals, Kind.CHANNEL)
    assert {each.principal.name: each.revoked for each in listed} == {"web": True, "app": False}
    assert await store.read(list_principals, Kind.MINISTRY) == []

"""Sealed columns and the keyring: nothing clear is stored, old keys open old values, and a wrong key says so."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from gateway.security.keyring import Keyring, KeyringError
from gateway.store import sealed
from gateway.store.clock import Clock
from gateway.store.engine import Store, open_store
from gateway.store.tables import tokens
from tests.conftest import Database
from tests.unit.gateway.store.counters import add

CLEAR = "الاسم المختلق 01234567890".encode()


def _stored(conn: Connection) -> bytes:
    return bytes(conn.execute(text("SELECT value FROM tokens")).scalar_one())


def _opened(conn: Connection) -> list[bytes | None]:
    return list(conn.scalars(select(tokens.c.value).order_by(tokens.c.name)))


async def test_what_is_stored_contains_no_clear_text(store: Store, database: Database) -> None:
    await store.write(add, "one", CLEAR)
    raw = await store.read(_stored)
    assert CLEAR not in raw
    assert b"01234567890" not in raw
    assert await store.read(_opened) == [CLEAR]
    if database.path is not None:
        files = [database.path, database.path.with_name("jisr.db-wal")]
        assert not any(b"01234567890" in file.read_bytes() for file in files if file.exists())


async def test_equal_values_are_sealed_differently(store: Store) -> None:
    await store.write(add, "one", CLEAR)
    await store.write(add, "two", CLEAR)
    raw = await store.read(lambda conn: list(conn.execute(text("SELECT value FROM tokens")).scalars()))
    assert raw[0] != raw[1]


async def test_null_stays_null(store: Store) -> None:
    await store.write(add, "none", None)
    assert await store.read(_opened) == [None]


async def test_two_key_ids_open_side_by_side_after_a_rotation(database: Database, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    old = Keyring.create(path)
    first = await open_store(database.url, old, clock)
    await first.write(add, "a", b"old")
    await first.close()

    new = old.rotated(path)
    second = await open_store(database.url, Keyring.load(path), clock)
    await second.write(add, "b", b"new")
    assert await second.read(_opened) == [b"old", b"new"]
    heads = await second.read(
        lambda conn: [bytes(raw) for raw in conn.execute(text("SELECT value FROM tokens ORDER BY name")).scalars()]
    )
    assert [head[2 : 2 + head[1]].decode() for head in heads] == [old.active, new.active]
    await second.close()


async def test_a_value_of_an_unknown_key_is_a_clear_error(store: Store, keyring: Keyring) -> None:
    await store.write(add, "one", CLEAR)
    sealed.use(Keyring.generate())
    with pytest.raises(KeyringError, match=f"sealed with key '{keyring.active}', which the keyring does not hold"):
        await store.read(_opened)
    sealed.use(keyring)
    assert await store.read(_opened) == [CLEAR]


def test_the_same_id_with_another_key_is_a_clear_error() -> None:
    right = Keyring("k1", {"k1": b"a" * 32}, b"i" * 32)
    wrong = Keyring("k1", {"k1": b"b" * 32}, b"i" * 32)
    with pytest.raises(KeyringError, match="does not open with key 'k1'"):
        wrong.open(right.seal(CLEAR))


@pytest.mark.parametrize("position", [0, 1, 2, 5, 20, -1])
def test_a_changed_byte_is_never_read_as_something_else(position: int) -> None:
    keyring = Keyring.generate()
    changed = bytearray(keyring.seal(CLEAR))
    changed[position] ^= 1
    with pytest.raises(KeyringError):
        keyring.open(bytes(changed))


@pytest.mark.parametrize("short", [b"", b"\x01", b"\x01\x09k"])
def test_a_truncated_value_is_a_clear_error(short: bytes) -> None:
    with pytest.raises(KeyringError):
        Keyring.generate().open(short)


def test_the_blind_index_is_the_same_for_equal_texts_and_needs_the_key() -> None:
    keyring, other = Keyring.generate(), Keyring.generate()
    assert keyring.blind_index("01234567890") == keyring.blind_index("01234567890")
    assert keyring.blind_index("01234567890") != keyring.blind_index("01234567891")
    assert keyring.blind_index("01234567890") != other.blind_index("01234567890")


def test_a_keyring_shows_no_key() -> None:
    keyring = Keyring("k1", {"k1": b"a" * 32}, b"i" * 32)
    assert "aaaa" not in repr(keyring)
    assert "iiii" not in repr(keyring)


def test_a_new_keyring_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    keyring = Keyring.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.load(path) == keyring
    with pytest.raises(KeyringError, match="exists already"):
        Keyring.create(path)


def test_a_keyring_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    Keyring.create(path)
    path.chmod(0o640)
    with pytest.raises(KeyringError, match="make it 0600"):
        Keyring.load(path)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"{", "is not JSON with"),
        (b"[]", "is not JSON with"),
        (b"{}", "is not JSON with"),
        (json.dumps({"active": "a", "keys": {"a": "!"}, "index_key": ""}).encode(), "is not JSON with"),
        (json.dumps({"active": "a", "keys": {"a": "AAAA"}, "index_key": ""}).encode(), "3 bytes instead of 32"),
        (json.dumps({"active": "b", "keys": {}, "index_key": ""}).encode(), "names 'b' as its active key"),
    ],
)
def test_a_broken_keyring_is_one_clear_sentence(document: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    path.write_bytes(document)
    path.chmod(0o600)
    with pytest.raises(KeyringError, match=sentence) as caught:
        Keyring.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_keyring_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="jisr init"):
        Keyring.load(tmp_path / "keyring.json")

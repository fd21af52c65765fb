"""The keyring: the keys that seal columns, each under its id, and the one key of the blind index.

The file is JSON, readable by its owner alone: `{"active": id, "keys": {id: base64}, "index_key": base64}`. New values
are sealed with the active key; every key of the file still opens what it sealed.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
#: First byte of everything that is sealed, so that another format can follow.
FORMAT = 1


class KeyringError(Exception):
    """The keyring cannot be used, or it does not hold the key that a value needs; one sentence, never a key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys in memory. `repr` shows the key ids alone."""

    active: str
    keys: Mapping[str, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)
    _ciphers: dict[str, AESGCM] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the ciphers; raises KeyringError when a key has a wrong length or the active one is missing."""
        if self.active not in self.keys:
            raise KeyringError(f"the keyring names {self.active!r} as its active key, but does not hold it")
        for key_id, key in {**self.keys, "index_key": self.index_key}.items():
            if len(key) != KEY_BYTES:
                raise KeyringError(f"key {key_id!r} of the keyring has {len(key)} bytes instead of {KEY_BYTES}")
        for key_id in self.keys:
            if not 0 < len(key_id.encode()) < 256:
                raise KeyringError("a key id of the keyring is empty or longer than 255 bytes")
        object.__setattr__(self, "_ciphers", {key_id: AESGCM(key) for key_id, key in self.keys.items()})

    @classmethod
    def generate(cls) -> Self:
        """A keyring with one fresh key, in memory only."""
        key_id, key = _new_key()
        return cls(key_id, {key_id: key}, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def create(cls, path: Path) -> Self:
        """Write a new keyring with mode 0600; raises KeyringError when the file exists or cannot be written."""
        keyring = cls.generate()
        try:
            keyring.write(path, os.O_EXCL)
        except FileExistsError:
            raise KeyringError(f"the keyring {path} exists already and is never overwritten") from None
        except OSError as error:
            raise KeyringError(f"the keyring {path} cannot be written: {error.strerror}") from error
        return keyring

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the keyring; raises KeyringError when it is missing, open to others, or not of the form above."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            raw = path.read_bytes()
        except FileNotFoundError:
            raise KeyringError(f"the keyring {path} does not exist; `jisr init` makes one") from None
        except OSError as error:
            raise KeyringError(f"the keyring {path} cannot be read: {error.strerror}") from error
        if mode & 0o077:
            raise KeyringError(f"the keyring {path} can be read by others (mode {mode:04o}); make it 0600")
        try:
            document = json.loads(raw)
            keys = {str(key_id): _decode(key) for key_id, key in document["keys"].items()}
            return cls(str(document["active"]), keys, _decode(document["index_key"]))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise KeyringError(f"the keyring {path} is not JSON with active, keys and index_key") from None

    def rotated(self, path: Path) -> Self:
        """This keyring with a fresh active key, written over `path` in one step; old keys still open old values."""
        key_id, key = _new_key()
        keyring = type(self)(key_id, {**self.keys, key_id: key}, self.index_key)
        fresh = path.with_name(f"{path.name}.new")
        keyring.write(fresh, os.O_TRUNC)
        fresh.replace(path)
        return keyring

    def write(self, path: Path, flag: int) -> None:
        """Write the file with mode 0600 and wait for the disk; `flag` is O_EXCL or O_TRUNC. Raises OSError."""
        document = {
            "active": self.active,
            "keys": {key_id: _encode(key) for key_id, key in self.keys.items()},
            "index_key": _encode(self.index_key),
        }
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())

    def seal(self, clear: bytes) -> bytes:
        """Encrypt with the active key: format, key id with its length, nonce, ciphertext and tag."""
        key_id = self.active.encode()
        header = bytes((FORMAT, len(key_id))) + key_id
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + self._ciphers[self.active].encrypt(nonce, clear, header)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt; raises KeyringError for an unknown key id or a value that was changed."""
        if len(sealed) < 2 + NONCE_BYTES or sealed[0] != FORMAT:
            raise KeyringError("a stored value is not sealed in a form that this version knows")
        end = 2 + sealed[1]
        header = sealed[:end]
        key_id = header[2:].decode(errors="replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyringError(f"a stored value is sealed with key {key_id!r}, which the keyring does not hold")
        try:
            return cipher.decrypt(sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :], header)
        except (InvalidTag, ValueError):
            raise KeyringError(f"a value does not open with key {key_id!r}: another key, or changed bytes") from None

    def blind_index(self, text: str) -> bytes:
        """HMAC-SHA256 under the index key: equal texts are found without storing them."""
        return hmac.new(self.index_key, text.encode(), hashlib.sha256).digest()


def _new_key() -> tuple[str, bytes]:
    return f"k{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES)


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

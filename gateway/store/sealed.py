"""The sealed column: bytes in, bytes out, and ciphertext on the way to the driver and in the database.

The keyring is bound once for the whole process (`use`, called by `open_store`), because a column type has no other way
to be given one. A value can therefore not be compared in SQL; what must be found has a blind index beside it.
"""

from typing import Any

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from gateway.security.keyring import Keyring, KeyringError

_keyring: Keyring | None = None


def use(keyring: Keyring) -> None:
    """Bind the keyring that every sealed column of this process uses from now on."""
    global _keyring  # noqa: PLW0603 - the one binding that the docstring of this file explains
    _keyring = keyring


def bound() -> Keyring:
    """The keyring in use; raises KeyringError before the first `use`."""
    if _keyring is None:
        raise KeyringError("no keyring is bound: sealed columns cannot be read or written")
    return _keyring


class Sealed(TypeDecorator[bytes]):
    """AES-GCM ciphertext with the key id in front; None stays NULL. Reading raises KeyringError for a wrong key."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's
        """Seal on the way in."""
        return None if value is None else bound().seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's
        """Open on the way out."""
        return None if value is None else bound().open(bytes(value))

"""Verifies signed HTTP messages as an institution does: HMAC or RSA over declared parts, fresh, and each nonce once."""

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from connectors.kit.manifest import Hmac, RsaSignature, SettingError
from connectors.kit.message_signature import secret_bytes, signed_bytes
from connectors.kit.sandbox.institution import Desk, Heard

_FRESH = timedelta(minutes=5)
_MOST_NONCES = 100_000
Verify = Callable[[bytes, bytes], bool]


class SignatureCheck:
    """Whether a request carries the signature that the manifest declares."""

    def __init__(self, declared: Hmac | RsaSignature, desk: Desk) -> None:
        """Raises SettingError for a key of sandbox.toml that cannot be read."""
        self._form = declared
        self._desk = desk
        self._verify = _hmac(declared, desk) if isinstance(declared, Hmac) else _rsa(desk)
        self._nonces: dict[str, None] = {}

    def __call__(self, heard: Heard) -> bool:
        """Verify; a nonce is spent then."""
        form, headers = self._form, heard.headers
        given = {
            "method": heard.method.encode(),
            "path": heard.target.encode(),
            "body": heard.body,
            "key_id": headers.get(form.key_id_header, "").encode() if form.key_id_header else self._key_id(),
            "timestamp": headers.get(form.timestamp_header, "").encode(),
            "nonce": headers.get(form.nonce_header, "").encode(),
        }
        message = signed_bytes(form.signed, form.separator, form.digest_encoding, given)
        raw = _decoded(headers.get(form.header, "").removeprefix(form.prefix), form.encoding)
        if raw is None or not self._verify(message, raw):
            return False
        return self._fresh(given["timestamp"].decode()) and self._new(given["nonce"].decode())

    def _key_id(self) -> bytes:
        return str(self._desk.settings.get("key_id", "")).encode()

    def _fresh(self, text: str) -> bool:
        if "timestamp" not in self._form.signed:
            return True
        try:
            if self._form.timestamp_format == "iso":
                moment = datetime.fromisoformat(text)
            else:
                moment = datetime.fromtimestamp(
                    int(text) / (1000 if self._form.timestamp_format == "unix_ms" else 1), UTC
                )
        except (ValueError, OverflowError, OSError):
            return False
        return abs(self._desk.now() - moment) <= _FRESH

    def _new(self, nonce: str) -> bool:
        if "nonce" not in self._form.signed:
            return True
        if not nonce or nonce in self._nonces:
            return False
        self._nonces[nonce] = None
        if len(self._nonces) > _MOST_NONCES:
            del self._nonces[next(iter(self._nonces))]
        return True


def _decoded(text: str, encoding: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _hmac(declared: Hmac, desk: Desk) -> Verify:
    key = secret_bytes(desk.settings["hmac_secret"], declared.key_encoding, "hmac_secret")
    return lambda message, given: hmac.compare_digest(hmac.digest(key, message, declared.algorithm), given)


def _rsa(desk: Desk) -> Verify:
    """The public half of the key that the connector signs with."""
    try:
        key = serialization.load_pem_private_key(str(desk.settings["signing_key"]).encode(), None)
    except (ValueError, TypeError):
        raise SettingError("setting signing_key: no unencrypted private key in PEM is there") from None
    if not isinstance(key, RSAPrivateKey):
        raise SettingError("setting signing_key: an RSA key is expected")
    public = key.public_key()

    def verify(message: bytes, given: bytes) -> bool:
        try:
            public.verify(given, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    return verify

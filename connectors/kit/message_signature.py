"""Signatures over parts of an HTTP message: HMAC, or RSA PKCS#1 v1.5 with SHA-256; what is signed is data."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from connectors.kit.http import HttpRequest
from connectors.kit.manifest import Hmac, MessageSignature, RsaSignature, SettingError
from connectors.kit.manifest.authentication import Encoding, TimestampFormat

_NONCE_BYTES = 16


class Signer:
    """Adds signature, time, nonce and key id to a request, as a manifest declares them."""

    def __init__(
        self,
        declared: Hmac | RsaSignature,
        settings: Mapping[str, Any],
        now: Callable[[], datetime],
        nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Raises SettingError for a key that cannot be read; its message never shows it."""
        self._form: MessageSignature = declared
        self._now, self._nonce = now, nonce
        self._key_id = str(settings.get("key_id", ""))
        self._sign = _hmac_with(declared, settings) if isinstance(declared, Hmac) else _rsa_with(settings)

    def __call__(self, request: HttpRequest) -> HttpRequest:
        """The signed request: the same bytes, more headers."""
        form = self._form
        given: dict[str, bytes] = {
            "method": request.method.encode("ascii"),
            "path": request.path.encode("ascii"),
            "key_id": self._key_id.encode("utf-8"),
            "body": request.body,
        }
        headers = dict(request.headers)
        if "timestamp" in form.signed:
            headers[form.timestamp_header] = written_time(self._now(), form.timestamp_format)
            given["timestamp"] = headers[form.timestamp_header].encode("ascii")
        if "nonce" in form.signed:
            headers[form.nonce_header] = self._nonce(_NONCE_BYTES).hex()
            given["nonce"] = headers[form.nonce_header].encode("ascii")
        if form.key_id_header:
            headers[form.key_id_header] = self._key_id
        message = signed_bytes(form.signed, form.separator, form.digest_encoding, given)
        headers[form.header] = form.prefix + encoded(self._sign(message), form.encoding)
        return replace(request, headers=headers)


def signed_bytes(parts: Sequence[str], separator: str, digest_encoding: Encoding, given: Mapping[str, bytes]) -> bytes:
    """The bytes that are signed: the parts in their order. `body_sha256` is made from `body`."""
    digest = encoded(hashlib.sha256(given["body"]).digest(), digest_encoding).encode("ascii")
    return separator.encode("utf-8").join(digest if part == "body_sha256" else given[part] for part in parts)


def written_time(moment: datetime, form: TimestampFormat) -> str:
    """The moment as the wire writes it."""
    if form == "iso":
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds = moment.timestamp()
    return str(int(seconds * 1000)) if form == "unix_ms" else str(int(seconds))


def encoded(raw: bytes, encoding: Encoding) -> str:
    """Hex in lower case, or Base64."""
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode("ascii")


def secret_bytes(value: Any, encoding: str, name: str) -> bytes:
    """The key that a setting writes. Raises SettingError."""
    try:
        match encoding:
            case "hex":
                raw = bytes.fromhex(str(value))
            case "base64":
                raw = base64.b64decode(str(value), validate=True)
            case _:
                raw = str(value).encode("utf-8")
    except (ValueError, binascii.Error):
        raise SettingError(f"setting {name}: it is not {encoding}") from None
    if not raw:
        raise SettingError(f"setting {name}: the key is empty")
    return raw


def _hmac_with(declared: Hmac, settings: Mapping[str, Any]) -> Callable[[bytes], bytes]:
    key = secret_bytes(settings["hmac_secret"], declared.key_encoding, "hmac_secret")
    return lambda message: hmac.digest(key, message, declared.algorithm)


def _rsa_with(settings: Mapping[str, Any]) -> Callable[[bytes], bytes]:
    try:
        key = serialization.load_pem_private_key(str(settings["signing_key"]).encode("utf-8"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingError("setting signing_key: no unencrypted private key in PEM is there") from None
    if not isinstance(key, RSAPrivateKey):
        raise SettingError("setting signing_key: an RSA key is expected")
    return lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())

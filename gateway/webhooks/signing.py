"""Signatures of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, v1: HMAC-SHA256)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in Base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def signed_headers(event_id: str, seconds: int, body: bytes, signing: Sequence[str]) -> Mapping[str, str]:
    """The three headers: one signature for each secret, so that a receiver may hold either while one is rotated."""
    message = f"{event_id}.{seconds}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_key(secret), message, hashlib.sha256)).decode("ascii")
        for secret in signing
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)

"""Checks who speaks, as the institution would: by the kinds of authentication that the package's manifest declares.

The credentials that count are those of `[settings]` in sandbox.toml.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote_plus

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from connectors.kit.manifest import ApiKey, Authentication, Basic, Hmac, Manifest, MutualTls, OAuth2, RsaSignature
from connectors.kit.sandbox.institution import Answer, Desk, Heard
from connectors.kit.sandbox.security import security_of
from connectors.kit.sandbox.signatures import SignatureCheck
from connectors.kit.sandbox.tokens import TokenStore

Check = Callable[[Heard], Answer | None]


def _say(status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(msgspec.json.encode(content), status=status, headers=headers or {})


class Callers:
    """Who may call this institution."""

    def __init__(self, manifest: Manifest, desk: Desk, tokens: TokenStore) -> None:
        """Raises SettingError for keys of sandbox.toml that cannot be read."""
        self._desk = desk
        self._tokens = tokens
        self._checks = [made for made in map(self._check, manifest.proofs) if made is not None]
        self.security = security_of(manifest, desk)
        #: Where access tokens are fetched (RFC 6749); empty when they are not, or by an operation of its own.
        self.token_path = next((proof.token_path for proof in manifest.proofs if isinstance(proof, OAuth2)), "")

    def refusal(self, heard: Heard) -> Answer | None:
        """What is said to a call that does not prove who sends it, by header, parameter or signature; else None."""
        for check in self._checks:
            if (said := check(heard)) is not None:
                return said
        return None

    def trusts(self, envelope: etree._Element, header: etree._Element | None) -> bool:
        """Whether WS-Security proves who sends the message, where the contract wants that."""
        return self.security is None or self.security.trusts(envelope, header)

    def grant(self, heard: Heard) -> Answer:
        """RFC 6749, 4.4: an access token for client credentials that come by HTTP Basic (2.3.1)."""
        form = parse_qs(heard.body.decode("ascii", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _say(400, {"error": "unsupported_grant_type"})
        name, secret = _basic(heard)
        settings = self._desk.settings
        if (unquote_plus(name), unquote_plus(secret)) != (settings["client_id"], settings["client_secret"]):
            return _say(401, {"error": "invalid_client"}, {"WWW-Authenticate": 'Basic realm="sandbox"'})
        life = self._tokens.lifetime_seconds
        granted = {"access_token": self._tokens.issue(), "token_type": "Bearer", "expires_in": life}
        return _say(200, granted, {"Cache-Control": "no-store"})

    def forget(self) -> None:
        """Tokens and nonces of before count no more."""
        self._tokens.forget()
        if self.security is not None:
            self.security.forget()

    def _check(self, declared: Authentication) -> Check | None:
        match declared:
            case Basic():
                return self._knows_user
            case ApiKey():
                return lambda heard: self._knows_key(declared, heard)
            case OAuth2():
                return self._knows_token
            case MutualTls():
                return self._knows_certificate
            case Hmac() | RsaSignature():
                good = SignatureCheck(declared, self._desk)
                return lambda heard: None if good(heard) else _say(401, {"error": "bad_signature"})
        return None

    def _knows_user(self, heard: Heard) -> Answer | None:
        name, secret = _basic(heard)
        settings = self._desk.settings
        if same(name, str(settings["username"])) and same(secret, str(settings["password"])):
            return None
        return _say(401, {"error": "unauthorized"}, {"WWW-Authenticate": 'Basic realm="sandbox", charset="UTF-8"'})

    def _knows_key(self, declared: ApiKey, heard: Heard) -> Answer | None:
        given = heard.query.get(declared.query) if declared.query else heard.headers.get(declared.header)
        if same(given or "", str(self._desk.settings["api_key"])):
            return None
        return _say(401, {"error": "unknown_api_key"})

    def _knows_certificate(self, heard: Heard) -> Answer | None:
        """Whose the certificate is; that an authority vouches for it is seen before any request."""
        wanted = x509.load_pem_x509_certificate(str(self._desk.settings["client_certificate"]).encode())
        if heard.certificate == wanted.public_bytes(Encoding.DER):
            return None
        return _say(403, {"error": "unknown_client_certificate"})

    def _knows_token(self, heard: Heard) -> Answer | None:
        if self._tokens.is_good(heard.headers.get("Authorization", "").removeprefix("Bearer ")):
            return None
        return _say(401, {"error": "invalid_token"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def same(given: str, wanted: str) -> bool:
    """Compared in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _basic(heard: Heard) -> tuple[str, str]:
    try:
        text = base64.b64decode(heard.headers.get("Authorization", "").removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    name, _, secret = text.partition(":")
    return name, secret

"""Checks who speaks, as the institution would: by the kind of authentication that the package's manifest declares.

The credentials that count are those of `[settings]` in sandbox.toml.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote_plus

import msgspec
from lxml import etree

from connectors.kit.manifest import ApiKey, Manifest, OAuth2, UsernameToken
from connectors.kit.sandbox_institution import Answer, Desk, Heard
from connectors.kit.sandbox_tokens import TokenStore

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_FRESH = timedelta(minutes=5)


def _say(status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(msgspec.json.encode(content), status=status, headers=headers or {})


class Callers:
    """Who may call this institution."""

    def __init__(self, manifest: Manifest, desk: Desk, tokens: TokenStore) -> None:
        self._declared = manifest.authentication
        self._desk = desk
        self._tokens = tokens
        self._security = UsernameTokens(desk) if isinstance(self._declared, UsernameToken) else None
        #: Where access tokens are fetched (RFC 6749); empty when they are not, or by an operation of its own.
        self.token_path = self._declared.token_path if isinstance(self._declared, OAuth2) else ""

    def refusal(self, heard: Heard) -> Answer | None:
        """What is said to a call whose HTTP headers do not prove who sends it; None when they do."""
        given = heard.headers.get
        match self._declared:
            case ApiKey(header=header) if not _same(given(header, ""), str(self._desk.settings["api_key"])):
                return _say(401, {"error": "unknown_api_key"})
            case OAuth2() if not self._tokens.is_good(given("Authorization", "").removeprefix("Bearer ")):
                return _say(401, {"error": "invalid_token"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return None

    def trusts(self, header: etree._Element | None) -> bool:
        """Whether a SOAP header proves who sends the message, where the contract wants that."""
        return self._security is None or (header is not None and self._security.take(header))

    def grant(self, heard: Heard) -> Answer:
        """RFC 6749, 4.4: an access token for client credentials that come by HTTP Basic (2.3.1)."""
        form = parse_qs(heard.body.decode("ascii", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _say(400, {"error": "unsupported_grant_type"})
        settings = self._desk.settings
        if _basic(heard) != (settings["client_id"], settings["client_secret"]):
            return _say(401, {"error": "invalid_client"}, {"WWW-Authenticate": 'Basic realm="sandbox"'})
        life = self._tokens.lifetime_seconds
        granted = {"access_token": self._tokens.issue(), "token_type": "Bearer", "expires_in": life}
        return _say(200, granted, {"Cache-Control": "no-store"})

    def forget(self) -> None:
        """Tokens and nonces of before count no more."""
        self._tokens.forget()
        if self._security is not None:
            self._security.forget()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _basic(heard: Heard) -> tuple[str, str]:
    try:
        text = base64.b64decode(heard.headers.get("Authorization", "").removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret)


class UsernameTokens:
    """WS-Security UsernameToken Profile 1.0: digest, nonce used once, Created within five minutes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._nonces: dict[str, datetime] = {}

    def take(self, header: etree._Element) -> bool:
        """Whether the SOAP header has a good token; its nonce is spent then."""
        token = header.find(f"{{{WSSE}}}Security/{{{WSSE}}}UsernameToken")
        if token is None:
            return False
        password = token.find(f"{{{WSSE}}}Password")
        nonce, created = token.findtext(f"{{{WSSE}}}Nonce", ""), token.findtext(f"{{{_WSU}}}Created", "")
        if password is None or password.get("Type") != _DIGEST or nonce in self._nonces:
            return False
        try:
            made = datetime.fromisoformat(created)
            raw = base64.b64decode(nonce, validate=True) + created.encode()
        except ValueError:
            return False
        now, settings = self._desk.now(), self._desk.settings
        wanted = base64.b64encode(hashlib.sha1(raw + str(settings["password"]).encode()).digest()).decode()
        fresh = made.tzinfo is not None and abs(now - made) <= _FRESH
        user = token.findtext(f"{{{WSSE}}}Username", "") == settings["username"]
        if not (fresh and user and _same(password.text or "", wanted)):
            return False
        self._spend(nonce, made, now)
        return True

    def forget(self) -> None:
        """Every nonce counts as new."""
        self._nonces.clear()

    def _spend(self, nonce: str, made: datetime, now: datetime) -> None:
        self._nonces[nonce] = made
        while now - self._nonces[oldest := next(iter(self._nonces))] > _FRESH:
            del self._nonces[oldest]  # too old to be taken again, with whatever nonce

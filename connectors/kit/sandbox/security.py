"""WS-Security as an institution checks it: a UsernameToken with digest, nonce and time, or an X.509 signature."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from lxml import etree

from connectors.kit.manifest import Manifest, SettingError, UsernameToken, X509Signature
from connectors.kit.sandbox.institution import Desk, read_settings, read_signing
from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.soap.parsing import parse
from connectors.kit.xml_signature import MessageSeal, verified_timestamp

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_FRESH = timedelta(minutes=5)


class Security(Protocol):
    """What a sandbox asks of the security header."""

    def trusts(self, envelope: etree._Element, header: etree._Element | None) -> bool:
        """Whether the message proves who sends it; what counts once is spent then."""

    def seal(self, answer: bytes) -> bytes:
        """The answer as it leaves."""

    def forget(self) -> None:
        """What counted once counts anew."""


def security_of(manifest: Manifest, desk: Desk) -> Security | None:
    """What the manifest declares; None for nothing. Raises SettingError for keys that cannot be read."""
    found: list[Security] = []
    for declared in manifest.proofs:
        if isinstance(declared, UsernameToken):
            found.append(UsernameTokens(desk, plain=declared.plain_text))
        if isinstance(declared, X509Signature):
            found.append(SignedMessages(declared, desk))
    return found[0] if len(found) == 1 else All(found) if found else None


def sealing(folder: Path, manifest: Manifest) -> Callable[[bytes], bytes]:
    """Signs a sample's answer as the package's institution would: a whole message that is not signed yet, alone."""
    if not any(isinstance(declared, X509Signature) for declared in manifest.proofs):
        return bytes
    security = security_of(manifest, Desk(folder.name, folder, Ledger(), read_settings(folder), read_signing(folder)))

    def seal(body: bytes) -> bytes:
        whole = security is not None and b"BinarySecurityToken" not in body and _is_message(body)
        return security.seal(body) if security is not None and whole else body

    return seal


def _is_message(raw: bytes) -> bool:
    try:
        return parse(raw).find("{*}Body") is not None
    except ValueError:
        return False


class All:
    """Several at once: each must be satisfied."""

    def __init__(self, parts: list[Security]) -> None:
        self._parts = parts

    def trusts(self, envelope: etree._Element, header: etree._Element | None) -> bool:
        """See Security."""
        return all(part.trusts(envelope, header) for part in self._parts)

    def seal(self, answer: bytes) -> bytes:
        """See Security."""
        for part in self._parts:
            answer = part.seal(answer)
        return answer

    def forget(self) -> None:
        """See Security."""
        for part in self._parts:
            part.forget()


class UsernameTokens:
    """UsernameToken Profile 1.0: digest (or plain text), nonce used once, Created within five minutes."""

    def __init__(self, desk: Desk, *, plain: bool) -> None:
        self._desk = desk
        self._plain = plain
        self._type = f"{_PROFILE}#{'PasswordText' if plain else 'PasswordDigest'}"
        self._nonces: dict[str, datetime] = {}

    def trusts(self, envelope: etree._Element, header: etree._Element | None) -> bool:
        """See Security."""
        token = None if header is None else header.find(f"{{{WSSE}}}Security/{{{WSSE}}}UsernameToken")
        if token is None:
            return False
        password = token.find(f"{{{WSSE}}}Password")
        nonce, created = token.findtext(f"{{{WSSE}}}Nonce", ""), token.findtext(f"{{{_WSU}}}Created", "")
        if password is None or password.get("Type") != self._type or nonce in self._nonces:
            return False
        try:
            made = datetime.fromisoformat(created)
            raw = base64.b64decode(nonce, validate=True) + created.encode()
        except ValueError:
            return False
        now, settings = self._desk.now(), self._desk.settings
        fresh = made.tzinfo is not None and abs(now - made) <= _FRESH
        user = token.findtext(f"{{{WSSE}}}Username", "") == settings["username"]
        if not (fresh and user and hmac.compare_digest((password.text or "").encode(), self._wanted(raw))):
            return False
        self._spend(nonce, made, now)
        return True

    def seal(self, answer: bytes) -> bytes:
        """See Security: such answers are not signed."""
        return answer

    def forget(self) -> None:
        """See Security."""
        self._nonces.clear()

    def _wanted(self, raw: bytes) -> bytes:
        secret = str(self._desk.settings["password"]).encode()
        return secret if self._plain else base64.b64encode(hashlib.sha1(raw + secret).digest())

    def _spend(self, nonce: str, made: datetime, now: datetime) -> None:
        self._nonces[nonce] = made
        while now - self._nonces[oldest := next(iter(self._nonces))] > _FRESH:
            del self._nonces[oldest]  # too old to be taken again, with whatever nonce


class SignedMessages:
    """X.509: the caller's signature is verified with its certificate; answers are signed with the institution's key.

    That key is no setting of the connector: it stands in `[signing]` of sandbox.toml.
    """

    def __init__(self, declared: X509Signature, desk: Desk) -> None:
        """Raises SettingError for a certificate or a key that cannot be read."""
        self._desk = desk
        try:
            self._callers = x509.load_pem_x509_certificates(str(desk.settings["signing_certificate"]).encode())
        except ValueError:
            raise SettingError("setting signing_certificate: no certificate in PEM is there") from None
        self._seal: MessageSeal | None = None
        if declared.verify_answers and desk.signing:
            keys = {
                "signing_certificate": desk.signing["certificate"],
                "signing_key": desk.signing["key"],
                "institution_certificate": desk.settings["signing_certificate"],
            }
            self._seal = MessageSeal(declared, keys, desk.now)

    def trusts(self, envelope: etree._Element, header: etree._Element | None) -> bool:
        """See Security."""
        try:
            if self._seal is not None:
                self._seal.verify(envelope)  # its Timestamp must be of now, too
            else:
                verified_timestamp(envelope, self._callers, self._desk.now())
        except ValueError:
            return False
        return True

    def seal(self, answer: bytes) -> bytes:
        """See Security."""
        return answer if self._seal is None else self._seal.seal(answer)

    def forget(self) -> None:
        """See Security: nothing counts once here."""

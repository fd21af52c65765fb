"""Who may call a sandbox: each kind of authentication is checked as the institution would check it."""

import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from connectors.kit.http import HttpRequest
from connectors.kit.manifest import ApiKey, Basic, Hmac, RsaSignature, X509Signature
from connectors.kit.message_signature import Signer
from connectors.kit.sandbox.callers import Callers
from connectors.kit.sandbox.institution import Desk, Heard
from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.sandbox.security import SignedMessages, UsernameTokens
from connectors.kit.sandbox.tokens import TokenStore
from connectors.kit.wsse import UsernameTokenHeader
from connectors.kit.xml_signature import MessageSeal
from tests.unit.connectors.authentication.authority import signer
from tests.unit.connectors.kit.sandbox.packages import Names

SETTINGS = {"username": "jisr", "password": "كلمة", "api_key": "key-1", "hmac_secret": "shared", "key_id": "k1"}


def callers(*proofs: Any, settings: dict[str, Any] = SETTINGS) -> Callers:
    desk = Desk("office", None, Ledger(), settings)  # type: ignore[arg-type]  # no file is read
    manifest: Any = SimpleNamespace(proofs=proofs)
    return Callers(manifest, desk, TokenStore(desk, 60))


def heard(headers: dict[str, str] | None = None, query: dict[str, str] | None = None, body: bytes = b"{}") -> Heard:
    target = "/things" + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")
    return Heard("POST", "/things", query or {}, Names(headers or {}), body, target)


def basic(pair: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


@pytest.mark.parametrize(
    ("proof", "good", "bad"),
    [
        (
            Basic(),
            heard(basic("jisr:كلمة")),
            [heard(), heard(basic("jisr:other")), heard({"Authorization": "Basic ?"})],
        ),
        (ApiKey(), heard({"X-API-Key": "key-1"}), [heard(), heard({"X-API-Key": "key-2"}), heard({}, {"k": "key-1"})]),
        (ApiKey(query="k"), heard({}, {"k": "key-1"}), [heard(), heard({}, {"k": "x"}), heard({"X-API-Key": "key-1"})]),
    ],
    ids=["basic", "api_key", "api_key in the query"],
)
def test_a_user_or_a_key_is_known_or_refused(proof, good, bad):
    office = callers(proof)
    assert office.refusal(good) is None
    assert [answer.status for one in bad if (answer := office.refusal(one)) is not None] == [401] * len(bad)


def test_every_declared_proof_is_wanted():
    office = callers(Basic(), ApiKey())
    assert office.refusal(heard({**basic("jisr:كلمة"), "X-API-Key": "key-1"})) is None
    assert office.refusal(heard(basic("jisr:كلمة"))) is not None


def private_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *form).decode()


@pytest.mark.parametrize(
    "proof",
    [
        Hmac(),
        Hmac(
            algorithm="sha512",
            encoding="hex",
            prefix="v1=",
            signed=("method", "path", "timestamp", "nonce", "body_sha256"),
        ),
        Hmac(signed=("key_id", "body"), key_id_header="X-Key"),
        Hmac(timestamp_format="iso"),
        Hmac(timestamp_format="unix_ms"),
        RsaSignature(signed=("nonce", "timestamp", "body")),
    ],
    ids=["hmac", "hmac over everything", "hmac with key id", "iso time", "milliseconds", "rsa"],
)
def test_a_signed_message_is_believed_and_a_changed_or_an_old_one_is_not(proof):
    settings = {**SETTINGS, "signing_key": private_pem()}
    office = callers(proof, settings=settings)

    def sign(moment: datetime) -> Heard:
        sent = Signer(proof, settings, lambda: moment)(HttpRequest("POST", "/things?a=1", {}, b'{"a":1}', b""))
        return Heard("POST", "/things", {"a": "1"}, Names(sent.headers), sent.body, sent.path)

    now = datetime.now(UTC)
    good = sign(now)
    changed = Heard(good.method, good.path, good.query, good.headers, b'{"a":2}', good.target)
    bare = Heard(good.method, good.path, good.query, Names({}), good.body, good.target)
    assert [office.refusal(one) is None for one in (good, changed, bare)] == [True, False, False]
    if "timestamp" in proof.signed:
        assert office.refusal(sign(now - timedelta(minutes=6))) is not None
    if "nonce" in proof.signed:
        assert office.refusal(good) is not None, "a nonce counts once"


@pytest.mark.parametrize("plain", [False, True])
def test_a_username_token_is_of_the_declared_type(plain):
    desk = Desk("office", None, Ledger(), SETTINGS)  # type: ignore[arg-type]  # no file is read
    tokens = UsernameTokens(desk, plain=plain)

    def header(*, plain: bool) -> Any:
        text = UsernameTokenHeader("jisr", "كلمة", lambda: datetime.now(UTC), plain=plain)()
        return etree.fromstring(f'<soap:Header xmlns:soap="urn:s">{text}</soap:Header>')

    good = header(plain=plain)
    assert tokens.trusts(good, good)
    assert not tokens.trusts(good, good), "a nonce counts once"
    assert not tokens.trusts(good, header(plain=not plain))
    assert not tokens.trusts(good, None)


def test_a_signed_soap_message_is_believed_and_the_answer_is_signed_by_the_institution():
    gateway, office, stranger = signer("gateway"), signer("office"), signer("stranger")
    settings = {"signing_certificate": gateway.certificate, "signing_key": gateway.key}
    signing = {"certificate": office.certificate, "key": office.key}
    desk = Desk("office", None, Ledger(), settings, signing)  # type: ignore[arg-type]  # no file is read
    security = SignedMessages(X509Signature(), desk)
    message = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/></s:Body></s:Envelope>'

    def seal_of(pair: Any) -> MessageSeal:
        keys = {"signing_certificate": pair.certificate, "signing_key": pair.key}
        return MessageSeal(X509Signature(), {**keys, "institution_certificate": office.certificate}, desk.now)

    mine = seal_of(gateway)
    good = etree.fromstring(mine.seal(message))
    assert security.trusts(good, None)
    assert not security.trusts(etree.fromstring(seal_of(stranger).seal(message)), None)
    assert not security.trusts(etree.fromstring(message), None)
    mine.verify(etree.fromstring(security.seal(message)))
    desk.advanced = timedelta(minutes=10)
    assert not security.trusts(good, None), "a message of before"

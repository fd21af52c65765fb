"""The kinds of authentication of HTTP messages, each against a server that checks it by itself."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from connectors.kit.manifest import ManifestError, SettingError
from connectors.registry import find_packages
from tests.unit.connectors.authentication.authority import authority, server_context, signer
from tests.unit.connectors.authentication.guarded import ask, guarded, opened, package

KEY = "an invented key"


def _table(kind, lines=""):
    return f'[authentication]\nkind = "{kind}"\n{lines}'


async def _answer(tmp_path, guard, table, settings, values, operation="act"):
    async with guarded(guard) as server:
        outcome = await ask(opened(package(tmp_path, table, settings), base_url=server.url, **values), operation)
    return getattr(outcome, "status", outcome), server.seen[0]


async def test_basic_sends_user_and_password_in_utf8(tmp_path):
    expected = "Basic " + base64.b64encode("جسر:كلمة سر".encode()).decode()
    guard = lambda seen: seen.headers["Authorization"] == expected  # noqa: E731
    values = {"username": "جسر", "password": "كلمة سر"}
    status, _ = await _answer(tmp_path, guard, _table("basic"), "username=text password!=text", values)
    assert status == "succeeded"


async def test_an_api_key_goes_in_its_header(tmp_path):
    guard = lambda seen: seen.headers["X-Office-Key"] == KEY and KEY not in seen.path  # noqa: E731
    table = _table("api_key", 'header = "X-Office-Key"\n')
    status, _ = await _answer(tmp_path, guard, table, "api_key!=text", {"api_key": KEY})
    assert status == "succeeded"


@pytest.mark.parametrize(("operation", "others"), [("act", {}), ("look", {"year": ["2015"]})])
async def test_an_api_key_goes_in_the_query_beside_the_others(tmp_path, operation, others):
    guard = lambda seen: parse_qs(urlsplit(seen.path).query) == {"key": [KEY], **others}  # noqa: E731
    table = _table("api_key", 'query = "key"\n')
    async with guarded(guard) as server:
        folder = package(tmp_path, table, "api_key!=text")
        outcome = await ask(opened(folder, base_url=server.url, api_key=KEY), operation)
    assert outcome.status == "succeeded"
    assert KEY.encode() not in outcome.exchange.request


def _expected(seen, parts, separator, algorithm):
    given = {
        "method": seen.method.encode(),
        "path": seen.path.encode(),
        "timestamp": seen.headers.get("X-Time", "").encode(),
        "nonce": seen.headers.get("X-Once", "").encode(),
        "key_id": b"k-7",
        "body": seen.body,
        "body_sha256": hashlib.sha256(seen.body).hexdigest().encode(),
    }
    return hmac.new(KEY.encode(), separator.join(given[part] for part in parts), algorithm).digest()


NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("operation", ["act", "look"])
@pytest.mark.parametrize(
    ("parts", "lines", "separator", "algorithm", "decode"),
    [
        (["timestamp", "body"], "", b"\n", "sha256", base64.b64decode),
        (["method", "path", "timestamp", "body_sha256"], 'separator = "|"\nencoding = "hex"\n', b"|", "sha256", bytes.fromhex),
        (["timestamp", "nonce", "key_id", "body"], 'separator = ""\nalgorithm = "sha512"\nkey_id_header = "X-Key-Id"\n', b"", "sha512", base64.b64decode),
    ],
    ids=["timestamp and body", "canonical request", "nonce and key id"],
)  # fmt: skip
async def test_an_hmac_covers_what_the_manifest_says(tmp_path, operation, parts, lines, separator, algorithm, decode):
    def guard(seen):
        given = seen.headers["X-Sign"].removeprefix("v1=")
        return hmac.compare_digest(decode(given), _expected(seen, parts, separator, algorithm))

    table = _table(
        "hmac",
        f'header = "X-Sign"\nprefix = "v1="\ntimestamp_header = "X-Time"\nnonce_header = "X-Once"\nsigned = {parts}\n{lines}',
    )
    values = {"hmac_secret": KEY, "key_id": "k-7"}
    status, seen = await _answer(tmp_path, guard, table, "hmac_secret!=text key_id=text", values, operation)
    assert status == "succeeded"
    assert seen.headers["X-Sign"].startswith("v1=")
    assert ("X-Key-Id" in seen.headers) == ("key_id" in parts)
    assert len(seen.headers.get("X-Once", "")) == (32 if "nonce" in parts else 0)


@pytest.mark.parametrize(
    ("form", "written"), [("unix", "1772366400"), ("unix_ms", "1772366400000"), ("iso", "2026-03-01T12:00:00Z")]
)
async def test_the_signed_time_is_written_as_the_manifest_says(tmp_path, form, written):
    folder = package(tmp_path, _table("hmac", f'timestamp_format = "{form}"\n'), "hmac_secret!=text")
    async with guarded(lambda seen: seen.headers["X-Timestamp"] == written) as server:
        outcome = await ask(opened(folder, lambda: NOW, base_url=server.url, hmac_secret=KEY))
    assert outcome.status == "succeeded"


@pytest.mark.parametrize(
    ("encoding", "text"), [("hex", KEY.encode().hex()), ("base64", base64.b64encode(KEY.encode()).decode())]
)
async def test_a_key_may_be_written_in_hex_or_base64(tmp_path, encoding, text):
    guard = lambda seen: base64.b64decode(seen.headers["X-Signature"]) == _expected(seen, ["body"], b"", "sha256")  # noqa: E731
    table = _table("hmac", f'key_encoding = "{encoding}"\nsigned = ["body"]\n')
    status, _ = await _answer(tmp_path, guard, table, "hmac_secret!=text", {"hmac_secret": text})
    assert status == "succeeded"


async def test_an_rsa_signature_is_over_the_very_bytes_that_are_sent(tmp_path):
    pair = signer("jisr")

    def guard(seen):
        public: Any = x509.load_pem_x509_certificate(pair.certificate.encode()).public_key()
        try:
            public.verify(base64.b64decode(seen.headers["X-Signature"]), seen.body, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    table = _table("rsa_signature", 'signed = ["body"]\n')
    status, seen = await _answer(tmp_path, guard, table, "signing_key!=pem", {"signing_key": pair.key})
    assert status == "succeeded"
    assert "سمر".encode() in seen.body


async def test_mutual_tls_and_basic_stand_together(tmp_path):
    both = (
        '[[authentication]]\nkind = "mutual_tls"\n[[authentication]]\nkind = "basic"\n[http]\ntrust = "ministry_ca"\n'
    )
    pair = authority().issue("jisr")
    tls = server_context(authority().issue("server", host="127.0.0.1"), tmp_path, clients=authority().certificate)
    expected = "Basic " + base64.b64encode(b"jisr:pw").decode()
    guard = lambda seen: (seen.client, seen.headers.get("Authorization")) == ("jisr", expected)  # noqa: E731
    folder = package(
        tmp_path, both, "client_certificate=pem client_key!=pem ministry_ca=pem username=text password!=text"
    )
    async with guarded(guard, tls=tls) as server:
        outcome = await ask(
            opened(
                folder,
                base_url=server.url,
                client_certificate=pair.certificate,
                client_key=pair.key,
                ministry_ca=authority().certificate,
                username="jisr",
                password="pw",
            )
        )
    assert outcome.status == "succeeded"


async def test_another_key_is_refused_by_the_same_guards(tmp_path):
    """The guards themselves can fail: what they accept above they accept for the signature alone."""

    def guard(seen):
        return base64.b64decode(seen.headers["X-Signature"]) == _expected(seen, ["timestamp", "body"], b"\n", "sha256")

    status, _ = await _answer(tmp_path, guard, _table("hmac"), "hmac_secret!=text", {"hmac_secret": "another"})
    assert status == "refused"


@pytest.mark.parametrize(
    ("table", "settings", "sentence"),
    [
        (_table("basic"), "username=text", "settings.password: the kind of authentication, basic, needs this setting"),
        (_table("basic"), "username=text password=text", ":15: settings.password.secret: it is a secret: write secret = true"),
        (_table("hmac"), "hmac_secret!=integer", ":11: settings.hmac_secret.type: hmac needs it of type text"),
        (_table("hmac", 'signed = ["timestamp"]\n'), "hmac_secret!=text", ":15: authentication.signed: the signature covers the body"),
        (_table("hmac", 'signed = ["colour"]\n'), "hmac_secret!=text", ":15: authentication.signed[0]: invalid enum value 'colour'"),
        (_table("hmac", 'header = "a b"\n'), "hmac_secret!=text", ":15: authentication.header: expected `str` matching regex"),
        (_table("hmac", 'key_id_header = "X-K"\n'), "hmac_secret!=text", "settings.key_id: the signature needs this setting"),
        (_table("rsa_signature"), "signing_key!=text", "rsa_signature needs it of type pem"),
        (_table("api_key", 'query = "k"\nheader = "X-K"\n'), "api_key!=text", ":15: authentication.query: the key stands in a header or in the query"),
        (_table("x509_signature"), "", "authentication.kind: x509_signature is for connectors of kind soap"),
        ('[[authentication]]\nkind = "basic"\n' * 2, "username=text password!=text", "authentication: each kind stands at most once"),
        ('[[authentication]]\nkind = "basic"\n[[authentication]]\nkind = "oauth2_client_credentials"\ntoken_path = "/t"\n', "username=text password!=text client_id=text client_secret!=text", "authentication: basic and oauth2_client_credentials cannot be combined"),
        ('[[authentication]]\nkind = "none"\n[[authentication]]\nkind = "basic"\n', "username=text password!=text", "none stands alone"),
        ('[[authentication]]\nkind = "basic"\n[[authentication]]\nkind = "hmac"\nhedaer = "X"\n', "", "authentication[1].hedaer: unknown key"),
        ('[http]\ntrust = "ca"\n', "ca=text", ":14: http.trust: it names a setting of type pem, and ca is none"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_one_sentence(tmp_path, table, settings, sentence):
    with pytest.raises(ManifestError) as caught:
        find_packages([package(tmp_path, table, settings)])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "settings", "values", "sentence"),
    [
        (_table("hmac", 'key_encoding = "hex"\n'), "hmac_secret!=text", {"hmac_secret": "zz-canary"}, "setting hmac_secret: it is not hex"),
        (_table("hmac", 'key_encoding = "base64"\n'), "hmac_secret!=text", {"hmac_secret": "zz-canary"}, "setting hmac_secret: it is not base64"),
        (_table("rsa_signature"), "signing_key!=pem", {"signing_key": "-----BEGIN canary"}, "setting signing_key: no unencrypted private key"),
        (_table("rsa_signature"), "signing_key!=pem", {"signing_key": authority().issue("ec").key}, "setting signing_key: an RSA key is expected"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_read_is_one_sentence_without_it(tmp_path, table, settings, values, sentence):
    folder = package(tmp_path, table, settings)
    with pytest.raises(SettingError) as caught:
        opened(folder, base_url="http://127.0.0.1:1", **values)
    assert sentence in str(caught.value)
    assert "canary" not in str(caught.value)

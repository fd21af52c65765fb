"""WS-Security of whole messages: user names in both forms, X.509 signatures both ways, and the attacks on them."""

import copy
import re
from datetime import timedelta
from typing import Any

import pytest
import xmlsec
from lxml import etree
from zeep.exceptions import SignatureVerificationFailed
from zeep.wsse.signature import _verify_envelope_with_key

from connectors.kit.contract import Ports
from connectors.kit.errors import ConnectorError, Unreadable
from connectors.kit.manifest import X509Signature
from connectors.kit.tokens import LocalTokens
from connectors.kit.xml_signature import MessageSeal
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.authentication.authority import authority, server_context, signer
from tests.unit.connectors.authentication.guarded import ask, guarded
from tests.unit.connectors.packages import NOW, call, education_copy, envelope, fault, progress
from tests.unit.connectors.raw_server import RawServer, says, wire

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
X509 = "signing_certificate=pem signing_key!=pem institution_certificate=pem"


def _ministry(tmp_path, authentication, settings):
    """The education package with another authentication."""
    folder = education_copy(tmp_path)
    manifest = folder / "manifest.toml"
    tables = ""
    for line in settings.split():
        name, _, kind = line.partition("=")
        tables += f'[settings.{name.rstrip("!")}]\ntype = "{kind}"\nsecret = {str(name.endswith("!")).lower()}\n'
    text = re.sub(r"\[settings\.(username|password)\].*?(?=\n\[)", "", manifest.read_text("utf-8"), flags=re.DOTALL)
    text = text.replace('[authentication]\nkind = "username_token"\n', authentication)
    manifest.write_text(text + tables, "utf-8")
    return folder


def _opened(folder, url, now=lambda: NOW, **values):
    settings = {"base_url": url, **values}
    return open_connector(find_packages([folder])["ministry"], Ports(settings, LocalTokens(now), now))


def _signed_connector(tmp_path, url, **options):
    folder = _ministry(tmp_path, '[authentication]\nkind = "x509_signature"\n', X509)
    ours, theirs = signer("jisr"), signer("ministry")
    values = {
        "signing_certificate": ours.certificate,
        "signing_key": ours.key,
        "institution_certificate": theirs.certificate,
    }
    return _opened(folder, url, **(values | options))


def _seal(name="ministry", at=NOW):
    pair = signer(name)
    settings = {"signing_certificate": pair.certificate, "signing_key": pair.key}
    return MessageSeal(X509Signature(verify_answers=False), settings, lambda: at)


def _answer(name="ministry", at=NOW, body=None):
    return _seal(name, at).seal(envelope(body or progress("00")))


async def _told(tmp_path, answer, **options) -> Any:
    """The outcome or the error of a call that is answered like this, and the request."""
    async with RawServer([says(wire("200 OK", answer, "Content-Type: text/xml"))]) as server:
        result = await _one(_signed_connector(tmp_path, server.url, **options))
        return result, server.received[0]


async def _one(connector) -> Any:
    try:
        return await connector.send(connector.prepare("submit", call()))
    except ConnectorError as error:
        return error
    finally:
        await connector.close()


async def test_a_signed_message_satisfies_another_implementation(tmp_path):
    outcome, request = await _told(tmp_path, _answer())
    assert outcome.status == "succeeded"
    tree = _tree(request.body)
    _verify_envelope_with_key(
        tree, xmlsec.Key.from_memory(signer("jisr").key.encode(), xmlsec.constants.KeyDataFormatPem)
    )
    references = [reference.get("URI") for reference in tree.iter(f"{DS}Reference")]
    body, time = tree.find(f"{SOAP}Body"), tree.find(f".//{WSU}Timestamp")
    assert {f"#{body.get(f'{WSU}Id')}", f"#{time.get(f'{WSU}Id')}"} == set(references)
    assert (time.findtext(f"{WSU}Created"), time.findtext(f"{WSU}Expires")) == (
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T12:05:00.000Z",
    )
    assert b"rsa-sha256" in request.body
    assert b"sha1" not in request.body


async def test_the_signed_message_is_kept_as_evidence_word_for_word(tmp_path):
    outcome, request = await _told(tmp_path, _answer())
    assert outcome.exchange.request == request.body


async def test_a_changed_body_of_ours_fails_at_the_institution(tmp_path):
    _, request = await _told(tmp_path, _answer())
    tree = etree.fromstring(request.body.replace(b"2015", b"2016"))
    with pytest.raises(SignatureVerificationFailed):
        _verify_envelope_with_key(
            tree, xmlsec.Key.from_memory(signer("jisr").key.encode(), xmlsec.constants.KeyDataFormatPem)
        )


async def test_a_signed_refusal_is_believed_and_an_unsigned_one_is_not(tmp_path):
    said = fault("Server", detail="RECORD_WITHHELD")
    signed, _ = await _told(tmp_path / "one", _answer(body=said))
    unsigned, _ = await _told(tmp_path / "two", envelope(said))
    assert signed.status == "refused"
    assert isinstance(unsigned, Unreadable)


async def test_the_institution_may_renew_its_certificate(tmp_path):
    both = signer("older").certificate + signer("ministry").certificate
    outcome, _ = await _told(tmp_path, _answer(), institution_certificate=both)
    assert outcome.status == "succeeded"


def _tree(answer) -> Any:
    return etree.fromstring(answer)


def _forged():
    """A body as an attacker would have it."""
    return _tree(envelope(progress("00").replace("N-7", "FORGED"))).find(f"{SOAP}Body")


def _wrapped(*, into, forged_id):
    """The signed body moved elsewhere, a forged one in its place."""

    def attack(answer):
        root = _tree(answer)
        body = root.find(f"{SOAP}Body")
        forged = _forged()
        if forged_id is not None:
            forged.set(forged_id[0], forged_id[1] if forged_id[1] != "same" else body.get(f"{WSU}Id"))
        root.replace(body, forged)
        etree.SubElement(root.find(into), "{urn:x}Wrapper").append(body)
        return etree.tostring(root)

    return attack


def _wrapped_time(answer):
    root = _tree(answer)
    security = root.find(f".//{WSSE}Security")
    old = security.find(f"{WSU}Timestamp")
    fresh = copy.deepcopy(old)
    fresh.set(f"{WSU}Id", "fresh")
    security.replace(old, fresh)
    etree.SubElement(root.find(f"{SOAP}Header"), "{urn:x}Wrapper").append(old)
    return etree.tostring(root)


def _second_security(answer):
    root = _tree(answer)
    header = root.find(f"{SOAP}Header")
    header.append(copy.deepcopy(header[0]))
    return etree.tostring(root)


def _only_time(answer):
    """A good signature that covers the Timestamp alone."""
    root = _tree(answer)
    security = root.find(f".//{WSSE}Security")
    signature = security.find(f"{DS}Signature")
    references = signature.findall(f".//{DS}Reference")
    references[1].getparent().remove(references[1])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(signer("ministry").key.encode(), xmlsec.constants.KeyDataFormatPem)
    context.register_id(security.find(f"{WSU}Timestamp"), "Id", WSU.strip("{}"))
    context.sign(signature)
    return etree.tostring(root)


def _resigned(old, new):
    """Signed anew by the institution's own key with another algorithm."""

    def attack(answer):
        root = _tree(answer.replace(old.encode(), new.encode()))
        security = root.find(f".//{WSSE}Security")
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(signer("ministry").key.encode(), xmlsec.constants.KeyDataFormatPem)
        for node in (root.find(f"{SOAP}Body"), security.find(f"{WSU}Timestamp")):
            context.register_id(node, "Id", WSU.strip("{}"))
        context.sign(security.find(f"{DS}Signature"))
        return etree.tostring(root)

    return attack


HEADER, SECURITY, SIGNATURE = (
    f"{SOAP}Header",
    f"{SOAP}Header/{WSSE}Security",
    f"{SOAP}Header/{WSSE}Security/{DS}Signature",
)
ATTACKS = {
    "wrapped in the header, no id": _wrapped(into=HEADER, forged_id=None),
    "wrapped in the header, another id": _wrapped(into=HEADER, forged_id=(f"{WSU}Id", "forged")),
    "wrapped in the header, the same id": _wrapped(into=HEADER, forged_id=(f"{WSU}Id", "same")),
    "wrapped in the header, the same plain id": _wrapped(into=HEADER, forged_id=("Id", "same")),
    "wrapped in the header, the same xml:id": _wrapped(
        into=HEADER, forged_id=("{http://www.w3.org/XML/1998/namespace}id", "same")
    ),
    "wrapped in the Security header": _wrapped(into=SECURITY, forged_id=None),
    "wrapped in the signature": _wrapped(into=SIGNATURE, forged_id=(f"{WSU}Id", "same")),
    "a fresh Timestamp, the signed one wrapped": _wrapped_time,
    "two Security headers": _second_security,
    "only the Timestamp signed": _only_time,
    "SHA-1 digests": _resigned("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"),
    "RSA with SHA-1": _resigned("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
    "inclusive canonicalisation": _resigned(
        "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    ),
    "a changed body": lambda answer: answer.replace(b"N-7", b"N-8"),
    "no signature": lambda _: envelope(progress("00")),
    "somebody else's signature": lambda _: _answer("somebody"),
    "a whole message of yesterday": lambda _: _answer(at=NOW - timedelta(days=1)),
    "a message of tomorrow": lambda _: _answer(at=NOW + timedelta(days=1)),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
async def test_a3_an_answer_that_is_not_signed_as_agreed_is_unreadable(tmp_path, attack):
    answer = attack(_answer())
    result, _ = await _told(tmp_path, answer)
    assert isinstance(result, Unreadable), result
    assert result.exchange is not None
    assert result.exchange.response == answer


async def test_a3_the_attacks_start_from_a_good_answer(tmp_path):
    """What is not attacked is believed, also after it went through a parser: the attacks fail for what they change."""
    result, _ = await _told(tmp_path, etree.tostring(_tree(_answer())))
    assert result.status == "succeeded"
    resigned = _resigned("N-7", "N-9")(_answer())
    again, _ = await _told(tmp_path / "again", resigned)
    assert again.reference == "N-9"


async def test_an_expired_certificate_of_the_institution_vouches_for_nothing(tmp_path):
    result, _ = await _told(tmp_path, _answer(at=NOW + timedelta(days=7300)), now=lambda: NOW + timedelta(days=7300))
    assert isinstance(result, Unreadable)
    assert "the signature is not the institution's" in str(result)


async def test_mutual_tls_and_a_signature_stand_together(tmp_path):
    both = '[[authentication]]\nkind = "x509_signature"\nverify_answers = false\n[[authentication]]\nkind = "mutual_tls"\n[http]\ntrust = "ministry_ca"\n'
    settings = "signing_certificate=pem signing_key!=pem client_certificate=pem client_key!=pem ministry_ca=pem"
    client, ours = authority().issue("jisr"), signer("jisr")
    key = xmlsec.Key.from_memory(ours.key.encode(), xmlsec.constants.KeyDataFormatPem)

    def guard(seen):
        _verify_envelope_with_key(etree.fromstring(seen.body), key)
        return seen.client == "jisr"

    tls = server_context(authority().issue("server", host="127.0.0.1"), tmp_path, clients=authority().certificate)
    async with guarded(guard, tls=tls) as server:
        connector = _opened(
            _ministry(tmp_path, both, settings),
            server.url,
            signing_certificate=ours.certificate,
            signing_key=ours.key,
            client_certificate=client.certificate,
            client_key=client.key,
            ministry_ca=authority().certificate,
        )
        result = await ask(connector, "submit")
    assert isinstance(result, Unreadable)  # the guard answers in JSON
    assert result.exchange is not None
    assert b'"done"' in result.exchange.response


async def test_a_user_name_token_may_carry_the_password_itself(tmp_path):
    plain = '[authentication]\nkind = "username_token"\nplain_text = true\n'
    folder = _ministry(tmp_path, plain, "username=text password!=text")
    raw = wire("200 OK", envelope(progress("00")), "Content-Type: text/xml")
    async with RawServer([says(raw)]) as server:
        outcome = await _one(_opened(folder, server.url, username="jisr", password="a<b&c"))
    token = _tree(server.received[0].body).find(f".//{WSSE}UsernameToken")
    password = token.find(f"{WSSE}Password")
    assert (token.findtext(f"{WSSE}Username"), password.text) == ("jisr", "a<b&c")
    assert password.get("Type").endswith("#PasswordText")
    assert outcome.status == "succeeded"
    assert b"a&lt;b" not in outcome.exchange.request
    assert b"***" in outcome.exchange.request

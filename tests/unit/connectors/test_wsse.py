"""UsernameToken with PasswordDigest."""

import base64
import hashlib
from datetime import UTC, datetime

from lxml import etree

from connectors.kit.wsse import UsernameTokenHeader
from tests.unit.connectors.packages import call, education, envelope, progress
from tests.unit.connectors.raw_server import RawServer, says, wire

WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"


def _parsed(header):
    return etree.fromstring(f'<x xmlns:soap="urn:s">{header}</x>')[0]


def _text(element, name):
    return element.findtext(f".//{name}")


def test_the_digest_is_that_of_the_profile():
    header = UsernameTokenHeader(
        "jisr", "كلمة سر", lambda: datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), lambda n: b"\x01" * n
    )
    token = _parsed(header())
    created = _text(token, f"{WSU}Created")
    nonce = base64.b64decode(_text(token, f"{WSSE}Nonce"))
    assert created == "2026-03-01T12:00:00.123Z"
    assert nonce == b"\x01" * 16
    expected = hashlib.sha1(nonce + created.encode() + "كلمة سر".encode()).digest()
    assert base64.b64decode(_text(token, f"{WSSE}Password")) == expected


def test_a_name_with_markup_stays_a_name():
    header = UsernameTokenHeader("<a>&b", "p", lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert _text(_parsed(header()), f"{WSSE}Username") == "<a>&b"


def test_every_message_has_its_own_nonce():
    header = UsernameTokenHeader("jisr", "p", lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert len({_text(_parsed(header()), f"{WSSE}Nonce") for _ in range(50)}) == 50


async def test_the_password_never_travels_and_evidence_keeps_no_digest():
    raw = wire("200 OK", envelope(progress("00")), "Content-Type: text/xml")
    async with RawServer([says(raw)]) as server:
        connector = education(server.url)
        prepared = connector.prepare("submit", call())
        outcomes = [await connector.send(prepared) for _ in range(2)]
        await connector.close()
    first, second = (request.body for request in server.received)
    assert first != second
    assert b"an invented password" not in first
    assert server.received[0].header("SOAPAction") == '"urn:moe.gov.sy:certificates:v1/SubmitRequest"'
    kept, again = (outcome.exchange.request if outcome.exchange else b"" for outcome in outcomes)
    assert kept == again
    digest = etree.fromstring(first).findtext(f".//{WSSE}Password")
    assert digest
    assert digest.encode() not in kept
    assert b"***" in kept

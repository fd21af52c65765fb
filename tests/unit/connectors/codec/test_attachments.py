"""MTOM answers: attachments take their places, are held once, and nothing half is ever taken for whole."""

import base64
import hashlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.contract import Status
from connectors.kit.errors import ConnectionLost, ServerFailed, TooLarge, Unreadable
from connectors.kit.reception import Multipart, reception
from connectors.kit.soap import SoapCodec
from tests.unit.connectors.codec.wsdls import asking, opened, schema, wsdl
from tests.unit.connectors.packages import ENVELOPE, PDF, call, education, progress
from tests.unit.connectors.raw_server import RawServer, says, wire

BOUNDARY = "uuid:7"
TYPE = f'multipart/related; type="application/xop+xml"; start="<root@x>"; start-info="text/xml"; boundary="{BOUNDARY}"'
INCLUDE = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
ROOT = 'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <root@x>'
BINARY = "Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <copy%201@x>"
ASKS = (
    '<o:OptimizedMimeSerialization xmlns:o="http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization"/>'
)


def message(include: str = INCLUDE.format("copy%25201@x")) -> bytes:
    content = f"<Content>{base64.b64encode(PDF).decode()}</Content>"
    body = progress("00").replace(content, f"<Content>{include}</Content>")
    return f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def packed(*parts: tuple[str, bytes], end: bytes = b"--") -> bytes:
    pieces = [
        b"--%b\r\n%b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), headers.encode(), content) for headers, content in parts
    ]
    return b"".join(pieces) + b"--" + BOUNDARY.encode() + end


WHOLE = packed((ROOT, message()), (BINARY, PDF))


async def submit(raw: bytes, content_type: str = TYPE, status: str = "200 OK"):
    async with RawServer([says(wire(status, raw, f"Content-Type: {content_type}"), then_close=True)]) as server:
        connector = education(server.url)
        try:
            return await connector.send(connector.prepare("submit", call()))
        finally:
            await connector.close()


async def test_an_attachment_is_the_content_of_its_place_and_evidence_keeps_its_digest():
    outcome = await submit(WHOLE)
    assert outcome.status is Status.SUCCEEDED
    assert [document.content for document in outcome.documents] == [PDF]
    assert outcome.exchange is not None
    assert f"attachment {len(PDF)} bytes sha256:{hashlib.sha256(PDF).hexdigest()}".encode() in outcome.exchange.response
    assert message() in outcome.exchange.response
    assert PDF not in outcome.exchange.response


async def test_a_part_in_base64_is_decoded():
    headers = BINARY.replace("binary", "base64")
    outcome = await submit(packed((ROOT, message()), (headers, base64.encodebytes(PDF))))
    assert outcome.documents[0].content == PDF


@pytest.mark.parametrize(
    ("raw", "content_type", "sentence"),
    [
        (packed((ROOT, message())), TYPE, "the schema refuses the answer"),
        (packed((ROOT, message()), (BINARY.replace("copy", "other"), PDF)), TYPE, "an attachment that did not come"),
        (packed((ROOT, message("cid:copy")), (BINARY, PDF)), TYPE, "the schema refuses the answer"),
        (packed((ROOT, message(INCLUDE.format("x").replace("cid:", "http:"))), (BINARY, PDF)), TYPE, "did not come"),
        (packed((ROOT, message("AAAA" + INCLUDE.format("copy%25201@x"))), (BINARY, PDF)), TYPE, "beside other content"),
        (packed((ROOT, message()), (BINARY, PDF), (BINARY, PDF)), TYPE, "two with one content id"),
        (packed((ROOT.replace("root", "else"), message()), (BINARY, PDF)), TYPE, "lacks its root part"),
        (packed((ROOT, message()), (BINARY, PDF), end=b""), TYPE, "cut off"),
        (packed((ROOT, message()), (BINARY, PDF + b"\r\n--uuid:78\r\n")), TYPE, "a boundary inside a part"),
        (packed((ROOT, message()), (BINARY.replace("binary", "gzip"), PDF)), TYPE, "an encoding that is not read"),
        (packed((ROOT, message()), ("Content-Type: multipart/mixed; boundary=x", PDF)), TYPE, "an encoding that is not read"),
        (packed((ROOT, message()), ("no header", PDF)), TYPE, "headers that cannot be read"),
        (packed((ROOT, message()), (BINARY + "\r\nX: " + "x" * 20_000, PDF)), TYPE, "too long headers"),
        (packed((ROOT, message()), *[("X: y", b"")] * 100), TYPE, "more than 100 parts"),
        (WHOLE, TYPE.replace(BOUNDARY, "other"), "cut off"),
        (WHOLE, "multipart/related; type=x", "no usable boundary"),
        (WHOLE, f'multipart/related; boundary="{"b" * 71}"', "no usable boundary"),
        (WHOLE, TYPE.replace("related", "mixed"), "not multipart/related"),
        (b"", TYPE, "cut off"),
        (packed((ROOT.replace('type="text/xml"', 'type="text/html"'), message()), (BINARY, PDF)), TYPE, "content type"),
        (packed((ROOT.replace("UTF-8", "windows-1256"), message()), (BINARY, PDF)), TYPE, "charset"),
    ],
)  # fmt: skip
async def test_what_is_not_as_it_should_be_is_one_sentence_and_its_beginning_is_kept(raw, content_type, sentence):
    with pytest.raises(Unreadable, match=sentence) as caught:
        await submit(raw, content_type)
    assert caught.value.exchange is not None
    assert len(caught.value.exchange.response) <= 64 * 1024 + 1024
    assert bool(caught.value.exchange.response) == bool(raw) or "boundary" in sentence or "related" in sentence


async def test_a_broken_server_is_no_protocol_error():
    with pytest.raises(ServerFailed):
        await submit(b"--uuid:7", status="500 Internal Server Error")


async def test_n5_an_answer_cut_at_every_offset_never_succeeds():
    answers = [says(wire("200 OK", WHOLE[:n], f"Content-Type: {TYPE}"), then_close=True) for n in range(len(WHOLE) - 2)]
    async with RawServer(answers) as server:
        connector = education(server.url)
        prepared = connector.prepare("submit", call())
        for _ in answers:
            with pytest.raises((Unreadable, ConnectionLost)):
                await connector.send(prepared)
        await connector.close()


async def test_an_attachment_beyond_the_limit_is_cut():
    with pytest.raises(TooLarge) as caught:
        await submit(packed((ROOT, message()), (BINARY, bytes(21 * 2**20))))
    assert caught.value.exchange is not None
    assert len(caught.value.exchange.response) <= 64 * 1024


@given(st.lists(st.integers(1, 60), min_size=1, max_size=400), st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_however_the_bytes_are_cut_the_parts_are_the_same(sizes, content):
    raw = packed((ROOT, b"<a/>"), (BINARY, content + b"\r\n--uuid:"), ("Content-ID: <empty>", b""))
    parts, at = reception(TYPE), 0
    for size in [*sizes, len(raw)]:
        parts.feed(raw[at : at + size])
        at += size
    received = parts.finish()
    assert received.body == b"<a/>"
    assert dict(received.attachments) == {"copy%201@x": content + b"\r\n--uuid:", "empty": b""}


def test_ten_mebibytes_are_held_once():
    size, chunk = 10 * 2**20, bytes(range(256)) * 256
    head, tail = packed((ROOT, message()), end=b"\r\n" + BINARY.encode() + b"\r\n\r\n"), b"\r\n--uuid:7--"
    tracemalloc.start()
    try:
        parts = Multipart(TYPE)
        parts.feed(head)
        for _ in range(size // len(chunk)):
            parts.feed(chunk)
        parts.feed(tail)
        received = parts.finish()
        kept = parts.evidence()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(received.attachments["copy%201@x"]) == size
    assert len(kept) < 64 * 1024
    assert peak < size * 1.5


@pytest.mark.parametrize(
    ("binding", "version", "accepted"),
    [
        ("", 11, None),
        (ASKS, 11, 'multipart/related; type="application/xop+xml", text/xml'),
        (ASKS, 12, 'multipart/related; type="application/xop+xml", application/soap+xml'),
    ],
    ids=["no policy", "SOAP 1.1", "SOAP 1.2"],
)
def test_where_a_port_asks_for_mtom_requests_say_that_attachments_are_read(tmp_path, binding, version, accepted):
    """Found with the JAX-WS reference implementation, which else answers without."""
    types = schema(asking('<xsd:sequence><xsd:element name="n" type="xsd:int"/></xsd:sequence>'))
    codec = SoapCodec(opened(tmp_path, wsdl(types, version=version, binding=binding)))

    assert codec.headers("Do").get("Accept") == accepted

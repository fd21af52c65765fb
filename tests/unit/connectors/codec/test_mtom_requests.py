"""MTOM requests: binary content goes beside the message, in pieces, and the message says what it includes."""

import asyncio
import hashlib
import tomllib
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.kit.conformance.suite import examine
from connectors.kit.contract import Call, Ports
from connectors.kit.importing.wsdl_import import import_wsdl
from connectors.kit.manifest import ManifestError
from connectors.kit.package import load_package
from connectors.kit.reception import reception
from connectors.kit.soap import SoapCodec
from connectors.kit.tokens import LocalTokens
from connectors.kit.wsdl import WsdlContract, open_wsdl
from connectors.registry import open_connector
from mappings.upload import Upload
from tests.unit.connectors.codec.wsdls import asking, operation, schema, written, wsdl
from tests.unit.connectors.packages import NOW, PDF
from tests.unit.connectors.raw_server import RawServer, Script, says, wire

WSP = 'xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"'
OPTIMISED = '<m:OptimizedMimeSerialization xmlns:m="http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization" {}/>'
OPTIONAL = 'wsp:Optional="true"'
REFERENCE = f'<wsp:PolicyReference {WSP} URI="#Beside"/>'
XMIME = 'xmlns:xmime="http://www.w3.org/2005/05/xmlmime" xmime:expectedContentTypes="image/png"'
TYPES = schema(
    '<xsd:element name="Ask"><xsd:complexType><xsd:sequence><xsd:element name="RequestId" type="xsd:string"/>'
    '<xsd:element name="Photo" type="t:Photo"/><xsd:element name="Scan" type="xsd:base64Binary" minOccurs="0"/></xsd:sequence>'
    '<xsd:attribute name="seal" type="xsd:base64Binary"/></xsd:complexType></xsd:element>'
    '<xsd:simpleType name="Photo"><xsd:restriction base="xsd:base64Binary"><xsd:minLength value="1"/></xsd:restriction></xsd:simpleType>'
    '<xsd:element name="Told"><xsd:complexType><xsd:sequence><xsd:element name="ResultCode" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>'
)
TOLD = '<Told xmlns="urn:t"><ResultCode>0</ResultCode></Told>'
HUGE = 48 * 2**20


def policy(optional: str = "") -> str:
    return f'<wsp:Policy {WSP} wsu:Id="Beside">{OPTIMISED.format(optional)}</wsp:Policy>'


def asks_for_mtom(version: int = 11, *, optional: str = "", types: str = TYPES, reference: str = REFERENCE) -> str:
    text = wsdl(types, version=version, binding=reference)
    return text.replace("<wsdl:types>", f"{policy(optional)}<wsdl:types>", 1)


def contract_of(folder: Path, text: str, mtom: bool | None = None) -> WsdlContract:
    return open_wsdl(written(folder, text), "w.wsdl", mtom={"Do": mtom})


@pytest.mark.parametrize(
    ("text", "said", "goes"),
    [
        (asks_for_mtom(), None, True),
        (asks_for_mtom(), False, False),
        (asks_for_mtom(optional=OPTIONAL), None, True),
        (asks_for_mtom(optional=OPTIONAL, types=schema(asking(""))), None, False),
        (asks_for_mtom(types=schema(asking(""))), None, True),
        (wsdl(TYPES), None, False),
        (wsdl(TYPES), True, True),
        (wsdl(TYPES, binding=policy()), None, True),
        (wsdl(TYPES).replace("<wsdl:input><soap:body", f"<wsdl:input>{policy()}<soap:body"), None, True),
        (wsdl(TYPES, binding=policy().replace("Serialization", "Nothing")), None, False),
    ],
)
def test_the_policy_of_binding_or_operation_decides_unless_the_manifest_does(tmp_path, text, said, goes):
    contract = contract_of(tmp_path, text, said)
    assert operation(contract).mtom is goes
    assert contract.notes == (("Do: the WSDL asks for MTOM, and requests are sent without",) if said is False else ())


def test_binary_content_goes_beside_the_message_and_is_what_the_include_says(tmp_path):
    codec = SoapCodec(contract_of(tmp_path, asks_for_mtom()))
    children = {"@seal": b"seal", "RequestId": "r<1", "Photo": PDF, "Scan": "AAEC"}
    raw, attached = codec.content("Do", children)
    assert [each.content for each in attached] == [PDF, b"\0\1\2"]
    root: Any = etree.fromstring(raw)
    photo, scan = (root.find(f"{{urn:t}}{name}") for name in ("Photo", "Scan"))
    for node, one in ((photo, attached[0]), (scan, attached[1])):
        (include,) = node
        assert include.get("href") == f"cid:{one.content_id}"
        assert node.text is None
    assert root.get("seal") == "c2VhbA=="
    assert PDF not in raw
    again, _ = codec.content("Do", children)
    other, _ = codec.content("Do", {**children, "Photo": PDF + b" "})
    assert raw == again
    assert raw != other, "another document is another message"


@pytest.mark.parametrize(
    ("children", "sentence"),
    [
        ({"RequestId": "1", "Photo": "not base64"}, "base64 is expected"),
        ({"RequestId": "1", "Photo": 7}, "binary content is expected"),
        ({"RequestId": "1"}, "the schema refuses the message"),
        ({"RequestId": "1", "Photo": PDF, "@seal": Upload(1, "0", lambda: pieces_of(1))}, "an attribute or a list"),
    ],
)
def test_what_cannot_go_is_one_sentence(tmp_path, children, sentence):
    codec = SoapCodec(contract_of(tmp_path, asks_for_mtom()))
    with pytest.raises(ValueError, match=sentence):
        codec.content("Do", children)
    assert b"AAEC" in codec.body("Do", {"RequestId": "1", "Photo": b"\0\1\2"}), "nothing is left of the failure"


async def pieces_of(count: int) -> Any:
    for number in range(count):
        yield bytes([number % 256]) * 65536


def upload(size: int) -> Upload:
    digest = hashlib.sha256()
    for number in range(size // 65536):
        digest.update(bytes([number % 256]) * 65536)
    return Upload(size, digest.hexdigest(), partial(pieces_of, size // 65536))


def package(folder: Path, text: str) -> Path:
    (folder / "into").mkdir(parents=True)
    source = written(folder / "contract", text) / "w.wsdl"
    return import_wsdl("office", str(source), folder / "into")[0]


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The package of each SOAP version; no test changes one."""
    return {version: package(tmp_path_factory.mktemp("mtom"), asks_for_mtom(version)) for version in (11, 12)}


def connector(folder: Path, url: str) -> Any:
    return open_connector(load_package(folder), Ports({"base_url": url}, LocalTokens(lambda: NOW), lambda: NOW))


def call(photo: Any) -> Call:
    return Call("op-1", {"operation_id": "op-1", "input": {"request_id": "op-1", "photo": photo}, "attachments": {}})


def answering(version: int) -> Script:
    spaces = {11: "http://schemas.xmlsoap.org/soap/envelope/", 12: "http://www.w3.org/2003/05/soap-envelope"}
    raw = f'<s:Envelope xmlns:s="{spaces[version]}"><s:Body>{TOLD}</s:Body></s:Envelope>'.encode()
    kind = {11: "text/xml", 12: "application/soap+xml"}[version]
    return says(wire("200 OK", raw, f"Content-Type: {kind}; charset=utf-8"))


@pytest.mark.parametrize(("version", "inner"), [(11, "text/xml"), (12, 'application/soap+xml; action="urn:do"')])
async def test_the_whole_is_one_multipart_request_whose_length_is_told(offices, version, inner):
    async with RawServer([answering(version)]) as server:
        office = connector(offices[version], server.url)
        outcome = await office.send(office.prepare("do", call(PDF)))
        await office.close()
        await asyncio.wait_for(server.gone.wait(), 5)
    (asked,) = server.received
    kind = asked.header("Content-Type") or ""
    assert kind.startswith('multipart/related; type="application/xop+xml"; start="<root@jisr>"; start-info="')
    assert asked.header("Transfer-Encoding") is None
    assert asked.header("SOAPAction") == ('"urn:do"' if version == 11 else None)
    assert ('action="urn:do"' in kind) is (version == 12)
    taken = reception(kind)
    taken.feed(asked.body)
    received = taken.finish()
    assert received.content_type.partition(";")[0] == inner.partition(";")[0]
    assert list(received.attachments.values()) == [PDF]
    assert f"attachment {len(PDF)} bytes sha256:{hashlib.sha256(PDF).hexdigest()}".encode() in outcome.exchange.request
    assert PDF not in outcome.exchange.request
    assert outcome.institution_code == "0"


async def test_an_upload_is_sent_piece_by_piece_and_is_never_held_whole(offices):
    content = upload(HUGE)

    async def drained(reader: Any, writer: Any) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        at = left
        while left:
            piece = await reader.read(min(left, 65536))
            left -= len(piece)
        seen.append(at)
        await answering(11)(writer)
        writer.close()

    seen: list[int] = []
    server = await asyncio.start_server(drained, "127.0.0.1", 0)
    office = connector(offices[11], f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert office.streams("do")
    prepared = office.prepare("do", call(content))
    tracemalloc.start()
    try:
        outcome = await office.send(prepared)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await office.close()
        server.close()
        await server.wait_closed()
    assert outcome.institution_code == "0"
    assert HUGE < seen[0] < HUGE + 4096
    assert peak < 8 * 2**20


def test_the_importer_guesses_mtom_from_policy_and_schema(tmp_path):
    def said(name: str, text: str) -> str:
        manifest = (package(tmp_path / name, text) / "manifest.toml").read_text("utf-8")
        assert tomllib.loads(manifest)["operations"]["do"].get("mtom", False) is ("mtom = true" in manifest)
        return next((line for line in manifest.splitlines() if line.startswith("mtom")), "")

    assert said("policy", asks_for_mtom()) == "mtom = true    # the WSDL's policy asks for it"
    assert "guessed: the schema says" in said("mime", wsdl(TYPES.replace('name="Scan"', f'name="Scan" {XMIME}')))
    assert said("nothing", wsdl(TYPES)) == ""
    assert said("no-bytes", asks_for_mtom(types=schema(asking(
        '<xsd:sequence><xsd:element name="ResultCode" type="xsd:string"/></xsd:sequence>'
    )))) == ""  # fmt: skip


def test_a_signature_over_the_message_and_mtom_are_refused_together(tmp_path):
    folder = package(tmp_path, asks_for_mtom())
    file = folder / "manifest.toml"
    text = file.read_text("utf-8").replace('kind = "none"', 'kind = "hmac"\nheader = "X-Signature"')
    text = text.replace("[soap]", '[settings.hmac_secret]\ntype = "text"\nsecret = true\ndescription = "key"\n\n[soap]')
    file.write_text(text, "utf-8")
    with pytest.raises(ManifestError, match=r"operations.do.mtom.*a signature covers the whole message"):
        load_package(folder)


@pytest.mark.parametrize("version", [11, 12])
async def test_the_conformance_suite_holds_a_package_that_sends_mtom(offices, version):
    results = await examine(offices[version], only=["samples", "cut-at-any-byte", "spoiled"])
    failed = [(result.id, result.text.en) for result in results if result.status == "failed"]
    assert failed == []
    assert len(results) > 20

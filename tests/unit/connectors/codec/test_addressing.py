"""WS-Addressing of a package: which headers a request carries, and that an answer must name its message."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.kit.conformance.bench import Stage, heard
from connectors.kit.conformance.bench import opened as connected
from connectors.kit.conformance.sandbox_process import start_process, stop_process
from connectors.kit.conformance.subject import open_subject
from connectors.kit.contract import Outcome, Ports, Status
from connectors.kit.errors import Unreadable
from connectors.kit.sandbox.institution import NotUnderstoodError
from connectors.kit.tokens import LocalTokens
from connectors.kit.wsdl import SOAP11, SOAP12, open_wsdl
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.codec.wsdls import asking, schema, written, wsdl
from tests.unit.connectors.kit.sandbox.packages import ask, copy_of, opened, replaced
from tests.unit.connectors.packages import NOW, call, write_package
from tests.unit.connectors.raw_server import RawServer, wire

WSA = "http://www.w3.org/2005/08/addressing"
MANIFEST = """
name = "office"
version = "1"
kind = "soap"
[title]
ar = "مكتب"
en = "Office"
[settings.base_url]
type = "url"
[soap]
wsdl = "wsdl/w.wsdl"
path = "/soap"
{addressing}
[operations.act]
wire = "Do"
role = "check"
effect = "safe"
"""
CODES = '[codes."*"]\n"7" = {{ status = "succeeded" }}\n[faults."*"]\n"Closed" = {{ status = "refused", code = "not_now" }}\n'
MAPPING = "request: {body: {a: 1}}\nanswer: {code: to_string(answer.a)}\n"
MARKER = '<w:UsingAddressing xmlns:w="http://www.w3.org/2006/05/addressing/wsdl"/>'
TYPES = schema(asking('<xsd:sequence><xsd:element name="a" type="xsd:int"/></xsd:sequence>'))
TOLD = '<Told xmlns="urn:t"><a>7</a></Told>'
MEDIA = {11: "text/xml; charset=utf-8", 12: "application/soap+xml; charset=utf-8"}
SPACE = {11: SOAP11, 12: SOAP12}
RELATED = f'<a:RelatesTo xmlns:a="{WSA}"{{}}>{{}}</a:RelatesTo>'


def package(root: Path, *, version: int = 11, marker: str = MARKER, addressing: str = "") -> Path:
    manifest = MANIFEST.format(addressing=addressing)
    folder = write_package(root, manifest=manifest, mappings={"act": MAPPING}, codes=CODES.format())
    written(folder / "wsdl", wsdl(TYPES, version=version, binding=marker))
    return folder


async def exchanged(folder: Path, said: str, *, version: int = 11, body: str = TOLD) -> tuple[Outcome, Any]:
    """The outcome of an answer whose header says this (`{id}` is the id of our message), and the header that we sent."""
    server = RawServer([])

    async def answer(writer: Any) -> None:
        sent = etree.fromstring(server.received[-1].body)
        header = said.replace("{id}", sent.findtext(f".//{{{WSA}}}MessageID") or "")
        raw = (
            f'<s:Envelope xmlns:s="{SPACE[version]}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
        )
        writer.write(wire("200 OK", raw.encode(), f"Content-Type: {MEDIA[version]}"))
        await writer.drain()

    server.scripts = [answer]
    async with server:
        ports = Ports({"base_url": server.url}, LocalTokens(lambda: NOW), lambda: NOW)
        connector = open_connector(find_packages([folder])["office"], ports)
        try:
            outcome = await connector.send(connector.prepare("act", call()))
        finally:
            await connector.close()
    return outcome, etree.fromstring(server.received[0].body).find("{*}Header")


@pytest.mark.parametrize("version", [11, 12])
async def test_a_port_that_asks_for_addressing_gets_its_headers(tmp_path, version):
    related = RELATED.format("", "{id}")
    outcome, header = await exchanged(package(tmp_path, version=version), related, version=version)
    assert outcome.status is Status.SUCCEEDED
    assert header.findtext(f"{{{WSA}}}Action") == "urn:do"
    assert header.findtext(f"{{{WSA}}}To").endswith("/soap")
    assert header.findtext(f"{{{WSA}}}MessageID").startswith("urn:uuid:")
    assert header.findtext(f"{{{WSA}}}ReplyTo/{{{WSA}}}Address") == f"{WSA}/anonymous"


async def test_the_manifest_asks_for_addressing_where_the_wsdl_does_not(tmp_path):
    folder = package(tmp_path, marker="", addressing="addressing = true")
    outcome, header = await exchanged(folder, RELATED.format("", "{id}"))
    assert outcome.status is Status.SUCCEEDED
    assert header.findtext(f"{{{WSA}}}MessageID")


async def test_the_manifest_leaves_addressing_out_where_the_wsdl_asks_for_it(tmp_path):
    outcome, header = await exchanged(package(tmp_path, addressing="addressing = false"), "")
    assert outcome.status is Status.SUCCEEDED
    assert header is None


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (RELATED.format("", "urn:uuid:another"), "belongs to another message"),
        (RELATED.format("", "{id}") + RELATED.format("", "urn:uuid:another"), "belongs to another message"),
        (RELATED.format(' RelationshipType="urn:other"', "{id}"), "does not say which message"),
        ("", "does not say which message"),
    ],
)
async def test_an_answer_that_does_not_relate_to_the_message_is_unreadable(tmp_path, header, sentence):
    with pytest.raises(Unreadable, match=sentence) as refused:
        await exchanged(package(tmp_path), header)
    assert refused.value.exchange is not None
    assert b"<s:Body>" in refused.value.exchange.response


FAULT = "<s:Fault><faultcode>Closed</faultcode><faultstring>closed</faultstring></s:Fault>"


async def test_a_fault_may_name_no_message_but_not_another_one(tmp_path):
    folder = package(tmp_path)
    outcome, _ = await exchanged(folder, "", body=FAULT)
    assert outcome.status is Status.REFUSED
    with pytest.raises(Unreadable, match="belongs to another message"):
        await exchanged(folder, RELATED.format("", "urn:uuid:another"), body=FAULT)


async def test_each_try_has_a_message_id_of_its_own(tmp_path):
    folder = package(tmp_path)
    ids = set()
    for _ in range(2):
        _, header = await exchanged(folder, RELATED.format("", "{id}"))
        ids.add(header.findtext(f"{{{WSA}}}MessageID"))
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (str, ("urn:do", "urn:t:P:DoResponse")),
        (lambda text: text.replace('soapAction="urn:do"', ""), ("urn:t:P:DoRequest", "urn:t:P:DoResponse")),
        (
            lambda text: (
                text.replace('<wsdl:input message="t:In"/>', '<wsdl:input name="Asking" message="t:In"/>')
                .replace('soapAction="urn:do"', "")
                .replace('targetNamespace="urn:t" xmlns', 'targetNamespace="http://a.example/t/" xmlns')
                .replace('xmlns:t="urn:t"', 'xmlns:t="http://a.example/t/"')
                .replace('<xsd:schema targetNamespace="urn:t"', '<xsd:schema targetNamespace="http://a.example/t/"')
            ),
            ("http://a.example/t/P/Asking", "http://a.example/t/P/DoResponse"),
        ),
        (
            lambda text: text.replace(
                '<wsdl:input message="t:In"/><wsdl:output',
                '<wsdl:input xmlns:m="http://www.w3.org/2007/05/addressing/metadata" m:Action="urn:in" message="t:In"/>'
                '<wsdl:output xmlns:m="http://www.w3.org/2007/05/addressing/metadata" m:Action="urn:out"',
            ),
            ("urn:in", "urn:out"),
        ),
    ],
    ids=["soap-action", "pattern", "pattern-of-a-url", "own-attribute"],
)
def test_an_action_is_named_as_the_specification_says(tmp_path, change, wanted):
    actions = open_wsdl(written(tmp_path, change(wsdl(TYPES))), "w.wsdl").operations["Do"].addressing
    assert (actions.request, actions.answer) == wanted


def addressed(tmp_path: Path) -> Path:
    """Education's package in SOAP 1.2, with WS-Addressing and without WS-Security."""
    folder = copy_of("education", tmp_path)
    file = folder / "wsdl" / "education.wsdl"
    file.write_text(file.read_text("utf-8").replace("/wsdl/soap/", "/wsdl/soap12/"), "utf-8")
    replaced(folder / "manifest.toml", "[soap]\n", "[soap]\naddressing = true\n")
    replaced(folder / "manifest.toml", '[authentication]\nkind = "username_token"\n', "")
    return folder


async def test_the_sandbox_relates_its_answers_and_the_connector_takes_them(tmp_path):
    subject = open_subject(addressed(tmp_path))
    process = start_process(subject.folder)
    try:
        async with connected(subject, process.port) as connector:
            stage = Stage(subject, connector.operations["submit"], connector, process)
            word, came = await heard(connector, "submit", await stage.ready())
    finally:
        stop_process(process)
    assert word == "succeeded"
    assert came.exchange is not None
    sent, said = etree.fromstring(came.exchange.request), etree.fromstring(came.exchange.response)
    assert said.findtext(f".//{{{WSA}}}RelatesTo") == sent.findtext(f".//{{{WSA}}}MessageID")
    assert said.findtext(f".//{{{WSA}}}Action") == "urn:moe.gov.sy:certificates:v1:Certificates:SubmitRequestResponse"


def test_the_sandbox_refuses_a_message_without_the_headers(tmp_path):
    institution = opened(addressed(tmp_path))
    header = f'<a:Action xmlns:a="{WSA}">urn:other</a:Action>'
    for said, fault in (("", "MessageAddressingHeaderRequired"), (header + MESSAGE_ID, "the action is not that")):
        with pytest.raises(NotUnderstoodError) as refused:
            ask(institution, "POST", "/certificates/v1", inquiry(said))
        assert fault.encode() in refused.value.answer.body


MESSAGE_ID = f'<a:MessageID xmlns:a="{WSA}">urn:uuid:1</a:MessageID>'


def inquiry(header: str) -> bytes:
    body = (
        '<m:InquireRequest xmlns:m="urn:moe.gov.sy:certificates:v1"><m:RequestId>op-1</m:RequestId></m:InquireRequest>'
    )
    return f'<s:Envelope xmlns:s="{SOAP12}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'.encode()

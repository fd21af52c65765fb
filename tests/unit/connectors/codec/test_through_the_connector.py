"""A package whose WSDL asks for more than a body: declared headers, WS-Addressing, an operation through zeep."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.case import Noted, Variant
from connectors.kit.conformance.cases_contract import the_compiled_codec_covers_the_contract
from connectors.kit.conformance.sandbox_process import SandboxProcess
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Ports, Status
from connectors.kit.errors import MappingFailed
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.codec.test_operations import ENCODED, HEADED
from tests.unit.connectors.codec.wsdls import written, wsdl
from tests.unit.connectors.packages import ENVELOPE, NOW, call, write_package
from tests.unit.connectors.raw_server import RawServer, says, wire

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
[operations.act]
wire = "Do"
role = "check"
effect = "safe"
"""
CODES = '[codes."*"]\n"7" = { status = "succeeded" }\n'


def package(root: Path, text: str, mapping: str) -> Path:
    folder = write_package(root, manifest=MANIFEST, mappings={"act": mapping}, codes=CODES)
    written(folder / "wsdl", text)
    return folder


async def exchanged(folder: Path, told: str) -> tuple[Any, Any, Any]:
    raw = f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{told}</s:Body></s:Envelope>'.encode()
    async with RawServer([says(wire("200 OK", raw, "Content-Type: text/xml; charset=utf-8"))]) as server:
        ports = Ports({"base_url": server.url}, LocalTokens(lambda: NOW), lambda: NOW)
        connector: Any = open_connector(find_packages([folder])["office"], ports)
        try:
            outcome = await connector.send(connector.prepare("act", call()))
        finally:
            await connector.close()
        return connector, outcome, etree.fromstring(server.received[0].body)


async def test_the_mapping_fills_the_headers_that_the_wsdl_declares(tmp_path):
    mapping = "request: {header: {Ticket: {number: integer(input.exam_number)}}, body: {a: 1}}\nanswer: {code: to_string(answer.a)}\n"
    _, outcome, sent = await exchanged(package(tmp_path, HEADED, mapping), '<Told xmlns="urn:t"><a>7</a></Told>')
    assert outcome.status is Status.SUCCEEDED
    assert sent.findtext(f"{{{ENVELOPE}}}Header/{{urn:t}}Ticket/{{urn:t}}number") == "123"
    assert b"Ticket" in outcome.exchange.request


def test_a_header_that_the_wsdl_lacks_is_a_mistake_of_the_mapping(tmp_path):
    mapping = "request: {header: {Other: {number: input.year}}, body: {a: 1}}\nanswer: {code: to_string(answer.a)}\n"
    ports = Ports({"base_url": "http://127.0.0.1:1"}, LocalTokens(lambda: NOW), lambda: NOW)
    connector = open_connector(find_packages([package(tmp_path, HEADED, mapping)])["office"], ports)
    with pytest.raises(MappingFailed, match="no header Other"):
        connector.prepare("act", call())


async def test_an_encoded_operation_works_through_zeep_and_the_connector_says_so(tmp_path):
    part = '<wsdl:part name="n" type="xsd:int"/>'
    text = wsdl("", ask=part, told=part, style="rpc", body=ENCODED)
    mapping = "request: {body: {n: input.year}}\nanswer: {code: to_string(answer.n)}\n"
    connector, outcome, sent = await exchanged(
        package(tmp_path, text, mapping), '<r:DoResponse xmlns:r="urn:r"><n>7</n></r:DoResponse>'
    )
    assert outcome.status is Status.SUCCEEDED
    assert sent.findtext(f"{{{ENVELOPE}}}Body/{{urn:r}}Do/n") == "2015"
    assert connector.notes == ("Do goes through zeep, which is slower and checks names only: rpc/encoded messages",)


@pytest.mark.parametrize("encoded", [True, False])
async def test_check_tells_what_goes_through_zeep(tmp_path, encoded):
    part = '<wsdl:part name="n" type="xsd:int"/>'
    text = wsdl("", ask=part, told=part, style="rpc", body=ENCODED if encoded else 'use="literal" namespace="urn:r"')
    mapping = "request: {body: {n: input.year}}\nanswer: {code: to_string(answer.n)}\n"
    found = find_packages([package(tmp_path, text, mapping)])["office"]
    bench = Bench(Subject(found, {}, (), ()), None, Variant(""), _no_sandbox)
    if not encoded:
        await the_compiled_codec_covers_the_contract(bench)
        return
    with pytest.raises(Noted, match="It works, but: Do goes through zeep"):
        await the_compiled_codec_covers_the_contract(bench)


def _no_sandbox() -> SandboxProcess:
    raise AssertionError("the contract needs no sandbox")

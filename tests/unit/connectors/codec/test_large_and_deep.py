"""Contracts and messages that would never end: they open, or end in one sentence."""

import base64
import time
from typing import Any

import pytest
from lxml import etree

from connectors.kit.contract import Exchange
from connectors.kit.errors import Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.soap import SoapCodec
from connectors.kit.wsdl import SOAP11, WsdlError
from tests.unit.connectors.codec.wsdls import asking, opened, operation, schema, wsdl

TREE = schema(
    asking('<xsd:sequence><xsd:element name="tree" type="t:Tree"/></xsd:sequence>')
    + '<xsd:complexType name="Tree"><xsd:sequence><xsd:element name="tree" type="t:Tree" minOccurs="0"/></xsd:sequence></xsd:complexType>'
)


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"tree": value}
    return value


def test_a_recursive_schema_writes_and_reads_as_deep_as_a_message_may_be(tmp_path):
    contract = opened(tmp_path, wsdl(TREE))
    raw = contract.written(operation(contract).request, nested(100))
    assert operation(contract).request.read(list(etree.fromstring(b"<b>%b</b>" % raw))) == nested(100)


def test_a_value_that_is_too_deep_is_one_sentence(tmp_path):
    contract = opened(tmp_path, wsdl(TREE))
    with pytest.raises(ValueError, match="nested too deeply"):
        contract.written(operation(contract).request, nested(2000))


@pytest.mark.parametrize("levels", [1000, 10_000, 100_000])
def test_an_answer_that_is_too_deep_is_unreadable(tmp_path, levels):
    inner = "<tree>" * levels + "</tree>" * levels
    raw = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><Told xmlns="urn:t">{inner}</Told></s:Body></s:Envelope>'.encode()
    codec = SoapCodec(opened(tmp_path, wsdl(TREE)))
    with pytest.raises(Unreadable):
        codec.read("Do", HttpAnswer(200, {}, raw, "text/xml", "", Exchange(b"", raw, 200, "text/xml", 1)))


LARGE = 10_500_000  # bytes, with which libxml2's limit on a text is passed
DOCUMENT = wsdl(
    schema(
        asking(
            '<xsd:sequence><xsd:element name="content" type="xsd:base64Binary"/><xsd:element name="more" minOccurs="0"/></xsd:sequence>'
        )
    )
)


def told(inner: str, prologue: str = "") -> HttpAnswer:
    raw = f'{prologue}<s:Envelope xmlns:s="{SOAP11}"><s:Body><Told xmlns="urn:t">{inner}</Told></s:Body></s:Envelope>'
    return HttpAnswer(200, {}, raw.encode(), "text/xml", "", Exchange(b"", b"", 200, "text/xml", 1))


def test_a_large_document_in_base64_is_read(tmp_path):
    content = bytes(range(256)) * (LARGE // 256)
    codec = SoapCodec(opened(tmp_path, DOCUMENT))
    answer = told(f"<content>{base64.b64encode(content).decode()}</content>")
    assert codec.read("Do", answer).body == {"content": content}


@pytest.mark.parametrize(
    ("more", "prologue", "sentence"),
    [
        ("<a>" * 300 + "</a>" * 300, "", "nested deeper than 256 levels"),
        ("<a>" * 3000 + "</a>" * 3000, "", "nested deeper than 256 levels"),
        ("", '<!DOCTYPE x [<!ENTITY x "y">]>', "has a DOCTYPE"),
        ("<a " + " ".join(f'b{n}=""' for n in range(11_000)) + "/>", "", "too many attributes"),
        ("<a><b></a>", "", "not well-formed XML"),
        ("<other/>", "", "the schema refuses the answer"),
    ],
)
@pytest.mark.parametrize("size", [8, LARGE])
def test_limits_hold_for_large_answers_as_for_small_ones(tmp_path, size, more, prologue, sentence):
    codec = SoapCodec(opened(tmp_path, DOCUMENT.replace('minOccurs="0"/>', 'minOccurs="0" type="xsd:anyType"/>')))
    answer = told(
        f"<content>{'A' * size}</content><more>{more}</more>".replace("<more><other/></more>", "<other/>"), prologue
    )
    with pytest.raises(Unreadable, match=sentence):
        codec.read("Do", answer)


def test_a_name_without_end_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="a name that is longer"):
        SoapCodec(opened(tmp_path, DOCUMENT)).read("Do", told(f"<{'a' * 60_000}/>"))


def test_text_that_looks_like_an_attachment_is_no_content(tmp_path):
    schema_of_two = DOCUMENT.replace(
        "<xsd:sequence>", '<xsd:sequence><xsd:any namespace="##targetNamespace" processContents="lax" minOccurs="0"/>'
    )
    contract = opened(tmp_path, schema_of_two)
    assert contract.schema is None
    with pytest.raises(Unreadable, match="base64 is expected"):
        SoapCodec(contract).read("Do", told("<content>cid:other@x</content>"))


def test_schemas_that_import_one_another_open(tmp_path):
    head = '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" xmlns:o="urn:o" targetNamespace="{}" elementFormDefault="qualified">'
    one = (
        head.format("urn:o")
        + '<xsd:import namespace="urn:t" schemaLocation="two.xsd"/><xsd:complexType name="One"><xsd:sequence><xsd:element name="two" type="t:Two" minOccurs="0"/></xsd:sequence></xsd:complexType></xsd:schema>'
    )
    two = (
        head.format("urn:t")
        + '<xsd:import namespace="urn:o" schemaLocation="one.xsd"/><xsd:include schemaLocation="two.xsd"/><xsd:complexType name="Two"><xsd:sequence><xsd:element name="one" type="o:One" minOccurs="0"/></xsd:sequence></xsd:complexType></xsd:schema>'
    )
    types = schema('<xsd:import namespace="urn:o" schemaLocation="one.xsd"/><xsd:include schemaLocation="two.xsd"/>' + asking('<xsd:sequence><xsd:element name="one" type="o:One"/></xsd:sequence>'))  # fmt: skip
    contract = opened(tmp_path, wsdl(types), one=one, two=two)
    assert contract.schema is not None
    value: Any = {"one": {"two": {"one": {"two": {}}}}}
    raw = contract.written(operation(contract).request, value)
    assert operation(contract).request.read(list(etree.fromstring(b"<b>%b</b>" % raw))) == value


def test_five_megabytes_of_types_open_in_seconds(tmp_path):
    field = '<xsd:element name="field{}" type="xsd:string" minOccurs="0"/>'
    one = "".join(field.format(n) for n in range(85))
    many = "".join(
        f'<xsd:complexType name="Type{n}"><xsd:sequence>{one}</xsd:sequence></xsd:complexType>' for n in range(1000)
    )
    text = wsdl(schema(many + asking('<xsd:sequence><xsd:element name="e" type="t:Type7"/></xsd:sequence>')))
    assert len(text) > 5_000_000
    begun = time.process_time()
    contract = opened(tmp_path, text)
    assert time.process_time() - begun < 60  # promised within seconds; a minute for a slow machine under load
    assert contract.written(operation(contract).request, {"e": {"field7": "x"}})


def test_more_than_sixteen_mebibytes_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(WsdlError, match="more than 16 MiB"):
        opened(tmp_path, wsdl(TREE) + " " * (17 * 2**20))


def test_types_that_are_nested_too_deeply_are_one_sentence(tmp_path):
    inner = '<xsd:element name="e" type="xsd:string"/>'
    for _ in range(1000):
        inner = f'<xsd:element name="e"><xsd:complexType><xsd:sequence>{inner}</xsd:sequence></xsd:complexType></xsd:element>'
    with pytest.raises(WsdlError) as caught:
        opened(tmp_path, wsdl(schema(asking(f"<xsd:sequence>{inner}</xsd:sequence>"))))
    assert "\n" not in str(caught.value)

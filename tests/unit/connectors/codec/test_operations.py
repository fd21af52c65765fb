"""Operations of every style: rpc, several parts, bare, headers, one-way, without input, encoded through zeep."""

from typing import Any

import pytest
from lxml import etree

from connectors.kit.contract import Exchange
from connectors.kit.errors import Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.soap import SoapCodec
from connectors.kit.wsdl import SOAP11, WsdlError, open_wsdl
from tests.unit.connectors.codec.wsdls import asking, opened, operation, schema, written, wsdl

PAIR = (
    '<xsd:complexType name="Pair"><xsd:sequence><xsd:element name="x" type="xsd:int"/></xsd:sequence></xsd:complexType>'
)
PARTS = '<wsdl:part name="n" type="xsd:int"/><wsdl:part name="pair" type="t:Pair"/>'
SIMPLE = schema(asking('<xsd:sequence><xsd:element name="a" type="xsd:int"/></xsd:sequence>'))


def answer(body: str, status: int = 200, raw: bytes | None = None) -> HttpAnswer:
    raw = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{body}</s:Body></s:Envelope>'.encode() if raw is None else raw
    return HttpAnswer(status, {}, raw, "text/xml", "utf-8", Exchange(b"", raw, status, "text/xml", 1))


def read(contract: Any, body: str) -> Any:
    return SoapCodec(contract).read("Do", answer(body))


def test_rpc_literal_has_a_wrapper_and_parts_without_namespace(tmp_path):
    contract = opened(
        tmp_path,
        wsdl(
            schema(PAIR, form="unqualified"), ask=PARTS, told=PARTS, style="rpc", body='use="literal" namespace="urn:r"'
        ),
    )
    raw = SoapCodec(contract).body("Do", {"n": 7, "pair": {"x": 8}})
    root = etree.fromstring(raw)
    assert root.tag == "{urn:r}Do"
    assert [child.tag for child in root] == ["n", "pair"]
    told = '<r:DoResponse xmlns:r="urn:r"><n>1</n><pair><x>2</x></pair></r:DoResponse>'
    assert read(contract, told).body == {"n": 1, "pair": {"x": 2}}
    assert contract.notes == ()


def test_rpc_answers_may_say_their_types_and_may_be_named_after_the_message(tmp_path):
    contract = opened(
        tmp_path,
        wsdl(
            schema(PAIR, form="unqualified"), ask=PARTS, told=PARTS, style="rpc", body='use="literal" namespace="urn:r"'
        ),
    )
    told = (
        '<r:Out xmlns:r="urn:r" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:q="urn:t">'
        '<n i:type="x:int">1</n><pair i:type="q:Pair"><x i:type="x:int">2</x></pair></r:Out>'
    )
    assert read(contract, told).body == {"n": 1, "pair": {"x": 2}}


@pytest.mark.parametrize(
    "told",
    [
        '<r:DoResponse xmlns:r="urn:other"><n>1</n><pair><x>2</x></pair></r:DoResponse>',
        '<r:DoResponse xmlns:r="urn:r"><n>one</n><pair><x>2</x></pair></r:DoResponse>',
        '<r:DoResponse xmlns:r="urn:r"><n>1</n></r:DoResponse>',
        '<r:DoResponse xmlns:r="urn:r"><pair><x>2</x></pair><n>1</n></r:DoResponse>',
    ],
)
def test_rpc_answers_are_checked_like_others(tmp_path, told):
    contract = opened(
        tmp_path,
        wsdl(
            schema(PAIR, form="unqualified"), ask=PARTS, told=PARTS, style="rpc", body='use="literal" namespace="urn:r"'
        ),
    )
    with pytest.raises(Unreadable):
        read(contract, told)


def test_several_parts_of_a_document_stand_one_after_another(tmp_path):
    types = schema('<xsd:element name="one" type="xsd:int"/><xsd:element name="two" type="xsd:string"/>')
    parts = '<wsdl:part name="p" element="t:one"/><wsdl:part name="q" element="t:two"/>'
    contract = opened(tmp_path, wsdl(types, ask=parts, told=parts))
    raw = SoapCodec(contract).body("Do", {"one": {"#text": 1}, "two": {"#text": "z"}})
    assert [(node.tag, node.text) for node in etree.fromstring(b"<b>%b</b>" % raw)] == [
        ("{urn:t}one", "1"),
        ("{urn:t}two", "z"),
    ]
    assert read(contract, '<one xmlns="urn:t">1</one><two xmlns="urn:t">z</two>').body == {
        "one": {"#text": 1},
        "two": {"#text": "z"},
    }


def test_an_operation_without_input_sends_an_empty_body(tmp_path):
    contract = opened(tmp_path, wsdl(SIMPLE, ask=""))
    assert SoapCodec(contract).body("Do", {}) == b""
    with pytest.raises(ValueError, match="no part a"):
        SoapCodec(contract).body("Do", {"a": 1})


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_one_way_operation_is_answered_by_nothing(tmp_path, status):
    contract = opened(tmp_path, wsdl(SIMPLE, told=None))
    codec = SoapCodec(contract)
    assert codec.read("Do", answer("", status, b"")).body == {}
    assert codec.read("Do", answer("")).body == {}
    with pytest.raises(Unreadable, match="one-way"):
        codec.read("Do", answer('<Told xmlns="urn:t"><a>1</a></Told>'))


HEADED = wsdl(
    schema(asking('<xsd:sequence><xsd:element name="a" type="xsd:int"/></xsd:sequence>') + '<xsd:element name="Ticket" type="t:Ticket"/>'
    '<xsd:complexType name="Ticket"><xsd:sequence><xsd:element name="number" type="xsd:int"/></xsd:sequence></xsd:complexType>'),
    ask='<wsdl:part name="p" element="t:Ask"/><wsdl:part name="h" element="t:Ticket"/>',
    told='<wsdl:part name="p" element="t:Told"/><wsdl:part name="h" element="t:Ticket"/>',
).replace("</wsdl:input>", '<soap:header message="t:In" part="h" use="literal"/></wsdl:input>').replace("</wsdl:output>", '<soap:header message="t:Out" part="h" use="literal"/></wsdl:output>')  # fmt: skip


def test_declared_headers_are_written_and_read_and_checked(tmp_path):
    contract = opened(tmp_path, HEADED)
    codec = SoapCodec(contract)
    header = codec.header("Do", {"Ticket": {"number": 7}})
    assert etree.fromstring(header).tag == "{urn:t}Ticket"
    with pytest.raises(ValueError, match="no header Other"):
        codec.header("Do", {"Other": {}})
    with pytest.raises(ValueError, match="refuses the message's header"):
        codec.header("Do", {"Ticket": {"number": "x"}})
    told = '<Told xmlns="urn:t"><a>1</a></Told>'
    for number, good in (("7", True), ("x", False)):
        raw = f'<s:Envelope xmlns:s="{SOAP11}"><s:Header><Ticket xmlns="urn:t"><number>{number}</number></Ticket><other/></s:Header><s:Body>{told}</s:Body></s:Envelope>'
        if good:
            assert codec.read("Do", answer("", raw=raw.encode())).header == {"Ticket": {"number": 7}}
        else:
            with pytest.raises(Unreadable):
                codec.read("Do", answer("", raw=raw.encode()))


ARRAY = schema(
    '<xsd:import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>'
    '<xsd:complexType name="Words"><xsd:complexContent><xsd:restriction base="enc:Array"><xsd:attribute ref="enc:arrayType" wsdl:arrayType="xsd:string[]"/>'
    "</xsd:restriction></xsd:complexContent></xsd:complexType>"
)
ENCODED = 'use="encoded" namespace="urn:r" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
PLAIN = '<wsdl:part name="n" type="xsd:int"/><wsdl:part name="s" type="xsd:string"/>'


def test_encoded_messages_go_through_zeep_and_the_contract_says_so(tmp_path):
    contract = opened(tmp_path, wsdl("", ask=PLAIN, told=PLAIN, style="rpc", body=ENCODED))
    (note,) = contract.notes
    assert note == "Do goes through zeep, which is slower and checks names only: rpc/encoded messages"
    codec = SoapCodec(contract)
    root = etree.fromstring(codec.body("Do", {"n": 7, "s": "ن"}))
    assert (root.tag, [(child.tag, child.text) for child in root]) == ("{urn:r}Do", [("n", "7"), ("s", "ن")])
    told = (
        '<r:DoResponse xmlns:r="urn:r" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema">'
        '<n i:type="x:int">1</n><s href="#s1"/></r:DoResponse><multiRef id="s1" i:type="x:string" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema">z</multiRef>'
    )
    assert codec.read("Do", answer(told)).body == {"n": 1, "s": "z"}
    with pytest.raises(Unreadable, match="not the operation's answer"):
        codec.read("Do", answer('<x:Else xmlns:x="urn:else"/>'))


def test_an_operation_that_the_wsdl_lacks_is_named(tmp_path):
    with pytest.raises(WsdlError, match="there is no operation Undo"):
        open_wsdl(written(tmp_path, wsdl(SIMPLE)), "w.wsdl", wires={"undo": "Undo"})


def test_a_schema_that_libxml2_refuses_is_noted_and_answers_are_checked_all_the_same(tmp_path):
    types = schema(
        asking(
            '<xsd:sequence><xsd:any namespace="##targetNamespace" processContents="lax" minOccurs="0" maxOccurs="unbounded"/><xsd:element name="a" type="xsd:int"/><xsd:element name="b" type="xsd:int" minOccurs="0"/></xsd:sequence>'
        )
    )
    contract = opened(tmp_path, wsdl(types))
    assert contract.schema is None
    assert "not one that libxml2 compiles" in contract.notes[0]
    assert read(contract, '<Told xmlns="urn:t"><a>1</a></Told>').body == {"a": 1}
    for wrong in ("<b>1</b>", "<a>1</a><c/>", "<a>1</a><a>2</a>", "<a>x</a>", ""):
        with pytest.raises(Unreadable):
            read(contract, f'<Told xmlns="urn:t">{wrong}</Told>')


def test_the_operation_is_found_by_its_own_name(tmp_path):
    contract = open_wsdl(written(tmp_path, wsdl(SIMPLE)), "w.wsdl", wires={"act": "Do"})
    assert list(contract.operations) == ["act"]
    assert operation(opened(tmp_path, wsdl(SIMPLE))).action == "urn:do"

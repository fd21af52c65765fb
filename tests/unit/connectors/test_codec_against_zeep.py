"""The compiled builders and readers say what zeep says, in both directions (zeep is the reference codec)."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from zeep.helpers import serialize_object
from zeep.settings import Settings
from zeep.transports import Transport
from zeep.wsdl import Document

from connectors.kit.soap import SoapCodec
from connectors.kit.wsdl import load_wsdl, open_wsdl
from connectors.registry import BUILT_IN, find_packages

PACKAGE = find_packages()["education"]
WSDL = BUILT_IN[0] / "education" / "wsdl" / "education.wsdl"
SOAP = PACKAGE.manifest.soap
assert SOAP is not None
CONTRACT = load_wsdl(PACKAGE.folder, PACKAGE.manifest, SOAP)
CODEC = SoapCodec(CONTRACT)
TRANSPORT: Any = Transport()
ZEEP = Document(str(WSDL), TRANSPORT, settings=Settings(strict=True))
BINDING = next(iter(next(iter(ZEEP.services.values())).ports.values())).binding

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
)
DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=10)
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)).map(dt.date.isoformat)
GOVERNORATES = st.integers(1, 14).map("{:02}".format)
YEARS = st.integers(1950, 2100)


def _with(required, **optional):
    return st.fixed_dictionaries(required, optional=optional)


APPLICANT = _with(
    {
        "NationalNumber": st.from_regex(r"\A[0-9]{11}\Z"),
        "Name": _with(dict.fromkeys(("Given", "Father", "Mother", "Family"), WORDS)),
    },
    BirthDate=DAYS,
)
KINDS = st.sampled_from(["CERTIFICATE", "PASS_DOCUMENT"])
RECORD = st.one_of(
    _with(
        {
            "BasicCertificate": _with(
                {
                    "DocumentKind": KINDS,
                    "Level": st.just("BASIC"),
                    "Year": YEARS,
                    "Governorate": GOVERNORATES,
                    "ExamNumber": DIGITS,
                }
            )
        }
    ),
    _with(
        {
            "SecondaryCertificate": _with(
                {
                    "DocumentKind": KINDS,
                    "Year": YEARS,
                    "Branch": st.just("SHARIA"),
                    "Governorate": GOVERNORATES,
                    "ExamNumber": DIGITS,
                }
            )
        }
    ),
    _with(
        {
            "FailureNotice": _with(
                {"Level": st.just("SECONDARY"), "Year": YEARS, "Governorate": GOVERNORATES, "ExamNumber": DIGITS}
            )
        }
    ),
    _with({"Employment": _with({"EmployeeNumber": DIGITS, "Directorate": GOVERNORATES})}),
)
REQUESTS = {
    "check": _with({"Applicant": APPLICANT, "Record": RECORD}),
    "submit": _with(
        {"RequestId": DIGITS, "Applicant": APPLICANT, "Record": RECORD}, Language=st.sampled_from(["ar", "en"])
    ),
    "inquire": _with({"RequestId": DIGITS}),
}
RESULT = _with({"Status": st.from_regex(r"\A[0-9]{2}\Z")}, Text=WORDS)
PROGRESS = _with(
    {"RequestId": DIGITS, "Result": RESULT},
    ReceiptNumber=WORDS,
    NextInquirySeconds=st.integers(-(2**31), 2**31 - 1),
    IssuedOn=DAYS,
    Document=_with(
        {
            "FileName": WORDS,
            "ContentType": WORDS,
            "Sha256": st.just("0" * 64),
            "Content": st.binary(min_size=1, max_size=60),
        }
    ),
)
ANSWERS = {"check": _with({"Result": RESULT}, LookedUpByHand=st.booleans()), "submit": PROGRESS, "inquire": PROGRESS}
OPERATIONS = sorted(REQUESTS)


def _zeep(operation):
    return BINDING.get(CONTRACT.operations[operation].name)


def _rendered(element: Any, value: dict[str, Any]) -> Any:
    parent = etree.Element("parent")
    element.render(parent, element(**value))
    return parent[0]


def _shape(element: Any) -> Any:
    """What a message says, whatever its prefixes."""
    return (element.tag, dict(element.attrib), element.text or "", [_shape(child) for child in element])


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items() if item is not None}
        case list():
            return [_plain(item) for item in value]
        case dt.date():
            return value.isoformat()
        case float():
            return Decimal(str(value))
    return value


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_requests_are_written_as_zeep_writes_them(operation, data):
    value = data.draw(REQUESTS[operation])
    ours = etree.fromstring(CODEC.body(operation, value))
    assert _shape(ours) == _shape(_rendered(_zeep(operation).input.body, value))


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_answers_are_read_as_zeep_reads_them(operation, data):
    value = data.draw(ANSWERS[operation])
    element = _zeep(operation).output.body
    message = etree.fromstring(etree.tostring(_rendered(element, value)))
    assert CONTRACT.schema is not None
    assert CONTRACT.schema.validate(message), CONTRACT.schema.error_log
    theirs = _plain(serialize_object(element.parse(message, ZEEP.types), dict))
    response = CONTRACT.operations[operation].response
    assert response is not None
    ours = response.read([message])
    assert ours == theirs == value


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_we_write_we_read_back(operation, data):
    value = data.draw(REQUESTS[operation])
    assert CONTRACT.operations[operation].request.read([etree.fromstring(CODEC.body(operation, value))]) == value


WIDE = """<?xml version="1.0"?>
<wsdl:definitions name="W" targetNamespace="urn:w" xmlns:t="urn:w" xmlns:o="urn:o" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <wsdl:types>
    <xsd:schema targetNamespace="urn:o" elementFormDefault="unqualified">
      <xsd:complexType name="Base"><xsd:sequence><xsd:element name="id" type="xsd:long"/></xsd:sequence><xsd:attribute name="kind" type="xsd:string" use="required"/></xsd:complexType>
      <xsd:complexType name="Amount"><xsd:simpleContent><xsd:extension base="xsd:decimal"><xsd:attribute name="unit" type="xsd:string"/></xsd:extension></xsd:simpleContent></xsd:complexType>
    </xsd:schema>
    <xsd:schema targetNamespace="urn:w" elementFormDefault="qualified">
      <xsd:import namespace="urn:o"/>
      <xsd:complexType name="Tree"><xsd:complexContent><xsd:extension base="o:Base"><xsd:sequence>
        <xsd:element name="flag" type="xsd:boolean" minOccurs="0" nillable="true"/>
        <xsd:element name="amount" type="o:Amount"/>
        <xsd:element name="label" type="xsd:string" minOccurs="0" maxOccurs="unbounded"/>
        <xsd:element name="tree" type="t:Tree" minOccurs="0" maxOccurs="3"/>
      </xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType>
      <xsd:element name="Plant" type="t:Tree"/><xsd:element name="Planted" type="t:Tree"/>
    </xsd:schema>
  </wsdl:types>
  <wsdl:message name="In"><wsdl:part name="p" element="t:Plant"/></wsdl:message>
  <wsdl:message name="Out"><wsdl:part name="p" element="t:Planted"/></wsdl:message>
  <wsdl:portType name="P"><wsdl:operation name="Plant"><wsdl:input message="t:In"/><wsdl:output message="t:Out"/></wsdl:operation></wsdl:portType>
  <wsdl:binding name="B" type="t:P"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Plant"><soap:operation soapAction="urn:plant"/><wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="S"><wsdl:port name="Port" binding="t:B"><soap:address location="http://127.0.0.1/"/></wsdl:port></wsdl:service>
</wsdl:definitions>
"""
TREES = st.recursive(
    _with(
        {
            "@kind": WORDS,
            "id": st.integers(-(2**63), 2**63 - 1),
            "amount": _with({"#text": st.decimals(-1000, 1000, places=2)}, **{"@unit": WORDS}),
        },
        flag=st.booleans(),
        label=st.lists(WORDS, min_size=1, max_size=3),
    ),
    lambda inner: st.tuples(inner, st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: {**pair[0], "tree": pair[1]}
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Any:
    folder: Path = tmp_path_factory.mktemp("wide")
    (folder / "w.wsdl").write_text(WIDE, "utf-8")
    zeeps = Document(str(folder / "w.wsdl"), TRANSPORT, settings=Settings(strict=True))
    return open_wsdl(folder, "w.wsdl", wires={"plant": "Plant"}), zeeps


@given(tree=TREES)
@settings(max_examples=60, deadline=None)
def test_extensions_attributes_lists_and_recursion_over_two_schemas(wide, tree):
    contract, document = wide
    element = contract.operations["plant"].request.element.build(tree)
    assert contract.schema.validate(element), contract.schema.error_log
    raw = etree.tostring(element)
    assert contract.operations["plant"].request.read([etree.fromstring(raw)]) == tree
    zeeps = document.types.get_element("{urn:w}Plant")
    theirs = _plain(serialize_object(zeeps.parse(etree.fromstring(raw), document.types), dict))
    assert _without_marks(tree) == theirs


def _without_marks(tree: Any) -> Any:
    """Our form in zeep's words: attributes without @, text beside attributes as _value_1, absent lists as empty ones."""
    result = {key.lstrip("@").replace("#text", "_value_1"): value for key, value in tree.items()}
    result["amount"] = {key.lstrip("@").replace("#text", "_value_1"): value for key, value in tree["amount"].items()}
    result["label"] = tree.get("label", [])
    result["tree"] = [_without_marks(child) for child in tree.get("tree", [])]
    return result

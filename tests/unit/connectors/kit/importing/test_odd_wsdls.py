"""WSDLs as institutions really have them: without a service, encoded, with wildcards, with types in place of elements."""

import re
from pathlib import Path

import pytest
from lxml import etree

from connectors.kit.importing.refusal import ContractRefused
from connectors.kit.importing.repairs import STANDARD
from connectors.kit.importing.wsdl_import import import_wsdl
from connectors.kit.package import load_package
from tests.unit.connectors.kit.importing.contracts import TYPES, schema, write, wsdl

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"


def request(folder: Path, operation: str) -> etree._Element:
    """The sample request of an operation."""
    return etree.parse(folder / f"samples/{operation}/succeeded/request.xml").getroot()


def test_a_wsdl_without_a_service_gives_its_binding_and_says_so(tmp_path):
    content = re.sub(r"<service.*</service>", "", wsdl())

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", content), tmp_path)

    assert len(load_package(folder).manifest.operations) == 2
    assert "does not say where it is served" in report.hints[0].en


def test_what_must_stand_where_a_wildcard_is_stands_there(tmp_path):
    wild = TYPES.replace(
        '<xs:element name="RequestId" type="xs:string"/></xs:sequence>',
        '<xs:element name="RequestId" type="xs:string"/><xs:any namespace="##other" processContents="lax"/></xs:sequence>',
    )
    assert wild != TYPES

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl(schema(wild))), tmp_path)

    assert report.left_out == []
    assert [child.tag for child in request(folder, "inquire-permit")] == ["{urn:city}RequestId", "{urn:sample}sample"]


def test_the_soap_encoding_schema_is_added_where_arrays_are_encoded(tmp_path):
    arrays = f"""<xs:complexType name="Names" xmlns:enc="{ENCODING}"><xs:complexContent><xs:restriction base="enc:Array">
        <xs:attribute ref="enc:arrayType" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" wsdl:arrayType="xs:string[]"/></xs:restriction></xs:complexContent></xs:complexType>"""

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl(schema(TYPES + arrays))), tmp_path)

    assert (folder / "wsdl/soap-encoding.xsd").is_file()
    assert any(ENCODING in words.en for words in report.repairs)
    assert len(load_package(folder).manifest.operations) == 2


def test_a_document_message_with_a_type_is_written_under_its_parts_name(tmp_path):
    content = wsdl().replace('<part name="body" element="t:InquirePermit"/>', '<part name="number" type="xs:string"/>')

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", content), tmp_path)

    assert report.left_out == []
    assert etree.QName(request(folder, "inquire-permit")).localname == "number"


def test_a_port_that_is_asked_for_is_taken_and_one_that_is_none_is_refused(tmp_path):
    second = '<port name="Second" binding="t:Binding"><soap:address location="https://city.example/second"/></port>'
    source = write(tmp_path, "city.wsdl", wsdl(more_ports=second))

    folder, report = import_wsdl("city", source, tmp_path, port="Second")

    soap = load_package(folder).manifest.soap
    assert soap is not None
    assert soap.path == "/second"
    assert "also has the port Port" in report.hints[0].en


NAMELESS = TYPES.replace('<xs:element name="RequestId"', '<xs:element type="xs:int"/><xs:element name="RequestId"')
ENDLESS = TYPES.replace(
    '<xs:element name="RequestId" type="xs:string"/>',
    '<xs:group ref="t:g"/><xs:element name="RequestId" type="xs:string"/>',
)
GROUP = '<xs:group name="g"><xs:sequence><xs:group ref="t:g" minOccurs="0"/></xs:sequence></xs:group>'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (wsdl(schema(NAMELESS)), "an element has neither name nor ref"),
        (wsdl(schema(ENDLESS + GROUP)), "zeep cannot write it"),
        (wsdl().replace('soapAction="urn:', 'soapAction="urn:&#10;'), "a soapAction with a control character"),
    ],
)
def test_what_no_reader_understands_is_one_sentence(tmp_path, content, sentence):
    with pytest.raises(ContractRefused, match=sentence) as refused:
        import_wsdl("city", write(tmp_path, "city.wsdl", content), tmp_path)
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["city.wsdl"]


def test_an_address_that_is_none_and_processing_instructions_cost_nothing(tmp_path):
    content = re.sub('location="[^"]*"', 'location="http://[::1/"', wsdl())
    content = content.replace("<xs:sequence>", "<xs:sequence><?here?><!-- and here -->")

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", content), tmp_path)

    assert report.left_out == []
    soap = load_package(folder).manifest.soap
    assert soap is not None
    assert soap.path == "/"


def test_the_schema_of_media_types_is_added_and_names_the_documents_type(tmp_path):
    xmime = "http://www.w3.org/2005/05/xmlmime"
    typed = TYPES.replace(
        'name="Paper" type="xs:base64Binary"',
        f'name="Paper" xmlns:xmime="{xmime}" xmime:expectedContentTypes="application/pdf" type="xmime:base64Binary"',
    )
    imports = f'<xs:import namespace="{xmime}" schemaLocation="{xmime}"/>'

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl(schema(typed, imports))), tmp_path)

    assert (folder / "wsdl/xmlmime.xsd").is_file()
    assert any(xmime in words.en for words in report.repairs)
    assert "application/pdf" in (folder / "mapping/inquire-permit.yaml").read_text("utf-8")


@pytest.mark.parametrize("namespace", sorted(STANDARD))
def test_every_standard_schema_that_a_contract_refers_to_is_added(tmp_path, namespace):
    """Also those that declare entities, which a contract itself may not."""
    (tmp_path / "into").mkdir()
    types = schema(imports=f'<xs:import namespace="{namespace}" schemaLocation="https://standard.example/x.xsd"/>')

    folder, report = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl(types)), tmp_path / "into")

    assert "referred to but not shipped; it was added" in report.repairs[0].en
    assert load_package(folder).manifest.operations

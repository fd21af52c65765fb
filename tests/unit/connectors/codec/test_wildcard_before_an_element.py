"""A wildcard that stands before a named element which it could match too: what zeep, the codec and XML Schema make of it.

This is the one construct on which the codec and zeep read differently (`make corpus`, docs/reference/soap-codec.md).
"""

from typing import Any

import pytest
import xmlschema
from lxml import etree
from zeep.settings import Settings
from zeep.wsdl import Document

from connectors.kit.wsdl.opening import _Folder
from connectors.kit.xsd_codec import ElementCodec
from tests.corpus.compare import Comparison, shape
from tests.unit.connectors.codec.wsdls import asking, opened, schema, written, wsdl

CONTENT = (
    '<xsd:sequence><xsd:element name="Name" type="xsd:string"/>'
    '<xsd:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'
    '<xsd:element name="Angle" type="xsd:int" minOccurs="0"/></xsd:sequence>'
)
SCHEMA = schema(asking(CONTENT))
VALUE = {"Name": "n", "Angle": 90}
MESSAGE = '<t:Ask xmlns:t="urn:t"><t:Name>n</t:Name><o:Other xmlns:o="urn:o">x</o:Other><t:Angle>{}</t:Angle></t:Ask>'


def zeeps(folder: Any) -> Any:
    transport: Any = _Folder(written(folder, wsdl(SCHEMA)))
    return Document(str(folder / "w.wsdl"), transport, settings=Settings(strict=True)).types


def test_both_write_the_same_message(tmp_path):
    ours = etree.fromstring(opened(tmp_path, wsdl(SCHEMA)).operations["Do"].request.write(VALUE))
    parent, element = etree.Element("body"), zeeps(tmp_path).get_element("{urn:t}Ask")
    element.render(parent, element(**VALUE))
    assert shape(ours) == shape(parent[0])


def test_zeep_leaves_the_element_unread_and_the_codec_reads_it(tmp_path):
    node = etree.fromstring(MESSAGE.format(90))
    types = zeeps(tmp_path)
    theirs = types.get_element("{urn:t}Ask").parse(node, types)
    assert theirs.Angle is None
    assert [etree.QName(each).localname for each in theirs._value_1] == ["Other", "Angle"]
    ours = opened(tmp_path, wsdl(SCHEMA)).operations["Do"].request.read([node])
    assert ours == {"Name": "n", "#any": [{"Other": "x"}], "Angle": 90}


def test_xsd_10_has_no_such_schema_and_xsd_11_gives_the_element_to_its_declaration():
    alone = SCHEMA.replace("<xsd:schema ", '<xsd:schema xmlns:t="urn:t" xmlns:xsd="http://www.w3.org/2001/XMLSchema" ')
    with pytest.raises(xmlschema.XMLSchemaModelError, match="Unique Particle Attribution"):
        xmlschema.XMLSchema10(alone)
    judge = xmlschema.XMLSchema11(alone)
    assert judge.is_valid(MESSAGE.format(90))
    assert not judge.is_valid(MESSAGE.format("no number"))  # a wildcard would have let it pass


def test_the_comparison_counts_it_and_nothing_else_differs(tmp_path):
    (report,) = [Comparison(written(tmp_path, wsdl(SCHEMA)), "w.wsdl").compare("Port")]
    assert (report.compared, report.unread, report.differences) == (2, 2, ())


def test_the_comparison_finds_a_value_that_is_read_wrongly(tmp_path, monkeypatch):
    right = ElementCodec.read
    monkeypatch.setattr(ElementCodec, "read", lambda self, *given: {**right(self, *given), "Angle": 91})
    report = Comparison(written(tmp_path, wsdl(SCHEMA)), "w.wsdl").compare("Port")
    assert [each.problem for each in report.differences if "read differently at /Angle" in each.problem]

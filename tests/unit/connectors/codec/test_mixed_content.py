"""Mixed content: nothing that an institution wrote is lost, and nothing is written that could not be read again."""

import pytest
from lxml import etree

from tests.unit.connectors.codec.wsdls import asking, opened, operation, schema, wsdl

CLAUSE = (
    '<xsd:complexType name="Clause" mixed="true"><xsd:sequence><xsd:element name="b" type="xsd:int" minOccurs="0"/></xsd:sequence>'
    '<xsd:attribute name="n" type="xsd:int"/></xsd:complexType>'
)
NAMED = schema(
    CLAUSE
    + asking('<xsd:sequence><xsd:element name="clause" type="t:Clause"/><xsd:element name="plain" type="xsd:string" minOccurs="0"/></xsd:sequence>')
)  # fmt: skip
ANONYMOUS = NAMED.replace('type="t:Clause"/>', ">" + CLAUSE.replace(' name="Clause"', "") + "</xsd:element>")
DERIVED = schema(
    asking('<xsd:sequence><xsd:element name="clause" type="t:More"/></xsd:sequence>')
    + CLAUSE
    + '<xsd:complexType name="More"><xsd:complexContent mixed="true"><xsd:extension base="t:Clause"><xsd:sequence/></xsd:extension></xsd:complexContent></xsd:complexType>'
)


@pytest.mark.parametrize("types", [NAMED, ANONYMOUS, DERIVED], ids=["named", "anonymous", "derived"])
@pytest.mark.parametrize(
    ("inner", "value"),
    [
        ("by article <b>5</b> of the law", {"#text": "by article 5 of the law", "b": 5}),
        ("\n  <b>5</b>\n", {"b": 5}),
        ("<b>5</b>, then", {"b": 5, "#text": "5, then"}),
        ("text alone &lt;", {"#text": "text alone <"}),
        ("", {}),
    ],
)
def test_all_text_is_read_in_order_beside_the_children(tmp_path, types, inner, value):
    contract = opened(tmp_path, wsdl(types))
    (note,) = contract.notes
    assert note.startswith("Do: of mixed content #text is the whole text")
    told = etree.fromstring(f'<Told xmlns="urn:t"><clause n="7">{inner}</clause></Told>')
    contract.judge(told, "answer")
    assert operation(contract).response.read([told]) == {"clause": {"@n": 7, **value}}


@pytest.mark.parametrize(
    ("given", "text"),
    [("a < b", "a < b"), ({"#text": "a < b"}, "a < b"), ({"b": 5}, "5"), ({}, ""), ({"b": None, "#text": "x"}, "x")],
)
def test_text_or_children_are_written(tmp_path, given, text):
    contract = opened(tmp_path, wsdl(NAMED))
    raw = contract.written(operation(contract).request, {"clause": given})
    assert etree.fromstring(raw).xpath("string()") == text


def test_text_and_children_together_have_no_order_that_could_be_written(tmp_path):
    contract = opened(tmp_path, wsdl(NAMED))
    with pytest.raises(ValueError, match="mixed content: text or children can be written"):
        contract.written(operation(contract).request, {"clause": {"#text": "x", "b": 5}})
    with pytest.raises(ValueError, match="has no child c"):
        contract.written(operation(contract).request, {"clause": {"#text": "x", "c": None}})


def test_a_contract_without_mixed_content_has_no_note(tmp_path):
    assert opened(tmp_path, wsdl(NAMED.replace(' mixed="true"', ""))).notes == ()

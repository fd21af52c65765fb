"""Sample elements are valid against the schema that they were made from: libxml2 judges."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.kit.sample_values import NoSample, SchemaSet, XsdSamples

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t" elementFormDefault="qualified">'
BUILTINS = [
    "string",
    "normalizedString",
    "token",
    "language",
    "NMTOKEN",
    "NMTOKENS",
    "Name",
    "NCName",
    "ID",
    "boolean",
    "decimal",
    "float",
    "double",
    "integer",
    "long",
    "int",
    "short",
    "byte",
    "nonNegativeInteger",
    "positiveInteger",
    "nonPositiveInteger",
    "negativeInteger",
    "unsignedLong",
    "unsignedInt",
    "unsignedShort",
    "unsignedByte",
    "date",
    "dateTime",
    "time",
    "gYear",
    "gYearMonth",
    "gMonth",
    "gDay",
    "gMonthDay",
    "duration",
    "base64Binary",
    "hexBinary",
    "anyURI",
    "QName",
    "anySimpleType",
]


def sample(body: str, tag: str = "{urn:t}root") -> Any:
    """The sample of a schema's element, judged."""
    tree = etree.fromstring(f"{HEAD}{body}</xs:schema>")
    schemas = SchemaSet()
    schemas.add("", tree, lambda _, __: None)
    made = XsdSamples(schemas).element(tag)
    judge = etree.XMLSchema(tree)
    again = etree.fromstring(etree.tostring(made))
    assert judge.validate(again), f"{judge.error_log}\n{etree.tostring(again).decode()}"
    return again


def simple(restriction: str) -> str:
    """The text of a root element with this simple type."""
    return sample(f'<xs:element name="root"><xs:simpleType>{restriction}</xs:simpleType></xs:element>').text or ""


@pytest.mark.parametrize("name", BUILTINS)
def test_every_builtin_type_has_a_valid_sample(name):
    sample(f'<xs:element name="root" type="xs:{name}"/>')


def test_a_code_is_one_of_its_enumeration():
    assert (
        simple(
            '<xs:restriction base="xs:string"><xs:enumeration value="A"/><xs:enumeration value="B"/></xs:restriction>'
        )
        == "A"
    )


@pytest.mark.parametrize(
    "pattern",
    [r"[A-Z]{2}\d{6}", r"\d{1,3}(\.\d{1,2})?", r"(0[1-9]|1[0-2])/\d{4}", r"\i\c*", r"[^0-9]{3}", r"\p{Lu}\p{Ll}+", r"[a-z-[aeiou]]{5}",
     r"\+963\d{9}", r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", r".{4,}", r"a|b|", r"\S+@\S+\.\w{2,}", r"[\w\-]{3}", r"[؀-ۿ]{2,4}"],
)  # fmt: skip
def test_a_pattern_is_matched(pattern):
    simple(f'<xs:restriction base="xs:string"><xs:pattern value="{pattern}"/></xs:restriction>')


def test_a_pattern_with_a_length_is_matched_by_a_longer_repetition():
    text = simple(
        '<xs:restriction base="xs:string"><xs:pattern value="[0-9]+"/><xs:minLength value="7"/><xs:maxLength value="9"/></xs:restriction>'
    )
    assert 7 <= len(text) <= 9


bound = st.integers(-10_000, 10_000)


@settings(max_examples=60, deadline=None)
@given(
    low=bound,
    width=st.integers(2, 500),
    kind=st.sampled_from(["integer", "decimal", "int", "double"]),
    exclusive=st.booleans(),
)
def test_a_number_lies_between_its_bounds(low, width, kind, exclusive):
    facet = "Exclusive" if exclusive else "Inclusive"
    simple(
        f'<xs:restriction base="xs:{kind}"><xs:min{facet} value="{low}"/><xs:max{facet} value="{low + width}"/></xs:restriction>'
    )


@settings(max_examples=40, deadline=None)
@given(
    least=st.integers(0, 30),
    more=st.integers(0, 10),
    kind=st.sampled_from(["string", "token", "base64Binary", "hexBinary", "NCName", "anyURI"]),
)
def test_a_text_has_an_allowed_length(least, more, kind):
    most = max(least + more, 1)
    simple(
        f'<xs:restriction base="xs:{kind}"><xs:minLength value="{least}"/><xs:maxLength value="{most}"/></xs:restriction>'
    )


LEAVES = st.sampled_from(BUILTINS).filter(lambda name: name not in {"ID", "QName"})
OCCURS = st.sampled_from(
    [
        "",
        'minOccurs="0"',
        'maxOccurs="unbounded"',
        'minOccurs="2" maxOccurs="3"',
        'minOccurs="0" maxOccurs="unbounded"',
        'minOccurs="0" maxOccurs="0"',
    ]
)


@st.composite
def particles(draw: st.DrawFn, level: int = 0, prefix: str = "e") -> str:
    """A sequence or a choice of elements with names that never repeat, so that it is always determined."""
    kind = draw(st.sampled_from(["sequence", "choice"]))
    parts = []
    for number in range(draw(st.integers(1, 3))):
        name = f"{prefix}{number}"
        if level < 3 and draw(st.booleans()):
            inner = draw(particles(level=level + 1, prefix=f"{name}_"))
            attribute = draw(
                st.sampled_from(
                    [
                        "",
                        '<xs:attribute name="a" type="xs:int"/>',
                        '<xs:attribute name="a" type="xs:date" use="required"/>',
                    ]
                )
            )
            parts.append(
                f'<xs:element name="{name}" {draw(OCCURS)}><xs:complexType>{inner}{attribute}</xs:complexType></xs:element>'
            )
        else:
            parts.append(f'<xs:element name="{name}" type="xs:{draw(LEAVES)}" {draw(OCCURS)}/>')
    return f"<xs:{kind}>{''.join(parts)}</xs:{kind}>"


@settings(max_examples=100, deadline=None)
@given(content=particles())
def test_any_content_model_has_a_valid_sample(content):
    sample(f'<xs:element name="root"><xs:complexType>{content}</xs:complexType></xs:element>')


CONSTRUCTS = {
    "extension": """<xs:complexType name="base"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence><xs:attribute name="x" use="required"/></xs:complexType>
        <xs:element name="root"><xs:complexType><xs:complexContent><xs:extension base="t:base"><xs:sequence><xs:element name="b" type="xs:date"/></xs:sequence>
        </xs:extension></xs:complexContent></xs:complexType></xs:element>""",
    "restriction": """<xs:complexType name="base"><xs:sequence><xs:element name="a" type="xs:int" minOccurs="0"/></xs:sequence><xs:attribute name="x"/></xs:complexType>
        <xs:element name="root"><xs:complexType><xs:complexContent><xs:restriction base="t:base"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence>
        <xs:attribute name="x" use="prohibited"/></xs:restriction></xs:complexContent></xs:complexType></xs:element>""",
    "simple content": """<xs:complexType name="money"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="currency" use="required">
        <xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{3}"/></xs:restriction></xs:simpleType></xs:attribute></xs:extension>
        </xs:simpleContent></xs:complexType><xs:element name="root" type="t:money"/>""",
    "restricted simple content": """<xs:complexType name="c"><xs:simpleContent><xs:extension base="xs:string"/></xs:simpleContent></xs:complexType>
        <xs:element name="root"><xs:complexType><xs:simpleContent><xs:restriction base="t:c"><xs:maxLength value="2"/></xs:restriction></xs:simpleContent></xs:complexType></xs:element>""",
    "abstract type": """<xs:complexType name="who" abstract="true"/><xs:complexType name="person"><xs:complexContent><xs:extension base="t:who"><xs:sequence>
        <xs:element name="n" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
        <xs:element name="root"><xs:complexType><xs:sequence><xs:element name="w" type="t:who"/></xs:sequence></xs:complexType></xs:element>""",
    "substitution group": """<xs:element name="head" abstract="true" type="xs:string"/><xs:element name="one" substitutionGroup="t:head"/>
        <xs:element name="root"><xs:complexType><xs:sequence><xs:element ref="t:head"/></xs:sequence></xs:complexType></xs:element>""",
    "groups": """<xs:group name="g"><xs:choice><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int"/></xs:choice></xs:group>
        <xs:attributeGroup name="ag"><xs:attribute name="x" type="xs:int" use="required"/></xs:attributeGroup>
        <xs:element name="root"><xs:complexType><xs:sequence><xs:group ref="t:g" maxOccurs="2"/></xs:sequence><xs:attributeGroup ref="t:ag"/></xs:complexType></xs:element>""",
    "all": """<xs:element name="root"><xs:complexType><xs:all><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int" minOccurs="0"/></xs:all></xs:complexType></xs:element>""",
    "any": """<xs:element name="root"><xs:complexType><xs:sequence><xs:any namespace="##other" processContents="lax"/></xs:sequence></xs:complexType></xs:element>""",
    "list": """<xs:element name="root"><xs:simpleType><xs:restriction><xs:simpleType><xs:list itemType="xs:int"/></xs:simpleType><xs:length value="3"/></xs:restriction></xs:simpleType></xs:element>""",
    "union": """<xs:element name="root"><xs:simpleType><xs:union memberTypes="xs:int xs:date"/></xs:simpleType></xs:element>""",
    "optional recursion": """<xs:complexType name="n"><xs:sequence><xs:element name="v" type="xs:int"/><xs:element name="next" type="t:n" minOccurs="0"/></xs:sequence></xs:complexType><xs:element name="root" type="t:n"/>""",
    "recursion that a choice ends": """<xs:complexType name="n"><xs:choice><xs:element name="both" type="t:n" minOccurs="2" maxOccurs="2"/><xs:element name="leaf" type="xs:int"/></xs:choice></xs:complexType><xs:element name="root" type="t:n"/>""",
    "fixed": """<xs:element name="root"><xs:complexType><xs:sequence><xs:element name="v" type="xs:string" fixed="1.0"/></xs:sequence><xs:attribute name="a" fixed="z" use="required"/></xs:complexType></xs:element>""",
    "unqualified local": """<xs:element name="root"><xs:complexType><xs:sequence><xs:element name="v" type="xs:string" form="unqualified"/></xs:sequence></xs:complexType></xs:element>""",
    "mixed and anyType": """<xs:element name="root"><xs:complexType mixed="true"><xs:sequence><xs:element name="v"/></xs:sequence></xs:complexType></xs:element>""",
    "digits": """<xs:element name="root"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="5"/><xs:fractionDigits value="2"/><xs:minExclusive value="0"/><xs:maxExclusive value="1"/></xs:restriction></xs:simpleType></xs:element>""",
    "dates between": """<xs:element name="root"><xs:simpleType><xs:restriction base="xs:date"><xs:minInclusive value="1999-02-01"/><xs:maxInclusive value="1999-02-05"/></xs:restriction></xs:simpleType></xs:element>""",
}  # fmt: skip


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_a_construct_of_schemas_has_a_valid_sample(construct):
    sample(CONSTRUCTS[construct])


def test_optional_parts_are_filled_and_free_text_says_the_name_of_its_field():
    made = sample(
        '<xs:element name="root"><xs:complexType><xs:sequence><xs:element name="City" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>'
    )

    assert made.findtext("{urn:t}City") == "City"


def test_the_same_schema_gives_the_same_sample():
    body = CONSTRUCTS["simple content"]

    assert etree.tostring(sample(body)) == etree.tostring(sample(body))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<xs:complexType name="n"><xs:sequence><xs:element name="v" type="t:n"/></xs:sequence></xs:complexType><xs:element name="root" type="t:n"/>', "requires itself"),
        ('<xs:element name="root" type="t:gone"/>', "no type"),
        ('<xs:element name="root" abstract="true"/>', "abstract"),
        ('<xs:element name="other"/>', "no element"),
        ('<xs:simpleType name="s"><xs:restriction base="t:s"/></xs:simpleType><xs:element name="root" type="t:s"/>', "derives from itself"),
    ],
)  # fmt: skip
def test_what_has_no_instance_is_said_in_words(body, says):
    tree = etree.fromstring(f"{HEAD}{body}</xs:schema>")
    schemas = SchemaSet()
    schemas.add("", tree, lambda _, __: None)

    with pytest.raises(NoSample, match=says):
        XsdSamples(schemas).element("{urn:t}root")


def test_schemas_of_a_folder_are_followed_and_nothing_outside_it(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"><xs:element name="secret" type="xs:int"/></xs:schema>'
    (tmp_path / "outside.xsd").write_text(secret)
    (inside / "part.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:simpleType name="s"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>'
    )
    (inside / "main.xsd").write_text(
        f'{HEAD}<xs:include schemaLocation="part.xsd"/><xs:include schemaLocation="../outside.xsd"/><xs:include schemaLocation="{tmp_path}/outside.xsd"/>'
        f'<xs:include schemaLocation="{(tmp_path / "outside.xsd").as_uri()}"/><xs:element name="root" type="t:s"/></xs:schema>'
    )

    schemas = SchemaSet.of_file(inside / "main.xsd")

    assert XsdSamples(schemas).element("{urn:t}root").text == "1"
    assert schemas.find("element", "{urn:t}secret") is None

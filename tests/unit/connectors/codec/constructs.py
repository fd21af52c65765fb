"""One schema for each construct that the codec covers, with Hypothesis strategies for its values."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.unit.connectors.codec.wsdls import asking, schema

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip() == text)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
MONEY = st.decimals(-1000, 1000, places=2)
TOKENS = st.text(st.sampled_from("abc-9"), min_size=1, max_size=5).filter(lambda text: text[0] not in "-9")


def having(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


@dataclass(frozen=True)
class Construct:
    """What is allowed, and values of it."""

    types: str
    values: st.SearchStrategy[dict[str, Any]]
    zeep: bool = True  #: Whether zeep masters it.
    others: tuple[tuple[str, str], ...] = ()


def of(content: str, values: Any, more: str = "", *, zeep: bool = True) -> Construct:
    return Construct(schema(asking(content) + more), values, zeep)


def some(items: Any, least: int = 1) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, min_size=least, max_size=3)


_BASE = (
    '<xsd:complexType name="Base"><xsd:sequence><xsd:element name="id" type="xsd:long"/></xsd:sequence></xsd:complexType>'
    '<xsd:complexType name="More"><xsd:complexContent><xsd:extension base="t:Base"><xsd:sequence><xsd:element name="note" type="xsd:string"/>'
    '</xsd:sequence><xsd:attribute name="kind" type="xsd:string"/></xsd:extension></xsd:complexContent></xsd:complexType>'
)
_PAIR = '<xsd:element name="a" type="xsd:int"/><xsd:element name="b" type="xsd:string"/>'

CONSTRUCTS: dict[str, Construct] = {
    "simple types": of(
        "<xsd:all>"
        + "".join(
            f'<xsd:element name="{name}" type="xsd:{name}" minOccurs="0"/>'
            for name in ("string", "int", "decimal", "double", "boolean", "date", "base64Binary", "hexBinary", "anyURI", "token", "gYear", "duration")
        )
        + "</xsd:all>",
        having(
            {},
            string=WORDS, int=NUMBERS, decimal=MONEY, double=MONEY, boolean=st.booleans(), date=st.dates().map(str).filter(lambda d: d[0] != "0"),
            base64Binary=st.binary(min_size=1, max_size=40), hexBinary=st.binary(min_size=1).map(lambda raw: raw.hex().upper()), anyURI=TOKENS,
            token=TOKENS, gYear=st.integers(1000, 9999).map(str), duration=st.integers(1, 300).map("P{}D".format),
        ),
    ),
    "attributes": of(
        '<xsd:sequence><xsd:element name="e"><xsd:complexType><xsd:attribute name="a" type="xsd:string" use="required"/>'
        '<xsd:attribute name="n" type="xsd:int"/><xsd:attribute ref="t:q"/><xsd:attribute name="d" type="xsd:string" default="x"/></xsd:complexType></xsd:element></xsd:sequence>',
        having({"e": having({"@a": WORDS, "@d": TOKENS}, **{"@n": NUMBERS, "@q": WORDS})}),
        '<xsd:attribute name="q" type="xsd:string"/>',
    ),
    "any attribute": of(
        '<xsd:sequence><xsd:element name="e"><xsd:complexType><xsd:attribute name="a" type="xsd:string"/><xsd:anyAttribute processContents="lax"/></xsd:complexType></xsd:element></xsd:sequence>',
        having({"e": having({"@a": WORDS}, **{"@free": WORDS, "@{urn:x}other": WORDS})}),
    ),
    "the attributes of XML itself": Construct(
        schema(
            '<xsd:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml.xsd"/>'
            + asking('<xsd:sequence><xsd:element name="e"><xsd:complexType><xsd:attribute ref="xml:lang"/></xsd:complexType></xsd:element></xsd:sequence><xsd:anyAttribute processContents="lax"/>')
        ),
        having({"e": having({"@lang": st.sampled_from(["ar", "en-GB"])})}, **{"@{http://www.w3.org/XML/1998/namespace}base": TOKENS}),
        others=(("xml", '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace"><xsd:attribute name="lang" type="xsd:language"/><xsd:attribute name="base" type="xsd:anyURI"/></xsd:schema>'),),
    ),
    "text with attributes": of(
        '<xsd:sequence><xsd:element name="e" maxOccurs="3"><xsd:complexType><xsd:simpleContent><xsd:extension base="xsd:decimal"><xsd:attribute name="unit" type="xsd:string"/></xsd:extension></xsd:simpleContent></xsd:complexType></xsd:element></xsd:sequence>',
        having({"e": some(having({"#text": MONEY}, **{"@unit": WORDS}))}),
    ),
    "lists, unions, enumerations": of(
        '<xsd:sequence><xsd:element name="l" type="t:Ints"/><xsd:element name="u" type="t:Either" minOccurs="0"/><xsd:element name="c" type="t:Color"/></xsd:sequence>',
        having({"l": some(NUMBERS), "c": st.sampled_from(["red", "أخضر"])}, u=st.sampled_from(["7", "none"])),
        '<xsd:simpleType name="Ints"><xsd:list itemType="xsd:int"/></xsd:simpleType>'
        '<xsd:simpleType name="Either"><xsd:union memberTypes="xsd:int t:Word"/></xsd:simpleType>'
        '<xsd:simpleType name="Word"><xsd:restriction base="xsd:string"><xsd:enumeration value="none"/></xsd:restriction></xsd:simpleType>'
        '<xsd:simpleType name="Color"><xsd:restriction base="xsd:string"><xsd:enumeration value="red"/><xsd:enumeration value="أخضر"/></xsd:restriction></xsd:simpleType>',
    ),
    "choice": of(
        f'<xsd:choice><xsd:element name="x" type="xsd:string"/><xsd:sequence>{_PAIR}</xsd:sequence></xsd:choice>',
        st.one_of(having({"x": WORDS}), having({"a": NUMBERS, "b": WORDS})),
    ),
    "repeated choice": of(
        '<xsd:choice maxOccurs="unbounded"><xsd:element name="a" type="xsd:int"/><xsd:element name="b" type="xsd:string"/></xsd:choice>',
        having({"#items": some(st.one_of(having({"a": NUMBERS}), having({"b": WORDS})))}),
    ),
    "repeated sequence": of(
        f'<xsd:sequence maxOccurs="4">{_PAIR}<xsd:element name="c" type="xsd:string" minOccurs="0"/></xsd:sequence>',
        having({"#items": some(having({"a": NUMBERS, "b": WORDS}, c=WORDS), 2)}),
    ),
    "one element in a repeated group": of(
        '<xsd:sequence maxOccurs="unbounded"><xsd:element name="a" type="xsd:int"/></xsd:sequence>',
        having({"a": some(NUMBERS)}),
    ),
    "group": of(
        '<xsd:sequence><xsd:group ref="t:G"/><xsd:element name="z" type="xsd:string"/></xsd:sequence>',
        having({"a": NUMBERS, "b": WORDS, "z": WORDS}),
        f'<xsd:group name="G"><xsd:sequence>{_PAIR}</xsd:sequence></xsd:group>',
    ),
    "nillable": of(
        '<xsd:sequence><xsd:element name="n" type="xsd:int" nillable="true" maxOccurs="3"/><xsd:element name="s" type="xsd:string" minOccurs="0" nillable="true"/></xsd:sequence>',
        having({"n": some(st.one_of(st.none(), NUMBERS))}, s=WORDS),
    ),
    "extension": of(
        '<xsd:sequence><xsd:element name="e" type="t:More"/></xsd:sequence>',
        having({"e": having({"id": NUMBERS, "note": WORDS}, **{"@kind": WORDS})}),
        _BASE,
    ),
    "xsi:type": of(
        '<xsd:sequence><xsd:element name="e" type="t:Base" maxOccurs="3"/></xsd:sequence>',
        having({"e": some(st.one_of(having({"id": NUMBERS}), having({"@xsi:type": st.just("{urn:t}More"), "id": NUMBERS, "note": WORDS})))}),
        _BASE,
    ),
    "restriction": of(
        '<xsd:sequence><xsd:element name="e" type="t:Less"/></xsd:sequence>',
        having({"e": having({"a": NUMBERS})}),
        '<xsd:complexType name="Full"><xsd:sequence><xsd:element name="a" type="xsd:int"/><xsd:element name="b" type="xsd:string" minOccurs="0"/></xsd:sequence></xsd:complexType>'
        '<xsd:complexType name="Less"><xsd:complexContent><xsd:restriction base="t:Full"><xsd:sequence><xsd:element name="a" type="xsd:int"/></xsd:sequence></xsd:restriction></xsd:complexContent></xsd:complexType>',
    ),
    "recursion": of(
        '<xsd:sequence><xsd:element name="tree" type="t:Tree"/></xsd:sequence>',
        having(
            {
                "tree": st.recursive(
                    having({"name": WORDS}),
                    lambda inner: st.tuples(WORDS, some(inner)).map(lambda pair: {"name": pair[0], "tree": pair[1]}),
                    max_leaves=4,
                )
            }
        ),
        '<xsd:complexType name="Tree"><xsd:sequence><xsd:element name="name" type="xsd:string"/><xsd:element name="tree" type="t:Tree" minOccurs="0" maxOccurs="unbounded"/></xsd:sequence></xsd:complexType>',
    ),
    "wildcard": of(
        '<xsd:sequence><xsd:element name="a" type="xsd:int"/><xsd:any processContents="lax" minOccurs="0" maxOccurs="unbounded" namespace="##any"/></xsd:sequence>',
        having({"a": NUMBERS}, **{"#any": some(st.one_of(having({"Known": having({"k": WORDS})})))}),
        '<xsd:element name="Known"><xsd:complexType><xsd:sequence><xsd:element name="k" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:element>',
    ),
    "same element twice": of(
        '<xsd:sequence><xsd:element name="a" type="xsd:int"/><xsd:element name="b" type="xsd:string"/><xsd:element name="a" type="xsd:int" minOccurs="0"/></xsd:sequence>',
        having({"a": st.lists(NUMBERS, min_size=2, max_size=2), "b": WORDS}),
    ),
    "substitution group": of(
        '<xsd:sequence><xsd:element ref="t:shape"/></xsd:sequence>',
        st.one_of(having({"circle": having({"id": NUMBERS, "note": WORDS})}), having({"shape": having({"id": NUMBERS})})),
        _BASE + '<xsd:element name="shape" type="t:Base"/><xsd:element name="circle" type="t:More" substitutionGroup="t:shape"/>',
        zeep=False,
    ),
    "unqualified, two namespaces": Construct(
        schema('<xsd:complexType name="Far"><xsd:sequence><xsd:element name="x" type="xsd:string"/></xsd:sequence></xsd:complexType>', namespace="urn:o", form="unqualified")
        + schema('<xsd:import namespace="urn:o"/>' + asking('<xsd:sequence><xsd:element name="far" type="o:Far"/><xsd:element name="near" type="xsd:int"/></xsd:sequence>')),
        having({"far": having({"x": WORDS}), "near": NUMBERS}),
    ),
    "imports and includes": Construct(
        schema('<xsd:import namespace="urn:o" schemaLocation="far.xsd"/><xsd:include schemaLocation="near.xsd"/>' + asking('<xsd:sequence><xsd:element name="f" type="o:Far"/><xsd:element name="n" type="t:Near"/></xsd:sequence>')),
        having({"f": having({"x": WORDS}), "n": having({"y": NUMBERS})}),
        others=(
            ("far", '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"><xsd:complexType name="Far"><xsd:sequence><xsd:element name="x" type="xsd:string"/></xsd:sequence></xsd:complexType></xsd:schema>'),
            ("near", '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:complexType name="Near"><xsd:sequence><xsd:element name="y" type="xsd:int"/></xsd:sequence></xsd:complexType></xsd:schema>'),
        ),
    ),
}  # fmt: skip

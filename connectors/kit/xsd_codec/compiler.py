"""Writers and readers, compiled once from zeep's model of the schema: plain values -> text, lxml elements -> values.

zeep is the reference: the differential tests hold the two against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import zeep.exceptions
from lxml import etree
from zeep.xsd import elements, types

from connectors.kit.xsd_codec.complex import TEXT_KEY, AttributeUse, ComplexType
from connectors.kit.xsd_codec.content import ContentCompiler, flat
from connectors.kit.xsd_codec.particles import NIL, TYPE, XML, XSI, ContentType, ElementParticle, Particle
from connectors.kit.xsd_codec.reach import namespaces_of
from connectors.kit.xsd_codec.simple import Parts, SimpleType, quote, simple_type
from connectors.kit.xsd_codec.wildcards import AnyType, Wildcard

_NO_PARTS: Parts = {}


class UnsupportedSchema(ValueError):
    """The schema uses something that compiled connectors do not speak; the message names it."""


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """What zeep's model does not keep of the schema documents; names in Clark notation."""

    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: Members by head, all levels.
    bases: frozenset[str] = frozenset()  #: Types that others are derived from.
    #: Types with mixed content: whether it is a type's own name, or that of the element around it.
    mixed: frozenset[tuple[bool, str]] = frozenset()


class ElementCodec:
    """A global element of the WSDL, as it stands in the body of a message."""

    def __init__(self, compiler: "CodecCompiler", tag: str, content: ContentType) -> None:
        self.tag = tag
        self.type = content
        self._compiler = compiler
        self._start = ""
        self._end = ""

    def write(self, value: Any) -> str:
        """The element as text. Raises ValueError for what the schema has no place for, with no value in it."""
        if not self._start:
            self._begin()
        pieces: list[str] = []
        if isinstance(self.type, SimpleType) and isinstance(value, Mapping):
            value = value.get(TEXT_KEY)
        try:
            self.type.write(value, self._start, self._end, pieces.append)
        except RecursionError:
            raise ValueError("the value is nested too deeply") from None
        return "".join(pieces)

    def _begin(self) -> None:
        name = self._compiler.name(self.tag)
        namespaces = {self.tag[1:].partition("}")[0]} if self.tag.startswith("{") else set()
        marks = self._compiler.declarations(namespaces | namespaces_of(self.type))
        self._start, self._end = f"<{name}{marks}", f"</{name}>"

    def build(self, value: Any) -> Any:
        """The same as an element. Raises ValueError."""
        return etree.fromstring(self.write(value))

    def read(self, node: Any, parts: Parts = _NO_PARTS) -> dict[str, Any]:
        """The children of an element that has been validated. Raises ValueError."""
        if node.get(NIL) in {"true", "1"}:
            return {}
        try:
            value = self.type.read(node, parts)
        except RecursionError:
            raise ValueError("the answer is nested too deeply") from None
        return value if isinstance(value, dict) else {TEXT_KEY: value}


class CodecCompiler:
    """Compiles elements of one zeep schema; types are compiled once."""

    def __init__(
        self, schema: Any = None, facts: SchemaFacts | None = None, *, careful: bool = False, typed: bool = False
    ) -> None:
        """`schema` is zeep's. `careful` compiles readers that check presence and order by themselves, for schemas that
        libxml2 cannot compile; `typed` writers that say the type of every element (`xsi:type`)."""
        self._schema = schema
        self._facts = facts or SchemaFacts()
        self._careful = careful
        self._typed_elements = typed
        self._types: dict[int, tuple[Any, ContentType]] = {}  # zeep's type is kept, or its id could be another's
        self._prefixes: dict[str, str] = {XML: "xml"}  # its prefix is fixed, and no other may stand for it
        self._elements: dict[str, ElementCodec | None] = {}
        self._marks: dict[int, str] = {}
        self._local_types: dict[str, list[Any]] | None = None
        self._wildcard = Wildcard(self._declared)
        self._any_type = AnyType(self._typed)

    def element(self, element: Any) -> ElementCodec:
        """The codec of a zeep element. Raises UnsupportedSchema."""
        try:
            return ElementCodec(self, element.qname.text, self._type(element.type))
        except RecursionError:
            raise UnsupportedSchema("types that are nested too deeply") from None

    def name(self, tag: str) -> str:
        """The name with its prefix."""
        if not tag.startswith("{"):
            return tag
        namespace, _, local = tag[1:].partition("}")
        return f"{self._prefixes.setdefault(namespace, f'n{len(self._prefixes) - 1}')}:{local}"

    def declarations(self, namespaces: set[str]) -> str:
        """The `xmlns` attributes of these namespaces."""
        pairs = ((self.name(f"{{{each}}}x")[:-2], each) for each in sorted(namespaces - {XML}))
        return "".join(f" xmlns:{prefix}={quoteattr(namespace)}" for prefix, namespace in pairs)

    def _type(self, xsd_type: Any) -> ContentType:
        known = self._types.get(id(xsd_type))
        if known is not None:
            return known[1]
        compiled: ContentType
        if isinstance(xsd_type, types.ComplexType):
            return self._complex(xsd_type)
        compiled = simple_type(xsd_type) if isinstance(xsd_type, types.AnySimpleType) else self._any_type
        self._types[id(xsd_type)] = (xsd_type, compiled)
        return compiled

    def _complex(self, xsd_type: Any) -> ComplexType:
        if xsd_type._array_type:  # noqa: SLF001  # zeep has no other word for it
            raise UnsupportedSchema("a SOAP encoded array")
        compiled = ComplexType(xsd_type.qname.text if xsd_type.qname is not None and xsd_type.is_global else "")
        self._types[id(xsd_type)] = (xsd_type, compiled)
        if xsd_type.qname is not None:
            compiled.mixed = (bool(xsd_type.is_global), xsd_type.qname.text) in self._facts.mixed
        if compiled.name in self._facts.bases:
            compiled.derived = self._typed
        for _, attribute in xsd_type.attributes:
            if isinstance(attribute, elements.Attribute):
                compiled.attributes.append(self._attribute(attribute))
            else:
                compiled.any_attribute = True
        for _, part in xsd_type.elements_nested:
            self._content(part, compiled)
        compiled.settle()
        return compiled

    def _attribute(self, attribute: Any) -> AttributeUse:
        tag = attribute.qname.text
        simple = self._type(attribute.type)
        if not isinstance(simple, SimpleType):
            simple = simple_type(None)
        default = None if attribute.default is None else quote(attribute.default)
        return AttributeUse(f"@{tag.rpartition('}')[2]}", f" {self.name(tag)}=", tag, simple, default)

    def _content(self, part: Any, compiled: ComplexType) -> None:
        if isinstance(part, elements.Element) and part.name == "_value_1":
            simple = self._type(part.type)
            if isinstance(simple, SimpleType):
                compiled.text = simple
                return
            part = elements.Any("unbounded", 0)  # type: ignore[no-untyped-call]  # an extension of xsd:anyType
            compiled.any_attribute = True
        particle: Particle = ContentCompiler(self._make, self._substitutes, self._wildcard).compile(part)
        table = None if self._careful else flat(particle)
        if table is None:
            compiled.content = particle
        else:
            compiled.elements, compiled.wildcard = table

    def _make(self, part: Any, minimum: int, maximum: int | None) -> ElementParticle:
        tag = part.qname.text
        name = self.name(tag)
        content = self._type(part.type)
        default = part.default if isinstance(content, SimpleType) else None
        start = f"<{name}{self._said_type(part, content)}"
        return ElementParticle(
            tag, tag, start, f"</{name}>", content, minimum, maximum, nillable=bool(part.nillable), default=default
        )

    def _said_type(self, part: Any, content: ContentType) -> str:
        """The `xsi:type` that is written with every such element: of named types that no value can choose."""
        qname = part.type.qname
        chosen = isinstance(content, ComplexType) and (content.derived is not None or not content.name)
        if not self._typed_elements or part.nillable or chosen or qname is None or content is self._any_type:
            return ""
        if type(self._find_type(qname.text)) is not type(part.type):  # zeep names anonymous types after their element
            return ""
        namespaces = {qname.namespace} if qname.namespace else set()
        return f'{self.declarations(namespaces)} xmlns:xsi="{XSI}" xsi:type="{self.name(qname.text)}"'

    def _substitutes(self, head: str) -> list[Any]:
        return [self._schema.get_element(etree.QName(name)) for name in self._facts.substitutes.get(head, ())]

    def _declared(self, name: str) -> ElementCodec | None:
        """The codec of a global element by its name: `{namespace}Local`, or `Local` where only one has it."""
        if name not in self._elements:
            self._elements[name] = self._find_declared(name)
        return self._elements[name]

    def _find_declared(self, name: str) -> ElementCodec | None:
        found = [each for each in self._schema.elements if each.qname.text == name] or [
            each for each in self._schema.elements if each.name == name and "{" not in name
        ]
        try:
            return self.element(found[0]) if len(found) == 1 else None
        except UnsupportedSchema:
            return None

    def _typed(self, name: str, node: Any) -> tuple[ContentType, str] | None:
        """The type that `xsi:type` names, with that attribute and the namespaces of its content.

        In a message (`node`) the name has a prefix; in a value it is `{namespace}Local`, or `Local` where one has it.
        """
        if node is not None:
            prefix, _, local = name.strip().rpartition(":")
            namespace = node.nsmap.get(prefix or None)
            name = f"{{{namespace}}}{local}" if namespace else local
        xsd_type = self._find_type(name)
        if xsd_type is None:
            return None
        try:
            content = self._type(xsd_type)
        except UnsupportedSchema:
            return None
        return content, "" if node is not None else self._type_marks(xsd_type, content)

    def _type_marks(self, xsd_type: Any, content: ContentType) -> str:
        key = id(xsd_type)
        if key not in self._marks:
            namespace = xsd_type.qname.namespace
            marks = self.declarations(namespaces_of(content) | ({namespace} if namespace else set()))
            self._marks[key] = f'{marks} xmlns:xsi="{XSI}" xsi:type="{self.name(xsd_type.qname.text)}"'
        return self._marks[key]

    def _find_type(self, name: str) -> Any:
        if name.startswith("{"):
            try:
                return self._schema.get_type(etree.QName(name))
            except (zeep.exceptions.Error, ValueError):
                return None
        if self._local_types is None:
            self._local_types = {}
            for each in self._schema.types:
                if getattr(each, "qname", None) is not None:
                    self._local_types.setdefault(each.qname.localname, []).append(each)
        found = self._local_types.get(name, [])
        return found[0] if len(found) == 1 else None


__all__ = ["TYPE", "CodecCompiler", "ElementCodec", "SchemaFacts", "UnsupportedSchema"]

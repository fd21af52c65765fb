"""Plain builders and readers, compiled once from zeep's model of an XML element: dict -> lxml, lxml -> dict.

A child element is a key, an attribute is `@name`, the text beside attributes is `#text`; what may repeat is a list.
Text stays text, also dates; integers are int, decimals Decimal, booleans bool, base64Binary bytes. zeep is the
reference: the differential test holds the two against each other.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from lxml import etree
from zeep.xsd import elements, types
from zeep.xsd.types import builtins

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class UnsupportedSchema(ValueError):
    """The schema uses something that compiled connectors do not speak; the message names it."""


class _Type(Protocol):
    """How the content of one type is written and read. Both raise ValueError, without the value in the message."""

    def build(self, element: Any, value: Any) -> None: ...
    def read(self, element: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Simple:
    to_text: Callable[[Any], str]
    from_text: Callable[[str], Any]

    def build(self, element: Any, value: Any) -> None:
        element.text = self.to_text(value)

    def read(self, element: Any) -> Any:
        return self.from_text(element.text or "")


@dataclass(frozen=True, slots=True)
class _Child:
    key: str
    tag: str
    type: _Type
    repeats: bool


@dataclass(slots=True)
class _Complex:
    """Filled after it was registered, so that a type may contain itself."""

    children: list[_Child] = field(default_factory=list)
    by_tag: dict[str, _Child] = field(default_factory=dict)
    attributes: list[tuple[str, str, _Simple]] = field(default_factory=list)  #: key, name, type
    text: _Simple | None = None

    def build(self, element: Any, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{_local(element.tag)} has children")  # noqa: TRY004  # a mapping's fault
        known = 0
        for key, name, simple in self.attributes:
            if key in value:
                element.set(name, simple.to_text(value[key]))
                known += 1
        if self.text is not None and "#text" in value:
            self.text.build(element, value["#text"])
            known += 1
        for child in self.children:
            if child.key in value:
                self._append(element, child, value[child.key])
                known += 1
        if known != len(value):
            raise ValueError(f"{_local(element.tag)} has no child {', '.join(sorted(set(value) - self._keys()))}")

    @staticmethod
    def _append(element: Any, child: _Child, value: Any) -> None:
        if not child.repeats:
            child.type.build(etree.SubElement(element, child.tag), value)
            return
        for item in value if isinstance(value, list) else [value]:
            child.type.build(etree.SubElement(element, child.tag), item)

    def read(self, element: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, name, simple in self.attributes:
            if (text := element.get(name)) is not None:
                result[key] = simple.from_text(text)
        if self.text is not None:
            result["#text"] = self.text.read(element)
        for node in element:
            child = self.by_tag.get(node.tag)
            if child is None:
                raise ValueError(f"{_local(element.tag)} has a child that the WSDL does not name")
            value = None if node.get(_NIL) in {"true", "1"} else child.type.read(node)
            if child.repeats:
                result.setdefault(child.key, []).append(value)
            elif value is not None:
                result[child.key] = value
        return result

    def _keys(self) -> set[str]:
        keys = {child.key for child in self.children} | {key for key, _, _ in self.attributes}
        return keys | ({"#text"} if self.text is not None else set())


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@dataclass(frozen=True, slots=True)
class ElementCodec:
    """A global element of the WSDL, as the body of a message."""

    tag: str
    type: _Type

    def build(self, value: Mapping[str, Any]) -> Any:
        """The element with these children. Raises ValueError for what the schema has no place for."""
        namespace = self.tag[1:].partition("}")[0] if self.tag.startswith("{") else None
        # a prefix, because children of an unqualified schema would fall into a default namespace when it is written
        element = etree.Element(self.tag, nsmap={"m": namespace} if namespace else None)
        self.type.build(element, value)
        return element

    def read(self, element: Any) -> dict[str, Any]:
        """The children of an element that has been validated. Raises ValueError."""
        value = self.type.read(element)
        return value if isinstance(value, dict) else {"#text": value}


class CodecCompiler:
    """Compiles elements of one zeep schema; types are compiled once."""

    def __init__(self) -> None:
        self._types: dict[int, _Type] = {}

    def element(self, element: Any) -> ElementCodec:
        """The codec of a zeep element. Raises UnsupportedSchema."""
        return ElementCodec(element.qname.text, self._type(element.type))

    def _type(self, xsd_type: Any) -> _Type:
        known = self._types.get(id(xsd_type))
        if known is not None:
            return known
        if not isinstance(xsd_type, types.ComplexType):
            return self._types.setdefault(id(xsd_type), _simple(xsd_type))
        compiled = _Complex()
        self._types[id(xsd_type)] = compiled
        for _, attribute in xsd_type.attributes:
            if not isinstance(attribute, elements.Attribute):
                raise UnsupportedSchema("xsd:anyAttribute")
            name = attribute.qname.text
            compiled.attributes.append((f"@{_local(name)}", name, _simple(attribute.type)))
        for _, part in xsd_type.elements_nested:
            self._particle(part, compiled, repeats=False)
        compiled.by_tag.update({child.tag: child for child in compiled.children})
        return compiled

    def _particle(self, part: Any, compiled: _Complex, *, repeats: bool) -> None:
        repeats = repeats or part.max_occurs != 1
        if isinstance(part, elements.Any):
            raise UnsupportedSchema("xsd:any")
        if isinstance(part, elements.Element):
            if part.name == "_value_1":
                compiled.text = _simple(part.type)
                return
            tag = part.qname.text
            if any(child.tag == tag for child in compiled.children):
                raise UnsupportedSchema(f"the element {_local(tag)} stands twice in one type")
            compiled.children.append(_Child(_local(tag), tag, self._type(part.type), repeats))
            return
        if repeats and not isinstance(part, elements.Choice):
            raise UnsupportedSchema("a repeated group of elements")
        for child in part:
            self._particle(child, compiled, repeats=repeats)


def _simple(xsd_type: Any) -> _Simple:
    if isinstance(xsd_type, types.ListType):
        raise UnsupportedSchema("xsd:list")
    for kind, codec in _SIMPLE:
        if isinstance(xsd_type, kind):
            return codec
    return _TEXT


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("text is expected")


def _boolean_text(value: Any) -> str:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")  # noqa: TRY004  # a mapping's fault
    return "true" if value else "false"


def _integer_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, str) else _text_of(value)


def _decimal_text(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else _text_of(value)


def _base64_text(value: Any) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else _text_of(value)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("base64 is expected") from None


def _from_decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise ValueError("a decimal is expected") from None


_TEXT = _Simple(_text_of, str)
#: In this order: zeep's Integer is a Decimal.
_SIMPLE: tuple[tuple[type, _Simple], ...] = (
    (builtins.Boolean, _Simple(_boolean_text, lambda text: text.strip() in {"true", "1"})),
    (builtins.Integer, _Simple(_integer_text, lambda text: int(text.strip()))),
    (builtins.Decimal, _Simple(_decimal_text, _from_decimal)),
    (builtins.Float, _Simple(_decimal_text, _from_decimal)),
    (builtins.Double, _Simple(_decimal_text, _from_decimal)),
    (builtins.Base64Binary, _Simple(_base64_text, _from_base64)),
    (builtins.String, _TEXT),
    (builtins.BuiltinType, _Simple(_text_of, str.strip)),
)

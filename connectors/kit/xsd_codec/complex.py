"""Complex types: a mapping with a key for each child element, `@name` for attributes and `#text` for simple content.

A type whose elements each stand in one place is written and read by a flat table; one with repeated groups, elements
that stand twice or several wildcards goes through its particles.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.xsd_codec.particles import (
    NIL_KEY,
    TYPE,
    XML,
    XSI,
    Append,
    ElementParticle,
    Particle,
    WildcardParticle,
    leftover,
    refuse_rest,
)
from connectors.kit.xsd_codec.simple import TEXT, Parts, SimpleType, escape, quote

TEXT_KEY = "#text"
TYPE_KEY = "@xsi:type"
_XSI_PREFIX = f"{{{XSI}}}"


@dataclass(frozen=True, slots=True)
class AttributeUse:
    """One attribute of a type."""

    key: str
    start: str  #: ` name=` or ` n1:name=`
    name: str  #: As lxml has it.
    type: SimpleType
    default: str | None = None  #: Already quoted.


@dataclass(slots=True, eq=False)
class ComplexType:
    """Filled after it was registered, so that a type may contain itself."""

    name: str = ""
    attributes: list[AttributeUse] = field(default_factory=list)
    any_attribute: bool = False
    text: SimpleType | None = None
    mixed: bool = False  #: Text may stand between the children.
    elements: list[ElementParticle] = field(default_factory=list)  #: In order; of a flat type.
    wildcard: WildcardParticle | None = None  #: Of a flat type; it stands last.
    content: Particle | None = None  #: Of a type that is not flat.
    #: The type that `xsi:type` names, and that attribute; None where no type is derived from this one.
    derived: Callable[[str, Any], "tuple[Any, str] | None"] | None = None
    _by_tag: dict[str, tuple[Callable[[str], Any] | None, Callable[[Any, Parts], Any], ElementParticle]] = field(
        default_factory=dict
    )
    _plan: tuple[tuple[str, str, str, Callable[[Any], str] | None, ElementParticle], ...] = ()
    _plain: bool = False  #: Neither attributes nor text, and nothing is derived from it: children only.

    def settle(self) -> None:
        """Make the tables, once the elements are known."""
        self._by_tag = {element.tag: (_text_reader(element), _reader(element), element) for element in self.elements}
        self._plan = tuple(
            (element.key, f"{element.start}>", element.end, _text_writer(element), element) for element in self.elements
        )
        unusual = self.attributes or self.any_attribute or self.derived or self.text or self.content or self.mixed
        self._plain = not unusual

    def write(self, value: Any, start: str, end: str, append: Append) -> None:
        """See ContentType."""
        if not self._plain or type(value) is not dict:
            self._write_any(value, start, end, append)
            return
        append(f"{start}>")
        if self._write_flat(value, append) != len(value):
            self._refuse_unknown(value)
        append(end)

    def _write_any(self, value: Any, start: str, end: str, append: Append) -> None:
        if not isinstance(value, Mapping):
            value = self._simple_content(value)
        if self.derived is not None and TYPE_KEY in value:
            self._write_derived(value, start, end, append)
            return
        known = 0
        if self.attributes or self.any_attribute:
            start, known = self._with_attributes(value, start)
        append(f"{start}>")
        if self.text is not None:
            if TEXT_KEY in value:
                known += 1
                append(escape(self.text.to_text(value[TEXT_KEY])))
        elif self.mixed and value.get(TEXT_KEY) is not None:
            known += self._write_mixed(value, append)
        elif self.content is not None:
            self._write_content(self.content, value, append)
            known = len(value)
        else:
            known += self._write_flat(value, append)
        append(end)
        if known != len(value):
            self._refuse_unknown(value)

    def _write_flat(self, value: Mapping[str, Any], append: Append) -> int:
        """Append the children; how many keys were known. This is where most of a message is made."""
        known, get = 0, value.get
        for key, start, end, to_text, element in self._plan:
            item = get(key)
            if item is None:
                known += self._write_absent(element, value, append)
                continue
            known += 1
            if element.listed:
                for each in item if type(item) is list else (item,):
                    element.write(each, append)
            elif to_text is None:
                element.write(item, append)
            elif type(item) is str:  # passes through; the schema judges it
                append(f"{start}{item if item.isalnum() else escape(item)}{end}")
            elif type(item) is not dict:
                append(f"{start}{escape(to_text(item))}{end}")
            else:
                element.write(item, append)
        if self.wildcard is not None and self.wildcard.key in value:
            known += 1
            self.wildcard.take(leftover({self.wildcard.key: value[self.wildcard.key]}), append)
        return known

    @staticmethod
    def _write_absent(element: ElementParticle, value: Mapping[str, Any], append: Append) -> int:
        if element.key in value:
            element.write(None, append)
            return 1
        if element.default is not None:
            element.write_default(append)
        return 0

    def _write_content(self, content: Particle, value: Mapping[str, Any], append: Append) -> None:
        left = leftover({key: item for key, item in value.items() if key[:1] != "@"})
        content.take(left, append)
        refuse_rest(left)

    def _with_attributes(self, value: Mapping[str, Any], start: str) -> tuple[str, int]:
        known = 0
        for attribute in self.attributes:
            if attribute.key in value:
                known += 1
                if value[attribute.key] is not None:
                    start += attribute.start + quote(attribute.type.to_text(value[attribute.key]))
            elif attribute.default is not None:
                start += attribute.start + attribute.default
        if self.any_attribute:
            keys = {attribute.key for attribute in self.attributes}
            for number, key in enumerate(key for key in value if key[:1] == "@" and key not in keys):
                known += 1
                start += _free_attribute(key[1:], number, value[key])
        return start, known

    def _simple_content(self, value: Any) -> Mapping[str, Any]:
        """A bare value stands for the text of simple content."""
        if (self.text is None and not self.mixed) or value is None:
            raise ValueError(f"{self.name or 'the element'} has children")
        return {TEXT_KEY: value}

    def _write_derived(self, value: Mapping[str, Any], start: str, end: str, append: Append) -> None:
        assert self.derived is not None
        found = self.derived(str(value[TYPE_KEY]), None)
        if found is None:
            raise ValueError(f"{TYPE_KEY} names no type of the WSDL")
        other, marks = found
        rest: Any = {key: item for key, item in value.items() if key != TYPE_KEY}
        if isinstance(other, SimpleType):
            rest = rest.get(TEXT_KEY)
        other.write(rest, start + marks, end, append)

    def _write_mixed(self, value: Mapping[str, Any], append: Append) -> int:
        """Append the text, which has no children beside it; how many keys were known."""
        if any(key[:1] != "@" and key != TEXT_KEY and item is not None for key, item in value.items()):
            raise ValueError(f"{self.name or 'the element'} has mixed content: text or children can be written")
        append(escape(TEXT.to_text(value[TEXT_KEY])))
        return 1 + sum(element.key in value for element in self.elements)

    def _refuse_unknown(self, value: Mapping[str, Any]) -> None:
        keys = {element.key for element in self.elements} | {attribute.key for attribute in self.attributes}
        keys |= {TEXT_KEY} if self.text is not None or self.mixed else set()
        keys |= {self.wildcard.key} if self.wildcard is not None else set()
        if self.content is not None:
            keys |= {key for key in value if key[:1] != "@"}
        raise ValueError(f"{self.name or 'the element'} has no child {', '.join(sorted(set(value) - keys))}")

    def read(self, node: Any, parts: Parts) -> Any:
        """See ContentType."""
        if self._plain:
            return self._read_flat(node, {}, parts)
        if self.derived is not None and (named := node.get(TYPE)) is not None:
            found = self.derived(named, node)
            if found is not None and found[0] is not self:
                return self._read_derived(found[0], node, parts)
        result: dict[str, Any] = {}
        if self.attributes or self.any_attribute:
            self._read_attributes(node, result)
        if self.text is not None:
            result[TEXT_KEY] = self.text.read(node, parts)
        elif self.content is not None:
            nodes = [child for child in node if isinstance(child.tag, str)]
            if self.content.match(nodes, 0, result, parts) != len(nodes):
                raise ValueError(f"{self.name or 'the element'} has a child that the WSDL does not name")
        else:
            self._read_flat(node, result, parts)
        if self.mixed and _has_text(node):
            result[TEXT_KEY] = "".join(node.itertext())
        return result

    def _read_flat(self, node: Any, result: dict[str, Any], parts: Parts) -> dict[str, Any]:
        find = self._by_tag.get
        for child in node:
            entry = find(child.tag)
            if entry is None:
                self._read_other(child, result, parts)
                continue
            from_text, read, element = entry
            value = read(child, parts) if from_text is None else from_text(child.text or "")
            if element.listed:
                result.setdefault(element.key, []).append(value)
            elif value is not None:
                result[element.key] = value
        return result

    def _read_other(self, child: Any, result: dict[str, Any], parts: Parts) -> None:
        if not isinstance(child.tag, str):  # a comment
            return
        if self.wildcard is None:
            raise ValueError(f"{self.name or 'the element'} has a child that the WSDL does not name")
        result.setdefault(self.wildcard.key, []).append(self.wildcard.type.read(child, parts))

    def _read_attributes(self, node: Any, result: dict[str, Any]) -> None:
        for attribute in self.attributes:
            if (text := node.get(attribute.name)) is not None:
                result[attribute.key] = attribute.type.from_text(text)
        if self.any_attribute:
            known = {attribute.name for attribute in self.attributes}
            for name, text in node.attrib.items():
                if name not in known and not name.startswith(_XSI_PREFIX):
                    result[f"@{name}"] = text

    @staticmethod
    def _read_derived(other: Any, node: Any, parts: Parts) -> Any:
        value = other.read(node, parts)
        if not isinstance(value, dict):
            value = {TEXT_KEY: value}
        return {TYPE_KEY: other.name, **value} if isinstance(other, ComplexType) else value


def _has_text(node: Any) -> bool:
    """Whether something else than white space stands before, between or behind the children."""
    return bool((node.text or "").strip()) or any((child.tail or "").strip() for child in node)


def _text_writer(element: ElementParticle) -> Callable[[Any], str] | None:
    """For content that is no more than text; binary content may go elsewhere."""
    plain = isinstance(element.type, SimpleType) and not element.type.binary
    return element.type.to_text if plain and isinstance(element.type, SimpleType) else None


def _text_reader(element: ElementParticle) -> Callable[[str], Any] | None:
    """For content that needs no more than its text: not nil, and in no attachment."""
    plain = isinstance(element.type, SimpleType) and not element.type.binary and not element.nillable
    return element.type.from_text if plain and isinstance(element.type, SimpleType) else None


def _reader(element: ElementParticle) -> Callable[[Any, Parts], Any]:
    """For any content; that of an element that is never nil needs no look at its attribute."""
    return element.read if element.nillable else element.type.read


def _free_attribute(name: str, number: int, value: Any) -> str:
    """An attribute that only `xsd:anyAttribute` allows."""
    if not name.startswith("{"):
        return f" {_checked(name)}={quote(str(value))}"
    namespace, _, local = name[1:].partition("}")
    if namespace == XML:
        return f" xml:{_checked(local)}={quote(str(value))}"
    return f" xmlns:a{number}={quote(namespace)} a{number}:{_checked(local)}={quote(str(value))}"


def _checked(name: str) -> str:
    if not name.replace("-", "_").replace(".", "_").isidentifier():
        raise ValueError("not the name of an attribute")
    return name


__all__ = ["NIL_KEY", "TEXT_KEY", "TYPE_KEY", "AttributeUse", "ComplexType"]

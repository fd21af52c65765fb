"""What the schema leaves open: `xsd:any` and `xsd:anyType`.

An element that the WSDL declares is written and read as declared. Any other is a plain tree: a mapping with local
names, `@name` for attributes, `#text` for text beside them, and a list where a name repeats.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from connectors.kit.xsd_codec.complex import TEXT_KEY, TYPE_KEY, ComplexType
from connectors.kit.xsd_codec.particles import TYPE, XSI, Append
from connectors.kit.xsd_codec.simple import Parts, SimpleType, escape, quote

_XSI_PREFIX = f"{{{XSI}}}"
_LEVELS = 64  #: A plain tree deeper than this is refused.


class Wildcard:
    """`xsd:any`: single elements, each a mapping with one key, its name (`Local` or `{namespace}Local`)."""

    def __init__(self, declared: Callable[[str], Any]) -> None:
        """`declared` gives the codec of a global element by its name, or None."""
        self._declared = declared

    def write(self, value: Any, append: Append) -> None:
        """Append one element. Raises ValueError."""
        if not isinstance(value, Mapping) or len(value) != 1:
            raise ValueError("a mapping with one element is expected")
        ((name, content),) = value.items()
        codec = self._declared(name)
        if codec is not None:
            append(codec.write(content))
            return
        element = plain_element(name, content)
        append(etree.tostring(element, encoding="unicode"))

    def read(self, node: Any, parts: Parts) -> dict[str, Any]:
        """The element by its local name."""
        codec = self._declared(node.tag)
        value = plain_tree(node) if codec is None else codec.read(node, parts)
        return {node.tag.rpartition("}")[2]: value}


class AnyType:
    """`xsd:anyType`: text, a plain tree, or what `@xsi:type` says."""

    def __init__(self, typed: Callable[[str, Any], tuple[Any, str] | None]) -> None:
        """`typed` gives the type that `xsi:type` names, and that attribute."""
        self._typed = typed

    def write(self, value: Any, start: str, end: str, append: Append) -> None:
        """See ContentType."""
        if not isinstance(value, Mapping):
            append(f"{start}>{escape(_scalar(value))}{end}")
            return
        if TYPE_KEY in value:
            found = self._typed(str(value[TYPE_KEY]), None)
            if found is None:
                raise ValueError(f"{TYPE_KEY} names no type of the WSDL")
            rest: Any = {key: item for key, item in value.items() if key != TYPE_KEY}
            if not isinstance(found[0], ComplexType):
                rest = rest.get(TEXT_KEY)
            found[0].write(rest, start + found[1], end, append)
            return
        element = plain_element("x", value)
        start += "".join(f" {name}={quote(str(text))}" for name, text in element.attrib.items())
        inner = "".join(etree.tostring(child, encoding="unicode") for child in element)
        append(f"{start}>{escape(element.text or '')}{inner}{end}")

    def read(self, node: Any, parts: Parts) -> Any:
        """See ContentType."""
        named = node.get(TYPE)
        found = self._typed(named, node) if named is not None else None
        if found is None or found[0] is self:
            return plain_tree(node)
        value = found[0].read(node, parts)
        if isinstance(found[0], ComplexType):
            return {TYPE_KEY: found[0].name, **value}
        return value


def plain_tree(node: Any, level: int = 0) -> Any:
    """An element as plain values by local names. Raises ValueError when it is nested too deeply."""
    if level > _LEVELS:
        raise ValueError("an element is nested too deeply")
    result: dict[str, Any] = {
        f"@{name.rpartition('}')[2]}": text for name, text in node.attrib.items() if not name.startswith(_XSI_PREFIX)
    }
    for child in node:
        if not isinstance(child.tag, str):
            continue
        key, value = child.tag.rpartition("}")[2], plain_tree(child, level + 1)
        if key not in result:
            result[key] = value
        elif isinstance(result[key], list):
            result[key].append(value)
        else:
            result[key] = [result[key], value]
    text = node.text or ""
    if not result:
        return text
    if text.strip():
        result[TEXT_KEY] = text
    return result


def plain_element(name: str, value: Any, namespace: str = "", level: int = 0) -> Any:
    """A plain tree as an element; children stay in the namespace of their parent."""
    if level > _LEVELS:
        raise ValueError("an element is nested too deeply")
    if name.startswith("{"):
        namespace = name[1:].partition("}")[0]
    elif namespace:
        name = f"{{{namespace}}}{name}"
    try:
        nsmap: Any = {None: namespace} if namespace else None  # the stubs forget the default namespace
        element = etree.Element(name, nsmap=nsmap)
        _fill(element, value, namespace, level)
    except ValueError:
        raise ValueError("a name or a character that XML cannot hold") from None
    return element


def _fill(element: Any, value: Any, namespace: str, level: int) -> None:
    if not isinstance(value, Mapping):
        element.text = _scalar(value)
        return
    for key, item in value.items():
        if key == TEXT_KEY:
            element.text = _scalar(item)
        elif key.startswith("@"):
            element.set(key[1:], _scalar(item))
        else:
            for each in item if isinstance(item, list) else [item]:
                element.append(plain_element(key, each, namespace, level + 1))


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise ValueError("text, a number or a mapping is expected")


__all__ = ["AnyType", "SimpleType", "Wildcard", "plain_element", "plain_tree"]

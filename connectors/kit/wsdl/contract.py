"""What a connector needs of its WSDL: operations with codecs, and the schema that judges messages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lxml import etree

from connectors.kit.xsd_codec import ElementCodec
from connectors.kit.xsd_codec.reach import has_binary, has_mixed

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
_NO_PARTS: Mapping[str, bytes] = {}
#: For what we wrote ourselves: a large document may stand in it.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


class Message(Protocol):
    """The body of one direction of an operation. Both raise ValueError, without a value in the message."""

    @property
    def checked(self) -> bool:
        """Whether the contract's schema can judge it."""

    @property
    def tags(self) -> frozenset[str]:
        """The names of the elements that it can have in the body."""

    @property
    def binary(self) -> bool:
        """Whether it can have binary content that may be sent beside it."""

    @property
    def mixed(self) -> bool:
        """Whether text may stand between its children."""

    def write(self, value: Mapping[str, Any]) -> str:
        """What stands in the body, as text."""

    def fits(self, nodes: Sequence[Any]) -> bool:
        """Whether the body's elements are this message's, by their names."""

    def read(self, nodes: Sequence[Any], parts: Mapping[str, bytes] = _NO_PARTS) -> dict[str, Any]:
        """The value of the body's elements, which have been judged."""


@dataclass(frozen=True, slots=True)
class ElementMessage:
    """One element: its children are the value."""

    element: ElementCodec
    also: frozenset[str] = frozenset()  #: Other names that a counterparty may give it (rpc answers).
    checked: bool = True

    @property
    def tags(self) -> frozenset[str]:
        """See Message."""
        return self.also | {self.element.tag}

    @property
    def binary(self) -> bool:
        """See Message."""
        return has_binary(self.element.type)

    @property
    def mixed(self) -> bool:
        """See Message."""
        return has_mixed(self.element.type)

    def write(self, value: Mapping[str, Any]) -> str:
        """See Message."""
        return self.element.write(value)

    def fits(self, nodes: Sequence[Any]) -> bool:
        """See Message."""
        return len(nodes) == 1 and (nodes[0].tag == self.element.tag or nodes[0].tag in self.also)

    def read(self, nodes: Sequence[Any], parts: Mapping[str, bytes] = _NO_PARTS) -> dict[str, Any]:
        """See Message."""
        return self.element.read(nodes[0], parts)


@dataclass(frozen=True, slots=True)
class PartsMessage:
    """Several elements, or none: a value has a key for each, its local name."""

    elements: Mapping[str, ElementCodec]
    checked: bool = True

    @property
    def tags(self) -> frozenset[str]:
        """See Message."""
        return frozenset(codec.tag for codec in self.elements.values())

    @property
    def binary(self) -> bool:
        """See Message."""
        return any(has_binary(codec.type) for codec in self.elements.values())

    @property
    def mixed(self) -> bool:
        """See Message."""
        return any(has_mixed(codec.type) for codec in self.elements.values())

    def write(self, value: Mapping[str, Any]) -> str:
        """See Message."""
        if unknown := set(value) - set(self.elements):
            raise ValueError(f"the message has no part {', '.join(sorted(unknown))}")
        return "".join(codec.write(value[key]) for key, codec in self.elements.items() if value.get(key) is not None)

    def fits(self, nodes: Sequence[Any]) -> bool:
        """See Message."""
        return {node.tag for node in nodes} <= self.tags

    def read(self, nodes: Sequence[Any], parts: Mapping[str, bytes] = _NO_PARTS) -> dict[str, Any]:
        """See Message."""
        keys = {codec.tag: key for key, codec in self.elements.items()}
        return {keys[node.tag]: self.elements[keys[node.tag]].read(node, parts) for node in nodes}


@dataclass(frozen=True, slots=True)
class Actions:
    """What WS-Addressing calls the two messages of an operation."""

    request: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class WsdlOperation:
    """One operation of a port."""

    name: str
    action: str
    request: Message
    response: Message | None  #: None: one-way.
    request_headers: Mapping[str, ElementCodec] = field(default_factory=dict)  #: By local name.
    response_headers: Mapping[str, ElementCodec] = field(default_factory=dict)
    addressing: Actions = Actions()
    binary: bool = False  #: Its requests can have binary content.
    mtom: bool = False  #: Its requests go as MTOM: binary content beside the message.


@dataclass(frozen=True, slots=True)
class WsdlContract:
    """What a connector needs of its WSDL."""

    envelope: str  #: Namespace of the SOAP version.
    operations: Mapping[str, WsdlOperation]
    schema: etree.XMLSchema | None  #: None: libxml2 cannot compile it; readers check presence and order themselves.
    addressing: bool = False  #: The port asks for WS-Addressing headers.
    mtom: bool = False  #: The port asks for MTOM, so that answers may come so.
    notes: tuple[str, ...] = ()  #: What goes another way than the compiled one, a sentence each.

    def written(self, message: Message, value: Mapping[str, Any], what: str = "message") -> bytes:
        """What stands in the body, held against the schema as its reader will. Raises ValueError."""
        raw = encoded(message.write(value))
        if message.checked:
            self.judge_text(raw, what)
        return raw

    def judge_text(self, raw: bytes, what: str) -> None:
        """Hold elements that stand one after another against the schema. Raises ValueError."""
        if self.schema is None or not raw:
            return
        try:
            root = etree.fromstring(b"<x>%b</x>" % raw, _PARSER)
        except etree.XMLSyntaxError as error:
            raise ValueError(f"it is not well-formed XML (line {error.lineno})") from None
        for element in root:
            self.judge(element, what)

    def judge(self, element: Any, what: str) -> None:
        """Raise ValueError with kind and place of the schema's first error.

        libxml2's own words contain the value, which may be personal.
        """
        if self.schema is None or self.schema.validate(element):
            return
        log: Any = self.schema.error_log
        first = next(iter(log), None)
        if first is None:
            raise ValueError(f"the schema refuses the {what}")
        path = "/".join(re.sub(r"^[^:]*:", "", step) for step in (first.path or "").split("/"))
        raise ValueError(f"the schema refuses the {what}: {first.type_name} at {path}")


def encoded(text: str) -> bytes:
    """Text of a message in UTF-8. Raises ValueError."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a character that XML cannot hold") from None

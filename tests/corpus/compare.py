"""Holds our codec against zeep on every operation of a WSDL: a sample read by both, its value written by both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import zeep.exceptions
from lxml import etree
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from connectors.kit.sample_values import NoSample, SchemaSet, XsdSamples
from connectors.kit.sample_values.schema_set import FolderLoader
from connectors.kit.wsdl import Message, WsdlContract, WsdlError, open_wsdl
from connectors.kit.wsdl.opening import _Folder
from connectors.kit.wsdl.zeep_messages import ZeepMessage
from tests.corpus.settled import SettledValues

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ZEEP_FAILS = (zeep.exceptions.Error, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)


@dataclass(frozen=True, slots=True)
class Difference:
    """One message on which the two do not agree, or that could not be compared."""

    operation: str
    direction: str  #: request | answer
    problem: str
    blames_zeep: bool = False  #: zeep failed on a valid message; ours did not.


@dataclass(frozen=True, slots=True)
class PortReport:
    """What the comparison of one port found."""

    port: str
    compared: int
    skipped: int  #: No valid sample could be made.
    through_zeep: int
    unread: int  #: Messages in which zeep leaves an element unread that its type declares (see settled.py).
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()


class Comparison:
    """One WSDL file in a folder, opened by zeep."""

    def __init__(self, folder: Path, file: str) -> None:
        """Raises what zeep raises for a WSDL that it cannot load."""
        self._folder, self._file = folder, file
        transport: Any = _Folder(folder)  # zeep asks only for `load`
        self._document = Document(str((folder / file).resolve()), transport, settings=Settings(strict=True))
        self._values = SettledValues(self._document.types)
        self._samples = XsdSamples(_schemas(folder, file))

    def ports(self) -> dict[str, Any]:
        """The SOAP ports, or the SOAP bindings of a WSDL without ports."""
        ports = {n: p.binding for s in self._document.services.values() for n, p in s.ports.items()}
        if not ports:
            ports = {etree.QName(name).localname: each for name, each in self._document.bindings.items()}
        return {name: each for name, each in ports.items() if isinstance(each, Soap11Binding | Soap12Binding)}

    def compare(self, port: str) -> PortReport:
        """Every message of a port. Raises WsdlError when ours cannot open it."""
        contract = open_wsdl(self._folder, self._file, port=port)
        binding = self.ports()[port]
        compared = skipped = through_zeep = unread = 0
        differences: list[Difference] = []
        for name, operation in contract.operations.items():
            theirs = binding.get(name)
            pairs = (("request", operation.request, theirs.input), ("answer", operation.response, theirs.output))
            for direction, ours, message in pairs:
                if ours is None or message is None or message.body is None:
                    continue
                nodes = self._valid_sample(contract, ours, message, theirs.style)
                if nodes is None:
                    skipped += 1
                    continue
                compared += 1
                through_zeep += isinstance(ours, ZeepMessage)
                before = self._values.unread
                differences += [Difference(name, direction, *found) for found in self._message(ours, nodes, message)]
                unread += self._values.unread > before
        return PortReport(port, compared, skipped, through_zeep, unread, tuple(differences), contract.notes)

    def _valid_sample(self, contract: WsdlContract, ours: Message, message: Any, style: str) -> list[Any] | None:
        try:
            nodes = self._sample(ours, message, style)
        except NoSample:
            return None
        if contract.schema is None or not ours.checked:
            return nodes
        return nodes if all(map(contract.schema.validate, nodes)) else None

    def _message(self, ours: Message, nodes: Sequence[Any], message: Any) -> Iterator[tuple[str, bool]]:
        try:
            value = ours.read(nodes)
        except ValueError as error:
            yield f"ours cannot read a sample: {error}", False
            return
        yield from self._read(value, nodes, message)
        yield from self._written(ours, value, message)

    def _sample(self, ours: Message, message: Any, style: str) -> list[Any]:
        """The elements of a body, in a body."""
        body = etree.Element("body")
        element = message.body
        if style == "rpc":
            tag = element.qname.text if element.qname.text in ours.tags else min(ours.tags)
            wrapper = etree.SubElement(body, tag)
            for _, part in element.type.elements:
                wrapper.append(self._part(part))
        elif message._is_body_wrapped:
            for _, part in element.type.elements:
                body.append(self._part(part))
        else:
            body.append(self._part(element))
        return list(body)

    def _part(self, element: Any) -> Any:
        if element.is_global or element.type.qname is None:
            return self._samples.element(element.qname.text)
        return self._samples.typed(element.qname.text, element.type.qname.text)

    def _read(self, value: Any, nodes: Sequence[Any], message: Any) -> Iterator[tuple[str, bool]]:
        body = message.body
        node = nodes[0].getparent() if message._is_body_wrapped else nodes[0]
        try:
            read = self._values.from_zeep(body.parse(node, self._document.types), body.type)
        except ZEEP_FAILS as error:
            yield f"zeep cannot read a valid sample ({type(error).__name__})", True
            return
        place = first_difference(normal(value), normal(read))
        if place is not None:
            yield f"read differently at {place}", False

    def _written(self, ours: Message, value: Any, message: Any) -> Iterator[tuple[str, bool]]:
        try:
            text = ours.write(value)
        except ValueError as error:
            yield f"ours cannot write what it read: {error}", isinstance(ours, ZeepMessage)
            return
        parent = etree.Element("body")
        try:
            given = self._values.to_zeep(value, message.body.type)
            message.body.render(parent, given)
        except ZEEP_FAILS as error:
            yield f"zeep cannot write the value ({type(error).__name__})", True
            return
        children = list(parent[0]) if message._is_body_wrapped else list(parent)
        mine = [shape(node) for node in etree.fromstring(f"<body>{text}</body>")]
        if mine != [shape(node) for node in children]:
            yield "written differently", False


def _schemas(folder: Path, file: str) -> SchemaSet:
    load = FolderLoader(folder)
    found = load("", file)
    assert found is not None
    result = SchemaSet()
    result.add(*found, load)
    return result


def shape(node: Any) -> Any:
    """What an element says, whatever its prefixes."""
    attributes = dict(node.attrib)
    if XSI_TYPE in attributes:
        prefix, _, local = attributes[XSI_TYPE].rpartition(":")
        attributes[XSI_TYPE] = f"{{{node.nsmap.get(prefix or None)}}}{local}"
    children = [shape(child) for child in node if isinstance(child.tag, str)]
    text = node.text or ""
    return node.tag, attributes, text if not children else text.strip(), children


def normal(value: Any) -> Any:
    """A value without what zeep cannot tell apart: nothing, an empty text and an empty element."""
    match value:
        case dict():
            pairs = {key: _wild(item) if key.startswith("#any") else normal(item) for key, item in value.items()}
            kept = {key: item for key, item in pairs.items() if item not in (None, "", {}, [])}
            return kept["#text"] if set(kept) == {"#text"} else kept
        case list():
            return [normal(item) if normal(item) not in ("", {}, []) else None for item in value]
        case float():
            return Decimal(repr(value))
    return value


def _wild(items: Any) -> Any:
    """What wildcards hold: zeep keeps no names of elements that it knows."""
    return [normal(next(iter(item.values()))) for item in items]


def first_difference(one: Any, other: Any, place: str = "") -> str | None:
    """Where two values begin to differ; None when they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other)):
            found = first_difference(one.get(key), other.get(key), f"{place}/{key}")
            if found is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = (first_difference(a, b, f"{place}[{n}]") for n, (a, b) in enumerate(zip(one, other, strict=True)))
        return next((found for found in pairs if found is not None), None)
    if one in (None, "", {}, []) and other in (None, "", {}, []):
        return None
    return None if one == other else f"{place or '/'}: {one!r} and {other!r}"


__all__ = ["Comparison", "Difference", "PortReport", "WsdlError", "first_difference", "normal", "shape"]

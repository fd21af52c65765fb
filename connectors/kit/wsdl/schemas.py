"""The schema documents of a WSDL as one XMLSchema, which judges messages; and what zeep's model does not keep of them.

libxml2 takes one document for a namespace and wants every import written down. Real WSDLs have several schemas for one
namespace and leave imports out: each namespace gets a driver that includes its documents; missing imports are added.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from connectors.kit.xsd_codec import SchemaFacts

XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema"
_XSD = f"{{{XSD_NAMESPACE}}}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_PLACE = "jisr-schema:"
_DECLARED = re.compile(rb"""xmlns(?::[\w.-]+)?\s*=\s*["']([^"']*)["']""")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)

Load = Callable[[str], bytes]
Join = Callable[[str, str], str]


@dataclass(slots=True)
class _Document:
    root: Any
    namespace: str | None
    included: bool  #: Reached by an include only.


@dataclass(slots=True)
class Documents:
    """Every WSDL and schema document that belongs to one WSDL."""

    wsdls: list[Any] = field(default_factory=list)
    _schemas: dict[str, _Document] = field(default_factory=dict)
    _load: Load = field(default=lambda _: b"")
    _join: Join = field(default=lambda _, location: location)

    @classmethod
    def gather(cls, location: str, load: Load, join: Join) -> "Documents":
        """Read the WSDL at `location` and all that it imports; `join` resolves a location against its document's."""
        documents = cls(_load=load, _join=join)
        documents._wsdl(location, set())
        return documents

    def _wsdl(self, location: str, seen: set[str]) -> None:
        if location in seen:
            return
        seen.add(location)
        root = etree.fromstring(self._load(location), _PARSER)
        if root.tag == f"{_XSD}schema":
            self._schema(location, root, location, included=False, namespace=None)
            return
        self.wsdls.append(root)
        for number, schema in enumerate(root.iterfind(f"{_WSDL}types/{_XSD}schema")):
            self._schema(f"{location}#{number}", _standing_alone(schema), location, included=False, namespace=None)
        for node in root.iterfind(f"{_WSDL}import"):
            if target := node.get("location"):
                self._wsdl(self._join(location, target), seen)

    def _schema(self, name: str, root: Any, base: str, *, included: bool, namespace: str | None) -> None:
        if name in self._schemas:
            self._schemas[name].included &= included
            return
        here = root.get("targetNamespace") or namespace
        self._schemas[name] = _Document(root, here, included)
        for node in list(_links(root)):
            location = node.get("schemaLocation")
            if location is None:
                continue
            target = self._join(base, location)
            imported = node.tag == f"{_XSD}import"
            if target not in self._schemas:
                child = etree.fromstring(self._load(target), _PARSER)
                self._schema(target, child, target, included=not imported, namespace=None if imported else here)
            elif imported:
                self._schemas[target].included = False
            if target == name:
                root.remove(node)  # it includes itself
            else:
                node.set("schemaLocation", target)

    def facts(self) -> SchemaFacts:
        """Substitution groups, the types that others are derived from, and those with mixed content."""
        members: dict[str, list[str]] = {}
        bases: set[str] = set()
        mixed: set[tuple[bool, str]] = set()
        for document in self._schemas.values():
            for node in document.root.iterchildren(f"{_XSD}element"):
                if node.get("substitutionGroup"):
                    member = _clark(document.namespace, node.get("name", ""))
                    members.setdefault(_qname(node, "substitutionGroup"), []).append(member)
            for node in document.root.iter(f"{_XSD}extension", f"{_XSD}restriction"):
                if node.get("base"):
                    bases.add(_qname(node, "base"))
            for node in document.root.iter(f"{_XSD}complexType"):
                if any(
                    each.get("mixed") in {"true", "1"} for each in (node, *node.iterchildren(f"{_XSD}complexContent"))
                ):
                    named = node if node.get("name") else node.getparent()
                    mixed.add((named is node, _clark(document.namespace, named.get("name", ""))))
        substitutes = {head: tuple(_all_members(head, members)) for head in members}
        return SchemaFacts(substitutes, frozenset(bases), frozenset(mixed))

    def compile(self, extra: Sequence[tuple[str | None, str]] = ()) -> etree.XMLSchema:
        """One XMLSchema of everything, with more documents by namespace. Raises etree.XMLSchemaParseError."""
        texts: dict[str, bytes] = {}
        drivers: dict[str | None, str] = {}
        names = {name: f"{_PLACE}{number}" for number, name in enumerate(self._schemas)}
        by_namespace: dict[str | None, list[str]] = {}
        for name, document in self._schemas.items():
            if not document.included:
                by_namespace.setdefault(document.namespace, []).append(names[name])
        for number, (namespace, text) in enumerate(extra):
            texts[f"{_PLACE}extra{number}"] = text.encode()
            by_namespace.setdefault(namespace, []).append(f"{_PLACE}extra{number}")
        for number, (namespace, places) in enumerate(by_namespace.items()):
            drivers[namespace] = f"{_PLACE}driver{number}"
            texts[drivers[namespace]] = _driver(namespace, places)
        for name, document in self._schemas.items():
            texts[names[name]] = _linked(document, names, drivers)
        for number, (namespace, text) in enumerate(extra):
            root = etree.fromstring(text)
            texts[f"{_PLACE}extra{number}"] = _linked(_Document(root, namespace, included=False), names, drivers)
        return _compiled(texts, drivers)


def _standing_alone(schema: Any) -> Any:
    """A copy that keeps the prefixes which its QName values use and its ancestors declare."""
    alone = etree.Element(schema.tag, dict(schema.attrib), nsmap=schema.nsmap)
    alone.extend(list(schema))
    return alone


def _links(root: Any) -> Iterator[Any]:
    yield from root.iterchildren(f"{_XSD}import", f"{_XSD}include", f"{_XSD}redefine")


def _qname(node: Any, attribute: str) -> str:
    prefix, _, local = node.get(attribute).strip().rpartition(":")
    return _clark(node.nsmap.get(prefix or None), local)


def _clark(namespace: str | None, local: str) -> str:
    return f"{{{namespace}}}{local}" if namespace else local


def _all_members(head: str, members: Mapping[str, list[str]], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    for member in members.get(head, ()):
        if member not in seen:
            yield member
            yield from _all_members(member, members, seen | {member, head})


def _driver(namespace: str | None, places: Sequence[str]) -> bytes:
    target = f" targetNamespace={quoteattr(namespace)}" if namespace else ""
    includes = "".join(f'<xsd:include schemaLocation="{place}"/>' for place in places)
    return f'<xsd:schema xmlns:xsd="{XSD_NAMESPACE}"{target}>{includes}</xsd:schema>'.encode()


def _linked(document: _Document, names: Mapping[str, str], drivers: Mapping[str | None, str]) -> bytes:
    """The document as libxml2 wants it: links to documents in memory, an import for each namespace that it names."""
    root = copy.deepcopy(document.root)
    imported = {document.namespace}
    for node in list(_links(root)):
        if node.tag != f"{_XSD}import":
            node.set("schemaLocation", names.get(node.get("schemaLocation"), ""))
            continue
        namespace = node.get("namespace")
        if namespace in imported:
            root.remove(node)
            continue
        imported.add(namespace)
        node.attrib.pop("schemaLocation", None)
        if namespace in drivers:
            node.set("schemaLocation", drivers[namespace])
    used = {match.decode() for match in _DECLARED.findall(etree.tostring(root))}
    for namespace, driver in drivers.items():
        if namespace in used and namespace not in imported and namespace is not None:
            root.insert(0, etree.Element(f"{_XSD}import", {"namespace": namespace, "schemaLocation": driver}))
    return etree.tostring(root)


class _InMemory(etree.Resolver):
    """Serves the documents to one another, and nothing else."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._texts = texts

    def resolve(self, url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # noqa: ARG002  # the stubs forget it
        text = self._texts.get(url, b"<nothing/>")
        return self.resolve_string(text, context, base_url=url)


def _compiled(texts: Mapping[str, bytes], drivers: Mapping[str | None, str]) -> etree.XMLSchema:
    loader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    loader.resolvers.add(_InMemory(texts))
    imports = "".join(
        f"<xsd:import{f' namespace={quoteattr(namespace)}' if namespace else ''} schemaLocation={quoteattr(driver)}/>"
        for namespace, driver in drivers.items()
    )
    master = f'<xsd:schema xmlns:xsd="{XSD_NAMESPACE}" targetNamespace="urn:jisr:all">{imports}</xsd:schema>'
    return etree.XMLSchema(etree.fromstring(master, loader))

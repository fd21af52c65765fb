"""The XML documents of a contract: the WSDL and everything that it imports and includes, read through its source."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.kit.importing.refusal import ContractRefused, Progress, Words
from connectors.kit.importing.sources import OutsideError, Source
from connectors.kit.sample_values.schema_set import PARSER_OPTIONS, XSD
from mappings.sentences import in_arabic

WSDL = "http://schemas.xmlsoap.org/wsdl/"
_IMPORTS = (f"{{{XSD}}}import", f"{{{XSD}}}include", f"{{{XSD}}}redefine", f"{{{WSDL}}}import")
SOAP_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_DEEPEST = 40
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(slots=True, eq=False)
class Reference:
    """An import or include, with the document that it means or the reason why there is none."""

    node: Any
    location: str
    target: "XmlFile | None" = None
    problem: OutsideError | None = None

    @property
    def attribute(self) -> str:
        """Where its location stands."""
        return "location" if self.node.tag == f"{{{WSDL}}}import" else "schemaLocation"

    @property
    def is_schema_import(self) -> bool:
        """Whether it is an xsd:import, the only kind that needs no location."""
        return bool(self.node.tag == f"{{{XSD}}}import")


@dataclass(slots=True, eq=False)
class XmlFile:
    """One document."""

    address: str
    shown: str
    root: Any
    name: str  #: The file's name in the package.
    references: list[Reference] = field(default_factory=list)

    def place(self, node: Any) -> str:
        """`file:12`."""
        return f"{self.shown}:{node.sourceline}" if node.sourceline else self.shown

    def schemas(self) -> Iterator[Any]:
        """The schemas in it."""
        if self.root.tag == f"{{{XSD}}}schema":
            yield self.root
        else:
            yield from self.root.iter(f"{{{XSD}}}schema")

    def content(self) -> bytes:
        """The document as it is written into the package: UTF-8, without a document type."""
        text: bytes = etree.tostring(self.root, encoding="utf-8", xml_declaration=True)
        return text + b"\n"


class XmlFiles:
    """All documents of one contract."""

    def __init__(self, source: Source, progress: Progress) -> None:
        """Raises ContractRefused when the first document is none of ours, or another one is broken."""
        self._source = source
        self._progress = progress
        self._names: set[str] = set()
        self.files: dict[str, XmlFile] = {}
        try:
            self.main = self._add(source.start, 0)
        except OutsideError as error:  # pragma: no cover - a source's start was looked at when it was opened
            raise ContractRefused(f"{source.start}: {error.en}.", f"{source.start}: {error.ar}.") from error

    def add_standard(self, path: Path, address: str) -> XmlFile:
        """A schema that comes with the program, under the address of its namespace."""
        known = self.files.get(address)
        if known is None:
            root = etree.fromstring(path.read_bytes(), _of_the_program())
            if address == SOAP_ENCODING:
                _spell_out(root)
            known = self.files[address] = XmlFile(address, path.name, root, self._name(path.name, ".xsd"))
            known.references = [Reference(node, node.get("schemaLocation")) for node in _located(root)]
            for reference in known.references:
                reference.problem = OutsideError("which is not shipped", "وهو غير مرفق")
        return known

    def references(self) -> Iterator[tuple[XmlFile, Reference]]:
        """Every import and include of every document."""
        for file in list(self.files.values()):
            for reference in file.references:
                yield file, reference

    def _add(self, address: str, level: int) -> XmlFile:
        known = self.files.get(address)
        if known is not None:
            return known
        shown = self._source.shown(address)
        if level > _DEEPEST:
            raise ContractRefused(
                f"{shown} is imported over more than {_DEEPEST} levels.",
                f"يُستورد {shown} عبر أكثر من {_DEEPEST} مستوى.",
            )
        content = self._source.read(address)
        self._progress(
            Words(f"Reading {shown} ({len(content) // 1024} KiB)", f"قراءة {shown} ({len(content) // 1024} ك.ب)")
        )
        root = parse_xml(content, shown)
        suffix = ".xsd" if root.tag == f"{{{XSD}}}schema" else ".wsdl"
        file = self.files[address] = XmlFile(address, shown, root, self._name(address, suffix))
        for node in _located(root):
            file.references.append(self._followed(file, node, level))
        return file

    def _followed(self, file: XmlFile, node: Any, level: int) -> Reference:
        reference = Reference(node, "")
        reference.location = node.get(reference.attribute).strip()
        try:
            reference.target = self._add(self._source.follow(file.address, reference.location), level + 1)
        except OutsideError as error:
            reference.problem = error
        return reference

    def _name(self, address: str, suffix: str) -> str:
        path, _, query = address.partition("?")
        stem = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if query and query.lower() not in {"wsdl", "singlewsdl"}:
            stem = f"{stem}-{query}"
        stem = _UNSAFE.sub("-", stem).strip("-.")[:60].removesuffix(suffix) or "contract"
        name, number = f"{stem}{suffix}", 1
        while name.lower() in self._names:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._names.add(name.lower())
        return name


def _of_the_program() -> etree.XMLParser:
    """Reads schemas that come with the program, some of which use entities of their own; the network stays unused."""
    return etree.XMLParser(no_network=True, load_dtd=False)


def _spell_out(root: Any) -> None:
    """Rid the SOAP encoding schema of references to itself: zeep would fetch its namespace for each of them."""
    groups = {(node.tag, node.get("name")): node for node in root if node.get("name")}
    while used := [node for node in root.iter(f"{{{XSD}}}group", f"{{{XSD}}}attributeGroup") if node.get("ref")]:
        for node in used:
            target = groups[node.tag, node.get("ref").rpartition(":")[2]]
            for child in target.iterchildren(f"{{{XSD}}}*"):
                if child.tag == f"{{{XSD}}}annotation":
                    continue
                node.addprevious(copy.deepcopy(child))
            node.getparent().remove(node)
    for node in list(root.iter(f"{{{XSD}}}attribute", f"{{{XSD}}}element")):
        own = any((node.get(name) or "").startswith("tns:") for name in ("ref", "type"))
        if own or (node.tag == f"{{{XSD}}}element" and node.getparent() is root):
            node.getparent().remove(node)


def _located(root: Any) -> list[Any]:
    return [node for node in root.iter(*_IMPORTS) if node.get("schemaLocation") or node.get("location")]


def parse_xml(content: bytes, shown: str) -> Any:
    """The root of a document; entities are refused, nothing is loaded. Raises ContractRefused."""
    if content[:2] in {b"\x1f\x8b", b"PK"}:
        raise ContractRefused(f"{shown} is compressed: unpack it first.", f"{shown} مضغوط: فُكّ ضغطه أولاً.")
    if b"<!ENTITY" in content:
        raise ContractRefused(f"{shown} declares entities, which are refused.", f"يعرّف {shown} كيانات، وهي مرفوضة.")
    try:
        root = etree.fromstring(content, etree.XMLParser(**PARSER_OPTIONS, remove_pis=True))
    except etree.XMLSyntaxError as error:
        raise _not_xml(content, shown, error) from error
    except ValueError as error:
        raise ContractRefused(f"{shown} is not XML: {error}.", f"{shown} ليس XML: {in_arabic(str(error))}.") from error
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise ContractRefused(f"{shown} declares entities, which are refused.", f"يعرّف {shown} كيانات، وهي مرفوضة.")
    if etree.QName(root).localname.lower() == "html":
        raise _html(shown)
    return root


def _not_xml(content: bytes, shown: str, error: etree.XMLSyntaxError) -> ContractRefused:
    start = content[:2000].lower()
    if b"<html" in start or b"<!doctype html" in start:
        return _html(shown)
    said = (error.msg or "").partition(", line")[0].partition(", use XML_PARSE_HUGE")[0]
    return ContractRefused(
        f"{shown}, line {error.lineno}: it is not well-formed XML ({said}).",
        f"{shown}، السطر {error.lineno}: ليس XML سليم البناء ({in_arabic(said)}).",
    )


def _html(shown: str) -> ContractRefused:
    return ContractRefused(
        f"{shown} is an HTML page, not a contract: perhaps a login page or a proxy answered.",
        f"{shown} صفحة HTML وليست عقداً: لعل صفحة دخول أو وكيلاً أجاب.",
    )

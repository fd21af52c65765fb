"""Mends, in the vendored copy, the faults that most real WSDLs have, and says so; what stays open is refused.

An import that leads out is satisfied from the schemas that come with the program, or dropped when the contract itself
has that namespace. Nothing outside is ever contacted.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xmlschema
from lxml import etree

from connectors.kit.importing.refusal import ContractRefused, Report, Words
from connectors.kit.importing.xml_files import Reference, XmlFile, XmlFiles
from connectors.kit.sample_values.schema_set import XSD

_SHIPPED = Path(xmlschema.__file__).parent / "schemas"
_XML = "http://www.w3.org/XML/1998/namespace"
#: Standard schemas that contracts refer to and seldom bring.
STANDARD = {
    _XML: "XML/xml.xsd",
    "http://www.w3.org/2000/09/xmldsig#": "DSIG/xmldsig-core-schema.xsd",
    "http://www.w3.org/2009/xmldsig11#": "DSIG/xmldsig11-schema.xsd",
    "http://www.w3.org/2001/04/xmlenc#": "XENC/xenc-schema.xsd",
    "http://www.w3.org/1999/xlink": "XLINK/xlink.xsd",
    "http://schemas.xmlsoap.org/soap/encoding/": "WSDL/soap-encoding.xsd",
    "http://schemas.xmlsoap.org/soap/envelope/": "WSDL/soap-envelope.xsd",
    "http://schemas.xmlsoap.org/wsdl/": "WSDL/wsdl.xsd",
    "http://www.w3.org/2005/05/xmlmime": str(Path(__file__).parent / "standard" / "xmlmime.xsd"),  # of MTOM services
}
_QNAMES = ("type", "base", "ref", "itemType", "substitutionGroup", "memberTypes")
_IMPORT = f"{{{XSD}}}import"


def mend(contract: XmlFiles, report: Report) -> None:
    """Repair what can be repaired. Raises ContractRefused for the first reference that stays open."""
    _Mending(contract, report).run()


class _Mending:
    def __init__(self, contract: XmlFiles, report: Report) -> None:
        self._contract = contract
        self._report = report

    def run(self) -> None:
        self._correct_namespaces()
        declared: set[XmlFile] = set()
        for _ in range(2):  # a second time for the standard schemas that were added, and what they refer to
            for file in [one for one in self._contract.files.values() if one not in declared]:
                declared.add(file)
                for schema in file.schemas():
                    self._declare_imports(file, schema)
            for file, reference in self._contract.references():
                if reference.target is None and reference.problem is not None:
                    self._settle(file, reference)
        self._correct_namespaces()
        for _, reference in self._contract.references():
            if reference.target is not None:
                reference.node.set(reference.attribute, reference.target.name)

    def _correct_namespaces(self) -> None:
        for file, reference in self._contract.references():
            self._correct_namespace(file, reference)

    def _homes(self) -> dict[str | None, XmlFile]:
        """Which document has the schema of a namespace; inline schemas first."""
        homes: dict[str | None, XmlFile] = {}
        for file in self._contract.files.values():
            for schema in file.schemas():
                homes.setdefault(schema.get("targetNamespace"), file)
        return homes

    def _settle(self, file: XmlFile, reference: Reference) -> None:
        namespace = reference.node.get("namespace")
        if reference.is_schema_import and namespace in STANDARD:
            reference.target, reference.problem = self._standard(namespace), None
            self._report.repairs.append(Words(
                f"{file.place(reference.node)}: the standard schema of {namespace} is referred to but not "
                "shipped; it was added.",
                f"{file.place(reference.node)}: المخطط القياسي {namespace} مذكور وغير مرفق؛ أُضيف.",
            ))  # fmt: skip
            return
        if reference.is_schema_import and namespace == XSD:  # the language itself needs no import
            reference.node.getparent().remove(reference.node)
            reference.problem = None
            return
        home = self._homes().get(namespace) if reference.is_schema_import else None
        if home is not None:
            del reference.node.attrib[reference.attribute]
            if home is not self._contract.main and home is not file:
                reference.target = home
            reference.problem = None
            self._report.repairs.append(Words(
                f"{file.place(reference.node)}: the location {reference.location} was dropped; the contract itself "
                f"has the schema of {namespace}.",
                f"{file.place(reference.node)}: حُذف الموقع {reference.location} لأن العقد نفسه يضم مخطط {namespace}.",
            ))  # fmt: skip
            return
        assert reference.problem is not None
        raise ContractRefused(
            f"{file.place(reference.node)}: it refers to {reference.location[:200]}, {reference.problem.en}.",
            f"{file.place(reference.node)}: يشير إلى {reference.location[:200]}، {reference.problem.ar}.",
        )

    def _standard(self, namespace: str) -> XmlFile:
        return self._contract.add_standard(_SHIPPED / STANDARD[namespace], namespace)

    def _correct_namespace(self, file: XmlFile, reference: Reference) -> None:
        if reference.target is None or not reference.is_schema_import:
            return
        root, said = reference.target.root, reference.node.get("namespace")
        own = root.get("targetNamespace")
        if root.tag != f"{{{XSD}}}schema" or own == said:
            return
        if own is None:
            del reference.node.attrib["namespace"]
        else:
            reference.node.set("namespace", own)
        self._report.repairs.append(Words(
            f"{file.place(reference.node)}: the import of {reference.location} says the namespace {said or 'none'}, "
            f"but the schema there has {own or 'none'}; it was corrected.",
            f"{file.place(reference.node)}: يذكر استيراد {reference.location} النطاق {said or 'بلا'} ونطاق المخطط هناك "
            f"{own or 'بلا'}؛ صُحّح.",
        ))  # fmt: skip

    def _declare_imports(self, file: XmlFile, schema: Any) -> None:
        """An import for each namespace that a schema uses without one, where the contract or the program has it."""
        imported = {node.get("namespace"): node for node in schema.iterfind(_IMPORT)}
        homes = self._homes()
        for namespace in sorted(_used(schema) - {XSD, schema.get("targetNamespace")}):
            node = imported.get(namespace)
            located = node is not None and node.get("schemaLocation") is not None
            if located or (node is not None and namespace not in STANDARD) or (node is not None and namespace in homes):
                continue
            if namespace not in homes and namespace not in STANDARD:
                continue
            self._import(file, schema, namespace, node, homes.get(namespace))

    def _import(self, file: XmlFile, schema: Any, namespace: str, node: Any, home: XmlFile | None) -> None:
        if node is None:
            node = etree.Element(_IMPORT, {"namespace": namespace})
        schema.insert(0, node)  # before what uses it, where readers expect it; one that stands there is moved
        target = home if home is not None else self._standard(namespace)
        if target is not self._contract.main and target is not file:
            reference = Reference(node, target.name, target)
            node.set("schemaLocation", target.name)
            file.references.append(reference)
        self._report.repairs.append(Words(
            f"{file.place(schema)}: the schema uses {namespace} without saying where it is; an import was added.",
            f"{file.place(schema)}: يستعمل المخطط {namespace} دون ذكر مكانه؛ أُضيف استيراد.",
        ))  # fmt: skip


def _used(schema: Any) -> set[str]:
    """The namespaces of all QNames in a schema."""
    found = set()
    for node in schema.iter(f"{{{XSD}}}*"):
        for attribute in _QNAMES:
            for qname in (node.get(attribute) or "").split():
                found |= set(_namespace(node, qname))
    return found


def _namespace(node: Any, qname: str) -> Iterator[str]:
    prefix, colon, _ = qname.partition(":")
    namespace = _XML if prefix == "xml" and colon else node.nsmap.get(prefix if colon else None)
    if namespace:
        yield namespace

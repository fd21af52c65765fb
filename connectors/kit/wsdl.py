"""Reads the vendored WSDL of a SOAP connector at load: operations with codecs, and the schema that judges answers.

Nothing is fetched: every import is a file inside the package's folder. DTDs and entities are refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import zeep.exceptions
from lxml import etree
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from connectors.kit.manifest import Manifest, ManifestError, Soap
from connectors.kit.xsd_codec import CodecCompiler, ElementCodec, UnsupportedSchema

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema"
_INLINE = "inline-schema:"


@dataclass(frozen=True, slots=True)
class WsdlOperation:
    """One document/literal operation."""

    name: str
    action: str
    request: ElementCodec
    response: ElementCodec


@dataclass(frozen=True, slots=True)
class WsdlContract:
    """What a connector needs of its WSDL."""

    envelope: str  #: Namespace of the SOAP version.
    operations: Mapping[str, WsdlOperation]
    schema: etree.XMLSchema


class _FolderTransport:
    """zeep's transport that reads files of one folder and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def load(self, url: str) -> bytes:
        parts = urlsplit(str(url))
        file = Path(unquote(parts.path) if parts.scheme == "file" else str(url)).resolve()
        if parts.scheme not in {"", "file"} or not file.is_relative_to(self._folder):
            raise PermissionError(f"{url} is not a file of the package")
        return file.read_bytes()


def load_wsdl(folder: Path, manifest: Manifest, soap: Soap) -> WsdlContract:
    """The WSDL that the manifest names, with the operations that it uses. Raises ManifestError."""
    file = f"{folder.name}/{soap.wsdl}"
    location = folder / soap.wsdl
    if not location.is_file() or not location.resolve().is_relative_to(folder.resolve()):
        raise ManifestError(f"{folder.name}/manifest.toml", "soap.wsdl", f"there is no file {soap.wsdl} in the package")
    try:
        binding = _binding(_document(folder, location), soap, file)
        operations = dict(_operations(binding, manifest, folder, soap))
        schema = _schema(location)
    except (zeep.exceptions.Error, etree.LxmlError, PermissionError, FileNotFoundError) as error:
        raise ManifestError(file, "", f"the WSDL cannot be read: {' '.join(str(error).split())}") from error
    envelope = SOAP12 if isinstance(binding, Soap12Binding) else SOAP11
    return WsdlContract(envelope, operations, schema)


def _document(folder: Path, location: Path) -> Document:
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False)
    transport: Any = _FolderTransport(folder)  # zeep asks only for `load`
    return Document(str(location.resolve()), transport, settings=settings)


def _binding(document: Document, soap: Soap, file: str) -> Any:
    ports = {name: port for service in document.services.values() for name, port in service.ports.items()}
    ports = {name: port for name, port in ports.items() if isinstance(port.binding, Soap11Binding | Soap12Binding)}
    if soap.port is None and len(ports) == 1:
        return next(iter(ports.values())).binding
    if soap.port not in ports:
        raise ManifestError(
            file, "", f"soap.port of the manifest must name one of its ports: {', '.join(sorted(ports))}"
        )
    return ports[soap.port].binding


def _operations(binding: Any, manifest: Manifest, folder: Path, soap: Soap) -> Iterator[tuple[str, WsdlOperation]]:
    compiler = CodecCompiler()
    known = binding.all()
    for name, declared in manifest.operations.items():
        key = f"operations.{name}.wire"
        operation = known.get(declared.wire)
        if operation is None:
            raise ManifestError(
                f"{folder.name}/manifest.toml",
                key,
                f"{soap.wsdl} has no operation {declared.wire} (it has {', '.join(sorted(known))})",
            )
        if operation.style != "document" or operation.output is None:
            raise ManifestError(
                f"{folder.name}/manifest.toml", key, "only document/literal with an answer is supported"
            )
        try:
            request, response = compiler.element(operation.input.body), compiler.element(operation.output.body)
        except UnsupportedSchema as error:
            raise ManifestError(f"{folder.name}/{soap.wsdl}", declared.wire, f"not supported: {error}") from error
        yield name, WsdlOperation(declared.wire, operation.soapaction or "", request, response)


class _InlineSchemas(etree.Resolver):
    """Serves the schemas that stand inside a WSDL to one another."""

    def __init__(self, schemas: list[bytes]) -> None:
        super().__init__()
        self._schemas = schemas

    def resolve(self, url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # noqa: ARG002  # the stubs forget it
        if url.startswith(_INLINE):
            number, _, _ = url.removeprefix(_INLINE).partition("/")
            return self.resolve_string(self._schemas[int(number)], context, base_url=url)
        return None


def _schema(location: Path) -> etree.XMLSchema:
    """One XMLSchema of everything in the WSDL's types."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    wsdl = etree.fromstring(location.read_bytes(), parser)
    inline = list(wsdl.iter(f"{_XSD}schema"))
    numbers = {schema.get("targetNamespace"): number for number, schema in enumerate(inline)}
    for schema in inline:
        _locate_imports(schema, numbers, location.parent)
    texts = [etree.tostring(_standing_alone(schema)) for schema in inline]
    loader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    loader.resolvers.add(_InlineSchemas(texts))
    driver = etree.Element(f"{_XSD}schema", nsmap={"xsd": _XSD_NAMESPACE})
    for namespace, number in numbers.items():
        attributes = {"schemaLocation": f"{_INLINE}{number}"} | ({"namespace": namespace} if namespace else {})
        etree.SubElement(driver, f"{_XSD}import", attributes)
    return etree.XMLSchema(etree.fromstring(etree.tostring(driver), loader))


def _standing_alone(schema: Any) -> Any:
    """A copy that keeps the prefixes which its QName values use and its ancestors declare."""
    copy = etree.Element(schema.tag, dict(schema.attrib), nsmap=schema.nsmap)
    copy.extend(list(schema))
    return copy


def _locate_imports(schema: Any, numbers: Mapping[str | None, int], folder: Path) -> None:
    for node in schema.iter(f"{_XSD}import", f"{_XSD}include", f"{_XSD}redefine"):
        location = node.get("schemaLocation")
        if location is not None:
            node.set("schemaLocation", (folder / location).resolve().as_uri())
        elif node.get("namespace") in numbers:
            node.set("schemaLocation", f"{_INLINE}{numbers[node.get('namespace')]}")

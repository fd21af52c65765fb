"""Opens the vendored WSDL of a SOAP connector: its port, its operations with codecs, and the schema.

Nothing is fetched: every import is a file inside the package's folder. DTDs and entities are refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import zeep.exceptions
from lxml import etree
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from connectors.kit.manifest import Manifest, ManifestError, Soap
from connectors.kit.wsdl.contract import SOAP11, SOAP12, WsdlContract
from connectors.kit.wsdl.operations import OperationCompiler
from connectors.kit.wsdl.policy import Mtom, asks_for_addressing, mtom_of
from connectors.kit.wsdl.schemas import Documents
from connectors.kit.xsd_codec import UnsupportedSchema

MAX_WSDL_BYTES = 16 * 1024 * 1024  #: Of all documents together.
_TOO_DEEP = "the WSDL cannot be read: its types are nested too deeply"
_NO_ANSWER_CHECK = (
    "answers are checked by names, presence and order, not by the values' patterns: the schema is not one that "
    "libxml2 compiles ({})"
)
_AS_THE_WSDL_ASKS: Mapping[str, bool | None] = {}

#: What zeep raises for documents that it does not understand; its own errors are the least of it.
_FAILURES = (
    zeep.exceptions.Error,
    etree.LxmlError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
)


class WsdlError(ValueError):
    """The WSDL cannot be used: one sentence; with an `operation`, what follows the file's name."""

    def __init__(self, problem: str, operation: str = "") -> None:
        super().__init__(problem)
        self.operation = operation


class _Folder:
    """zeep's transport that reads files of one folder and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._loaded: dict[Path, bytes] = {}

    def load(self, url: str) -> bytes:
        parts = urlsplit(str(url))
        file = Path(unquote(parts.path) if parts.scheme == "file" else str(url)).resolve()
        if parts.scheme not in {"", "file"} or not file.is_relative_to(self._folder):
            raise PermissionError(f"{url} is not a file of the package")
        if file not in self._loaded:
            self._loaded[file] = file.read_bytes()
            if sum(map(len, self._loaded.values())) > MAX_WSDL_BYTES:
                raise PermissionError(f"the WSDL and its schemas have more than {MAX_WSDL_BYTES >> 20} MiB")
        return self._loaded[file]

    @staticmethod
    def join(base: str, location: str) -> str:
        """A location in the document `base`."""
        if urlsplit(location).scheme not in {"", "file"}:
            return location
        plain = unquote(urlsplit(location).path) if location.startswith("file:") else location
        return str((Path(base).parent / plain).resolve())


def load_wsdl(folder: Path, manifest: Manifest, soap: Soap) -> WsdlContract:
    """The WSDL that the manifest names, with the operations that it uses. Raises ManifestError."""
    location = folder / soap.wsdl
    if not location.is_file() or not location.resolve().is_relative_to(folder.resolve()):
        raise ManifestError(f"{folder.name}/manifest.toml", "soap.wsdl", f"there is no file {soap.wsdl} in the package")
    wires = {name: declared.wire for name, declared in manifest.operations.items()}
    try:
        signed = manifest.signs_requests
        mtom = {name: False if signed else declared.mtom for name, declared in manifest.operations.items()}
        contract = open_wsdl(folder, soap.wsdl, port=soap.port, wires=wires, typed=soap.xsi_types, mtom=mtom)
        _refuse_one_way(contract)
    except WsdlError as error:
        file = f"{folder.name}/{soap.wsdl}"
        if error.operation:
            key = f"operations.{error.operation}.wire"
            raise ManifestError(f"{folder.name}/manifest.toml", key, f"{soap.wsdl}: {error}") from error
        raise ManifestError(file, "", str(error)) from error
    return contract if soap.addressing is None else replace(contract, addressing=soap.addressing)


def _refuse_one_way(contract: WsdlContract) -> None:
    """An act that has no answer would be in doubt by nature, each time."""
    for name, operation in contract.operations.items():
        if operation.response is None:
            raise WsdlError("it has no answer (one-way), so that nobody would know what became of the act", name)


def open_wsdl(
    folder: Path,
    file: str,
    *,
    port: str | None = None,
    wires: Mapping[str, str] | None = None,
    typed: bool = False,
    mtom: Mapping[str, bool | None] = _AS_THE_WSDL_ASKS,
) -> WsdlContract:
    """The contract of one port: `wires` gives the WSDL's operations by the connector's names; left out: all of them.

    With `typed`, what is written says the type of every element (`xsi:type`). `mtom` says of operations, by the
    connector's names, whether their requests go as MTOM; None, or nothing: as the WSDL's policy asks.

    Raises WsdlError.
    """
    reader, location = _Folder(folder), str((folder / file).resolve())
    try:
        document = _document(reader, location)
        documents = Documents.gather(location, reader.load, reader.join)
    except RecursionError as error:
        raise WsdlError(_TOO_DEEP) from error
    except _FAILURES as error:
        raise WsdlError(f"the WSDL cannot be read: {_words(error)}") from error
    binding = _binding(document, port)
    try:
        return _contract(binding, document, documents, wires, port, mtom, typed=typed)
    except RecursionError as error:
        raise WsdlError(_TOO_DEEP) from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _document(reader: _Folder, location: str) -> Document:
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False)
    transport: Any = reader  # zeep asks only for `load`
    return Document(location, transport, settings=settings)


def _binding(document: Any, port: str | None) -> Any:
    ports = {name: each.binding for service in document.services.values() for name, each in service.ports.items()}
    if not ports:  # a WSDL may leave the service to others
        ports = {etree.QName(name).localname: each for name, each in document.bindings.items()}
    ports = {name: each for name, each in ports.items() if isinstance(each, Soap11Binding | Soap12Binding)}
    if not ports:
        raise WsdlError("the WSDL has no port that speaks SOAP over HTTP")
    if port is None and len(ports) == 1:
        return next(iter(ports.values()))
    if port not in ports:
        raise WsdlError(f"soap.port of the manifest must name one of its ports: {', '.join(sorted(ports))}")
    return ports[port]


def _contract(
    binding: Any,
    document: Any,
    documents: Documents,
    wires: Mapping[str, str] | None,
    port: str | None,
    mtom: Mapping[str, bool | None],
    *,
    typed: bool = False,
) -> WsdlContract:
    known = binding.all()
    wires = {name: name for name in known} if wires is None else wires
    for name, wire in wires.items():
        if wire not in known:
            raise WsdlError(f"there is no operation {wire} (it has {', '.join(sorted(known))})", name)
    notes: list[str] = []
    compiler = OperationCompiler(document, documents, binding, typed=typed)
    schema, problem = compiler.schema([known[wire] for wire in wires.values()])
    if schema is None:
        notes.append(_NO_ANSWER_CHECK.format(problem))
    operations = {}
    for name, wire in wires.items():
        try:
            operation = compiler.operation(known[wire], notes)
        except UnsupportedSchema as error:
            raise WsdlError(f"not supported: {error}", name) from error
        asked = mtom_of(documents.wsdls, binding.name.localname, wire)
        said = mtom.get(name)
        if said is False and asked is Mtom.DEMANDED:
            notes.append(f"{wire}: the WSDL asks for MTOM, and requests are sent without")
        goes = said if said is not None else asked is Mtom.DEMANDED or (asked is Mtom.ALLOWED and operation.binary)
        operations[name] = replace(operation, mtom=goes)
    return WsdlContract(
        SOAP12 if isinstance(binding, Soap12Binding) else SOAP11,
        operations,
        schema,
        addressing=asks_for_addressing(documents.wsdls, binding.name.localname, port),
        mtom=mtom_of(documents.wsdls, binding.name.localname) is not Mtom.NO,
        notes=tuple(notes),
    )

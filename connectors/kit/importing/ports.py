"""The ports of a WSDL 1.1 and their operations, read from its text: also of one that is wrong in places.

zeep stops at the first fault. Here each operation is judged alone, so that one bad port or operation costs no other.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.importing.refusal import ContractRefused, Words
from connectors.kit.importing.xml_files import WSDL, XmlFile, XmlFiles
from connectors.kit.sample_values.schema_set import SchemaSet, clark
from connectors.kit.wsdl.policy import Mtom, mtom_of

_W = f"{{{WSDL}}}"
SOAP_BINDINGS = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "1.1",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message: a global element, or a name with a type."""

    name: str
    element: str | None
    type: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What stands in the body: for document style one element, for rpc a wrapper with the parts."""

    wrapper: str | None  #: Of rpc style, in Clark's form.
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class SoapOperation:
    """One operation of a port."""

    name: str
    style: str
    request: Message
    response: Message
    documentation: str
    place: str  #: `file:line` of the operation in its binding.
    mtom: bool = False  #: A policy of its own, or of its binding, asks for MTOM.


@dataclass(slots=True)
class Port:
    """One port, with its usable operations and what was wrong with the others."""

    service: str
    name: str
    version: str  #: Of SOAP; empty when it is no SOAP port.
    address: str
    operations: dict[str, SoapOperation] = field(default_factory=dict)
    problems: list[Words] = field(default_factory=list)
    mtom: bool = False

    @property
    def path(self) -> str:
        """The path of its address."""
        path = urlsplit(self.address).path
        return path if path.startswith("/") else "/"


def read_ports(contract: XmlFiles, schemas: SchemaSet) -> list[Port]:
    """All ports; where none can be used, the bindings in their place.

    What would keep the others from being read is taken out of the vendored copy. Raises ContractRefused when the
    document is no WSDL 1.1.
    """
    root = contract.main.root
    if root.tag != f"{_W}definitions":
        raise _no_wsdl(root, contract.main)
    reader = _Reader(contract, schemas)
    main = contract.main
    nodes = [(service, port) for service in root.iterfind(f"{_W}service") for port in service.iterfind(f"{_W}port")]
    ports = [reader.port(main, service, node) for service, node in nodes]
    if not any(port.operations for port in ports):
        for node in list(root.iter(f"{_W}port")):
            node.getparent().remove(node)
        found = list(reader.bindings())
        own = [port for file, port in found if file is main]
        ports += own or [port for _, port in found]
    reader.prune()
    return ports


def _no_wsdl(root: Any, file: XmlFile) -> ContractRefused:
    name = str(root.tag).rpartition("}")[2]
    if str(root.tag).startswith("{http://www.w3.org/ns/wsdl}"):
        return ContractRefused(
            f"{file.shown} is WSDL 2.0; only WSDL 1.1 is supported: ask the institution for that.",
            f"{file.shown} بصيغة WSDL 2.0، والمدعوم WSDL 1.1 فقط: اطلبه من الجهة.",
        )
    return ContractRefused(
        f"{file.shown} is not a WSDL: its root element is {name[:60]}, not definitions.",
        f"{file.shown} ليس WSDL: عنصره الجذر {name[:60]} وليس definitions.",
    )


class _BadOperation(Exception):
    """Why an operation is left out: completes "the operation X is left out: …"."""

    def __init__(self, en: str, ar: str, broken: Any = None) -> None:
        super().__init__(en)
        self.words = Words(en, ar)
        self.broken = broken  #: What readers of the whole WSDL stumble over; not None: it is taken out.


class _Reader:
    def __init__(self, contract: XmlFiles, schemas: SchemaSet) -> None:
        self._contract = contract
        self._schemas = schemas
        self._found: dict[tuple[str, str], Any] = {}
        self._broken: list[Any] = []
        self._wsdls = [file.root for file in contract.files.values() if file.root.tag == f"{_W}definitions"]
        self._files: dict[int, XmlFile] = {}  #: Nodes live as long as the documents that hold them in `_found`.
        for file in contract.files.values():
            if file.root.tag == f"{_W}definitions":
                for kind in ("message", "portType", "binding"):
                    for node in file.root.iterfind(f"{_W}{kind}"):
                        name = clark(file.root.get("targetNamespace"), node.get("name") or "")
                        self._found.setdefault((kind, name), node)
                        self._files[id(node)] = file

    def bindings(self) -> Iterator[tuple[XmlFile, Port]]:
        """The SOAP bindings as ports: a contract may leave it to others to say where it is served."""
        for (kind, name), node in self._found.items():
            if kind == "binding" and any(_version(child) for child in node):
                port = Port("", name.rpartition("}")[2], "", "")
                self._bind(port, node)
                if port.operations:
                    yield self._files[id(node)], port

    def port(self, file: XmlFile, service: Any, node: Any) -> Port:
        version, address = _address(node)
        port = Port(service.get("name") or "", node.get("name") or "", version, address)
        binding = self._named("binding", node, "binding")
        if binding is None:
            self._broken.append(node)
            port.problems.append(Words(
                f"{file.place(node)}: The port {port.name} is left out: there is no binding {node.get('binding')}.",
                f"{file.place(node)}: تُرك المنفذ {port.name}: لا يوجد ربط {node.get('binding')}.",
            ))  # fmt: skip
            return port
        self._bind(port, binding)
        return port

    def _bind(self, port: Port, binding: Any) -> None:
        place = self._place(binding)
        soap = next((child for child in binding if _version(child)), None)
        if soap is None:
            port.version = ""
            port.problems.append(Words(
                f"{place}: The port {port.name} is left out: it is not a SOAP port.",
                f"{place}: تُرك المنفذ {port.name}: ليس منفذ SOAP.",
            ))  # fmt: skip
            return
        port.version = _version(soap)
        port.mtom = mtom_of(self._wsdls, binding.get("name") or "") is not Mtom.NO
        if not (soap.get("transport") or "http").lower().rstrip("/").endswith("http"):
            port.problems.append(Words(
                f"{place}: The port {port.name} is left out: its transport is {soap.get('transport')}, not HTTP.",
                f"{place}: تُرك المنفذ {port.name}: وسيلة نقله {soap.get('transport')} وليست HTTP.",
            ))  # fmt: skip
            return
        port_type = self._named("portType", binding, "type")
        if port_type is None:
            self._broken.append(binding)
            port.problems.append(Words(
                f"{place}: The port {port.name} is left out: there is no portType {binding.get('type')}.",
                f"{place}: تُرك المنفذ {port.name}: لا يوجد portType باسم {binding.get('type')}.",
            ))  # fmt: skip
            return
        self._operations(port, binding, soap, port_type)

    def prune(self) -> None:
        """Take what is broken out of the documents, with what only leads there."""
        broken = {id(node): node for node in self._broken}
        for (kind, _), node in self._found.items():
            if kind == "message" and not all(self._is_whole(part) for part in node.iterfind(f"{_W}part")):
                broken[id(node)] = node
        gone = {name for (kind, name), node in self._found.items() if kind == "message" and id(node) in broken}
        for (kind, _), node in self._found.items():
            if kind == "binding" and self._named("portType", node, "type") is None:
                broken[id(node)] = node
            for operation in node.iterfind(f"{_W}operation") if kind == "portType" else ():
                if any(_qname(part, "message") in gone for part in operation):
                    broken[id(operation)] = operation
        for node in broken.values():
            if node.getparent() is not None and node.tag != f"{_W}portType":
                node.getparent().remove(node)

    def _is_whole(self, part: Any) -> bool:
        element, type_name = _qname(part, "element"), _qname(part, "type")
        return type_name is not None or (element is not None and self._schemas.find("element", element) is not None)

    def _operations(self, port: Port, binding: Any, soap: Any, port_type: Any) -> None:
        for node in binding.iterfind(f"{_W}operation"):
            name = node.get("name") or ""
            try:
                port.operations[name] = self._operation(name, node, soap, port_type)
            except _BadOperation as bad:
                if bad.broken is not None:
                    self._broken += [node, bad.broken]
                place = self._place(node)
                port.problems.append(Words(
                    f"{place}: The operation {name} of port {port.name} is left out: {bad.words.en}.",
                    f"{place}: تُركت العملية {name} من المنفذ {port.name}: {bad.words.ar}.",
                ))  # fmt: skip

    def _place(self, node: Any) -> str:
        """`file:line` of a binding or of a node in one."""
        above = node
        while id(above) not in self._files and above.getparent() is not None:
            above = above.getparent()
        return self._files.get(id(above), self._contract.main).place(node)

    def _operation(self, name: str, node: Any, soap: Any, port_type: Any) -> SoapOperation:
        abstract = next((each for each in port_type.iterfind(f"{_W}operation") if each.get("name") == name), None)
        if abstract is None:
            raise _BadOperation("the portType does not have it", "ليست في portType", node)
        own = next((child for child in node if _version(child)), None)
        style = (own.get("style") if own is not None else None) or soap.get("style") or "document"
        if abstract.find(f"{_W}output") is None:
            place = self._files[id(port_type)].place(abstract)
            raise _BadOperation(
                f"it has no answer (one-way, {place}), so that nobody would know what became of the act",
                f"لا جواب لها (باتجاه واحد، {place})، فلا يُعرف ما آل إليه الفعل",
            )
        documentation = " ".join(str(abstract.xpath("string(*[local-name()='documentation'])")).split())
        return SoapOperation(
            name,
            style,
            self._message(name, node, abstract, style, "input"),
            self._message(f"{name}Response", node, abstract, style, "output"),
            documentation,
            self._place(node),
            mtom_of(self._wsdls, node.getparent().get("name") or "", name) is not Mtom.NO,
        )

    def _message(self, wrapper: str, node: Any, abstract: Any, style: str, side: str) -> Message:
        described = abstract.find(f"{_W}{side}")
        if described is None:
            return Message(None, ())
        message = self._named("message", described, "message")
        if message is None:
            said = described.get("message")
            raise _BadOperation(f"there is no message {said}", f"لا توجد رسالة {said}", abstract)
        bound = node.find(f"{_W}{side}")
        body = None if bound is None else next((each for each in bound.iter() if _is_body(each)), None)
        parts = [self._part(part) for part in message.iterfind(f"{_W}part")]
        wanted = None if body is None else body.get("parts")
        headers = set() if bound is None else {h.get("part") for h in bound.iter() if str(h.tag).endswith("}header")}
        if wanted is not None:
            parts = [part for part in parts if part.name in wanted.split()]
        elif len(parts) > 1 and style == "document":
            parts = [part for part in parts if part.name not in headers]
        if style == "document":
            return Message(None, self._one_element(parts))
        namespace = None if body is None else body.get("namespace")
        return Message(clark(namespace, wrapper), tuple(parts))

    @staticmethod
    def _one_element(parts: list[Part]) -> tuple[Part, ...]:
        if len(parts) > 1:
            raise _BadOperation("its body has several parts", "لجسم رسالتها أجزاء عدة")
        return tuple(parts)

    def _part(self, node: Any) -> Part:
        part = Part(node.get("name") or "", _qname(node, "element"), _qname(node, "type"))
        if part.element is not None and self._schemas.find("element", part.element) is None:
            said = part.element
            raise _BadOperation(f"the schemas have no element {said}", f"لا عنصر {said} في المخططات", node.getparent())
        if part.element is None and part.type is None:
            said = part.name
            raise _BadOperation(
                f"the part {said} has neither element nor type", f"الجزء {said} بلا عنصر ولا نوع", node.getparent()
            )
        return part

    def _named(self, kind: str, node: Any, attribute: str) -> Any:
        name = _qname(node, attribute)
        return None if name is None else self._found.get((kind, name))


def _qname(node: Any, attribute: str) -> str | None:
    value = node.get(attribute)
    if value is None:
        return None
    prefix, _, local = value.strip().rpartition(":")
    return clark(node.nsmap.get(prefix or None), local)


def _version(node: Any) -> str:
    if not isinstance(node.tag, str):
        return ""
    return SOAP_BINDINGS.get(node.tag[1:].partition("}")[0], "")


def _address(port: Any) -> tuple[str, str]:
    for child in port:
        if _version(child):
            return _version(child), _readable(child.get("location") or "")
    return "", ""


def _readable(location: str) -> str:
    with suppress(ValueError):
        urlsplit(location)  # "http://[::1/" is no address
        return location
    return ""


def _is_body(node: Any) -> bool:
    return bool(_version(node)) and str(node.tag).endswith("}body")

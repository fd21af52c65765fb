"""The two wires that declarative connectors speak, behind one face: render, wrap, read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from connectors.kit import rest
from connectors.kit.contract import Ports
from connectors.kit.errors import ConnectorError, MappingFailed, Unreadable
from connectors.kit.hooks import Hooks, load_hooks
from connectors.kit.http import HttpAnswer, HttpRequest
from connectors.kit.manifest import ManifestError
from connectors.kit.package import Package
from connectors.kit.related import Attached
from connectors.kit.rest import RestMessage
from connectors.kit.soap import Addressing, Encoding, SoapCodec, check_relation, new_message_id
from connectors.kit.soap_security import soap_security
from connectors.kit.wsdl import load_wsdl
from mappings.expression import Expression
from mappings.functions import MappingFunctions


class TokenRejected(ConnectorError):
    """The counterparty refused the access token; never leaves the connector."""

    code = "upstream_authentication"
    maybe_delivered = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP Fault, with the code and the words that the manifest's expressions found in it."""

    code: str
    message: str
    opens_at: str = ""  #: RFC 3339: from when on it works again, of one that says that the institution is closed.


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says, before the codes are looked up."""

    body: Mapping[str, Any]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A rendered request and the bytes that identify it."""

    content: RestMessage
    hashed: bytes
    operation: str
    header: str = ""  #: SOAP headers that the mapping filled.
    attached: tuple[Attached, ...] = ()  #: What the message includes and does not hold.


class Wire(Protocol):
    """How one kind of connector writes and reads."""

    def open(self) -> None:
        """Read what the wire needs of the package's contract; else the first message does. Raises ManifestError."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the contract goes another way than the compiled one, a sentence each."""

    def streams(self, operation: str) -> bool:
        """Whether an upload may be given as such: it is sent piece by piece and is never text. Raises ManifestError."""

    def render(self, operation: str, parts: Mapping[str, Any]) -> WireMessage:
        """The message of these mapping sections. Raises ValueError, without a value in its message."""

    def request(self, message: WireMessage, masked: WireMessage) -> HttpRequest:
        """The HTTP request; `masked` is what evidence keeps."""

    def read(self, operation: str, answer: HttpAnswer, message_id: str = "") -> Said:
        """What the answer says. Raises Unreadable or ServerFailed.

        `message_id` is that of the request; without it nobody asks whether the answer names it.
        """


class RestWire:
    """JSON over HTTP."""

    def __init__(self, package: Package, _: Ports) -> None:
        declared = package.manifest.operations.items()
        self._wires = {name: (*operation.method_and_path(), operation.lists) for name, operation in declared}

    def open(self) -> None:
        """See Wire; there is nothing to read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """See Wire."""
        return ()

    def streams(self, operation: str) -> bool:  # noqa: ARG002  # SOAP needs it
        """See Wire; JSON holds text."""
        return False

    def render(self, operation: str, parts: Mapping[str, Any]) -> WireMessage:
        """See Wire."""
        method, path, lists = self._wires[operation]
        content = rest.render(method, path, parts, lists)
        return WireMessage(content, f"{content.method} {content.path}\n".encode() + content.body, operation)

    def request(self, message: WireMessage, masked: WireMessage) -> HttpRequest:
        """See Wire."""
        return message.content.to_send(masked.content.evidence)

    def read(self, operation: str, answer: HttpAnswer, message_id: str = "") -> Said:  # noqa: ARG002  # SOAP needs them
        """See Wire."""
        return Said(rest.read(answer))


class SoapWire:
    """SOAP, document/literal."""

    def __init__(self, package: Package, ports: Ports) -> None:
        """Raises ManifestError and SettingError; the WSDL is read by `open`, or by the first message."""
        soap = package.manifest.soap
        assert soap is not None  # the manifest's checks say so
        self._path = soap.path
        self._package, self._soap = package, soap
        self._fault_code = _expression(package, "fault_code", soap.fault_code)
        self._fault_message = _expression(package, "fault_message", soap.fault_message)
        self._fault_opens_at = _expression(package, "fault_opens_at", soap.fault_opens_at)
        self._security = soap_security(package.manifest, ports)
        self._address = Addressing(f"{ports.settings['base_url']}{soap.path}")

    @cached_property
    def _codec(self) -> SoapCodec:
        contract = load_wsdl(self._package.folder, self._package.manifest, self._soap)
        return SoapCodec(contract, Encoding(self._soap.encoding))

    def open(self) -> None:
        """See Wire."""
        _ = self._codec

    @property
    def notes(self) -> tuple[str, ...]:
        """See Wire."""
        return self._codec.notes

    def streams(self, operation: str) -> bool:
        """See Wire."""
        declared = self._codec.operations[operation]
        return declared.mtom and declared.binary

    def render(self, operation: str, parts: Mapping[str, Any]) -> WireMessage:
        """See Wire. The header is made when the message is sent: its nonce and time are new each time."""
        body, attached = self._codec.content(operation, parts.get("body") or {})
        content = RestMessage("POST", self._path, self._codec.headers(operation), body)
        header = self._codec.header(operation, parts["header"]) if parts.get("header") else b""
        hashed = b"\n".join((operation.encode(), header + body))
        return WireMessage(content, hashed, operation, header.decode(), attached)

    def request(self, message: WireMessage, masked: WireMessage) -> HttpRequest:
        """See Wire."""
        content, security = message.content, self._security
        message_id = new_message_id() if self._codec.addressed else ""
        action = self._codec.operations[message.operation].addressing.request
        addressing = self._address(action, message_id) if message_id else ""
        body = security.seal(self._codec.envelope(content.body, security.header() + addressing + message.header))
        evidence = body
        if security.secret or masked.hashed != message.hashed:
            header = security.masked() + addressing + masked.header
            evidence = self._codec.envelope(masked.content.body, header)
        request = HttpRequest("POST", content.path, content.headers, body, evidence, message_id=message_id)
        related = self._codec.related(message.operation, message.attached)
        if related is None:
            return request
        headers = {**content.headers, "Content-Type": related.content_type}
        return replace(request, headers=headers, evidence=evidence + related.evidence(), related=related)

    def read(self, operation: str, answer: HttpAnswer, message_id: str = "") -> Said:
        """See Wire."""

        def verify(envelope: Any) -> None:
            self._security.verify(envelope)
            if message_id:
                check_relation(envelope, message_id)

        said = self._codec.read(operation, answer, verify)
        if said.fault is None:
            return Said(said.body)
        context = {"fault": said.fault}
        told = (self._fault_code, self._fault_message, self._fault_opens_at)
        return Said({}, Fault(*(_told(expression, context) for expression in told)))


class HookedWire:
    """A wire whose messages go through the package's own code."""

    def __init__(self, wire: Wire, hooks: Hooks) -> None:
        self._wire, self._hooks = wire, hooks

    def open(self) -> None:
        """See Wire."""
        self._wire.open()

    @property
    def notes(self) -> tuple[str, ...]:
        """See Wire."""
        return self._wire.notes

    def streams(self, operation: str) -> bool:
        """See Wire."""
        return self._wire.streams(operation)

    def render(self, operation: str, parts: Mapping[str, Any]) -> WireMessage:
        """See Wire."""
        return self._wire.render(operation, parts)

    def request(self, message: WireMessage, masked: WireMessage) -> HttpRequest:
        """See Wire. Raises MappingFailed for whatever the hook raises."""
        request = self._wire.request(message, masked)
        try:
            return self._hooks.before_send(message.operation, request)
        except Exception as error:
            raise MappingFailed(f"the hook before_send failed ({type(error).__name__})") from error

    def read(self, operation: str, answer: HttpAnswer, message_id: str = "") -> Said:
        """See Wire. Raises Unreadable for whatever the hook raises."""
        try:
            body = self._hooks.after_receive(operation, answer.body)
        except Exception as error:
            what = f"the hook after_receive failed ({type(error).__name__})"
            raise Unreadable(what, exchange=answer.exchange) from error
        return self._wire.read(operation, replace(answer, body=body), message_id)


def wire_of(package: Package, ports: Ports) -> Wire:
    """The wire that the package's manifest names, with the package's hooks. Raises ManifestError and SettingError."""
    wire: Wire = SoapWire(package, ports) if package.manifest.kind == "soap" else RestWire(package, ports)
    hooks = load_hooks(package.folder)
    return wire if hooks is None else HookedWire(wire, hooks)


def _expression(package: Package, key: str, text: str) -> Expression:
    try:
        return Expression(text, MappingFunctions(package.codes.tables))
    except ValueError as error:
        raise ManifestError(f"{package.name}/manifest.toml", f"soap.{key}", str(error)) from error


def _told(expression: Expression, context: Mapping[str, Any]) -> str:
    """What the expression finds in a fault; nothing when the fault is of another form, and no code is ever final."""
    try:
        return str(expression(context) or "")
    except ValueError:
        return ""

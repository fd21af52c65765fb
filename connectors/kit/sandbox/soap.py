"""A sandbox's SOAP side: messages understood and answered by the package's WSDL."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from connectors.kit.manifest import Manifest
from connectors.kit.sample_values import SchemaSet, XsdSamples
from connectors.kit.sandbox.addressing import addressing_problem, related
from connectors.kit.sandbox.callers import Callers
from connectors.kit.sandbox.document import Fault, SandboxDocument
from connectors.kit.sandbox.institution import XML, Answer, Demand, Desk, Heard, NotUnderstoodError
from connectors.kit.sandbox.mtom import is_mtom, without_attachments
from connectors.kit.sandbox.security import WSSE
from connectors.kit.sandbox.steps import Spoken
from connectors.kit.soap.addressing import WSA
from connectors.kit.soap.parsing import parse
from connectors.kit.wsdl import SOAP11, Message, WsdlOperation, load_wsdl
from connectors.kit.wsdl.contract import encoded

_NOT_UNDERSTOOD = {
    "NOT_SOAP": Fault("the message is no XML", "soap:Client"),
    "VERSION_MISMATCH": Fault("the message is no SOAP envelope of this version", "soap:VersionMismatch"),
    "FAILED_AUTHENTICATION": Fault("اسم المستخدم أو كلمة السر غير صحيحة", "wsse:FailedAuthentication"),
    "UNKNOWN_OPERATION": Fault("the WSDL has no such operation", "soap:Client"),
    "ACTION_MISMATCH": Fault("the action is not that of the body", "soap:Client"),
    "ADDRESSING_REQUIRED": Fault("a header of WS-Addressing is missing", "wsa:MessageAddressingHeaderRequired"),
    "INVALID_REQUEST": Fault("the body is not valid against the WSDL's schema", "soap:Client"),
    "MTOM_REQUIRED": Fault("this operation takes MTOM messages only", "soap:Client"),
    "MTOM_NOT_TAKEN": Fault("this operation takes no MTOM message", "soap:Client"),
    "BROKEN": Fault("خطأ داخلي", "soap:Server"),
}
_ACTION = re.compile(r'action\s*=\s*"([^"]*)"')


class SoapSide:
    """Hears and speaks one WSDL's port."""

    def __init__(self, manifest: Manifest, document: SandboxDocument, desk: Desk, callers: Callers) -> None:
        """Reads the WSDL. Raises ManifestError."""
        assert manifest.soap is not None  # the manifest's checks say so
        self._callers = callers
        self._detail = document.fault_detail
        self._faults = {**_NOT_UNDERSTOOD, **document.faults}
        self._contract = load_wsdl(desk.folder, manifest, manifest.soap)
        self._file = desk.folder / manifest.soap.wsdl
        self._wsdl = self._file.read_bytes()
        self._made: XsdSamples | None = None
        #: Only what is the one operation's: several may share an element of the body.
        self._by_tag: dict[str, str] = {}
        for name, operation in self._contract.operations.items():
            for tag in operation.request.tags:
                self._by_tag[tag] = "" if tag in self._by_tag else name
        self._namespace = next(iter(self._by_tag), "{}")[1:].partition("}")[0]
        self._envelope = f"{{{self._contract.envelope}}}"
        #: Whether the WSDL asks for attachments.
        self.mtom = self._contract.mtom
        #: Content type of answers.
        self.media_type = XML if self._contract.envelope == SOAP11 else "application/soap+xml; charset=utf-8"
        head = (
            f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{self._contract.envelope}"><soap:Body>'
        )
        self._head, self._tail = head.encode(), b"</soap:Body></soap:Envelope>"
        self._standing: dict[tuple[str, int], Answer] = {}
        self._proven: set[tuple[str, ...]] = set()

    def hear(self, heard: Heard) -> Demand:
        """Read the envelope, check who speaks, and validate the body. Raises NotUnderstoodError with a Fault."""
        if heard.method == "GET":
            raise NotUnderstoodError(Answer(self._wsdl, content_type=XML))
        kind = heard.headers.get("Content-Type", "")
        try:
            if is_mtom(kind):
                heard = replace(heard, body=without_attachments(kind, heard.body))
            envelope = parse(heard.body)
        except ValueError:
            raise self._refused("NOT_SOAP") from None
        body = envelope.find(f"{self._envelope}Body")
        if envelope.tag != f"{self._envelope}Envelope" or body is None:
            raise self._refused("VERSION_MISMATCH")
        header = envelope.find(f"{self._envelope}Header")
        if not self._callers.trusts(envelope, header):
            raise self._refused("FAILED_AUTHENTICATION")
        nodes, action = list(body), _action(heard)
        name = self._operation(nodes, action)
        if name is None:
            raise self._refused("UNKNOWN_OPERATION")
        operation = self._contract.operations[name]
        if action not in ("", operation.action):
            raise self._refused("ACTION_MISMATCH")
        if operation.mtom != is_mtom(kind):
            raise self._refused("MTOM_REQUIRED" if operation.mtom else "MTOM_NOT_TAKEN")
        if self._contract.addressing and (problem := addressing_problem(header, operation)):
            raise self._refused(problem)
        return Demand(name, heard, {"body": self._read(operation, nodes)})

    def _operation(self, nodes: list[Any], action: str) -> str | None:
        """By the body's element; where that says nothing (no part, several parts) also by the action."""
        found = self._by_tag.get(nodes[0].tag) if len(nodes) == 1 else None
        if found:
            return found
        fitting = [name for name, operation in self._contract.operations.items() if operation.request.fits(nodes)]
        by_action = [name for name in fitting if self._contract.operations[name].action == action]
        return next(iter(by_action or fitting), None)

    def _read(self, operation: WsdlOperation, nodes: list[Any]) -> Mapping[str, Any]:
        message = operation.request
        try:
            if message.checked:
                for node in nodes:
                    self._contract.judge(node, "request")
            return message.read(nodes)
        except ValueError:
            raise self._refused("INVALID_REQUEST") from None

    def speak(self, operation: str, spoken: Spoken) -> Answer:
        """The answer's bytes. Raises ValueError for a body that the WSDL has no place for."""
        if not spoken.standing:
            return self._written(operation, spoken)
        key = (operation, id(spoken))
        answer = self._standing.get(key)
        if answer is None:
            answer = self._standing[key] = self._written(operation, spoken)
        return answer

    def related(self, operation: str, answer: Answer, request: bytes) -> Answer:
        """The answer, saying which message it answers where the contract has WS-Addressing."""
        if not self._contract.addressing or answer.content_type != self.media_type:
            return answer
        return replace(
            answer, body=related(answer.body, request, self._contract.operations[operation].addressing.answer)
        )

    def broken(self) -> Answer:
        """A Fault that names no listed refusal."""
        return self._fault("BROKEN", None)

    def sample(self, operation: str) -> Answer:
        """An answer with values that the WSDL allows. Raises NoSample."""
        message = self._contract.operations[operation].response
        elements = [] if message is None else [self._samples().element(tag) for tag in sorted(message.tags)[:1]]
        inner = b"".join(etree.tostring(element, encoding="utf-8") for element in elements)
        return Answer(b"".join((self._head, inner, self._tail)), 200, self.media_type)

    def _samples(self) -> XsdSamples:
        if self._made is None:
            self._made = XsdSamples(SchemaSet.of_file(self._file))
        return self._made

    def _written(self, operation: str, spoken: Spoken) -> Answer:
        if spoken.fault is not None:
            return self._fault(spoken.fault, spoken.status, spoken.detail)
        message = self._contract.operations[operation].response
        inner = b"" if message is None else self._inner(message, (operation, *spoken.body), spoken.body)
        body = b"".join((self._head, inner, self._tail))
        return Answer(body, spoken.status or 200, self.media_type, spoken.headers)

    def _inner(self, message: Message, shape: tuple[str, ...], value: Mapping[str, Any]) -> bytes:
        """The body's content. The first of each shape is held against the schema: its author must see a mistake."""
        if shape in self._proven:
            return encoded(message.write(value))
        inner = self._contract.written(message, value, f"answer of {shape[0]}")
        self._proven.add(shape)
        return inner

    def _refused(self, code: str) -> NotUnderstoodError:
        return NotUnderstoodError(self._fault(code, None))

    def _fault(self, code: str, status: int | None, said: Mapping[str, Any] | None = None) -> Answer:
        """A Fault; HTTP 500, and 400 for what the sender did where the binding (SOAP 1.2) tells them apart.

        `said` is its detail; one that no rule gives says its code and text only.
        """
        fault = self._faults[code]
        detail = self._tree(_told(self._detail, {"code": code, "text": fault.text}) if said is None else said)
        older = self._contract.envelope == SOAP11
        text = self._fault11(fault, detail) if older else self._fault12(fault, detail)
        usual = 500 if older or fault.code == "soap:Server" else 400
        return Answer(self._head + text.encode() + self._tail, status or usual, self.media_type)

    @staticmethod
    def _fault11(fault: Fault, detail: str) -> str:
        inner = f"<detail>{detail}</detail>" if detail else ""
        return (
            f'<soap:Fault xmlns:wsse="{WSSE}" xmlns:wsa="{WSA}"><faultcode>{fault.code}</faultcode>'
            f"<faultstring>{escape(fault.text)}</faultstring>{inner}</soap:Fault>"
        )

    @staticmethod
    def _fault12(fault: Fault, detail: str) -> str:
        code = {"soap:Client": "soap:Sender", "soap:Server": "soap:Receiver"}.get(fault.code, fault.code)
        value = f"<soap:Value>{code}</soap:Value>"
        if code.startswith(("wsse:", "wsa:")):
            value = f"<soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>{code}</soap:Value></soap:Subcode>"
        return (
            f'<soap:Fault xmlns:wsse="{WSSE}" xmlns:wsa="{WSA}"><soap:Code>{value}</soap:Code>'
            f'<soap:Reason><soap:Text xml:lang="ar">{escape(fault.text)}</soap:Text></soap:Reason>'
            f"{f'<soap:Detail>{detail}</soap:Detail>' if detail else ''}</soap:Fault>"
        )

    def _tree(self, tree: Mapping[str, Any], *, inner: bool = False) -> str:
        """The detail as elements of the contract's namespace."""
        declared = "" if inner else f' xmlns:t="{self._namespace}"'
        parts = []
        for name, child in tree.items():
            content = self._tree(child, inner=True) if isinstance(child, Mapping) else escape(str(child))
            parts.append(f"<t:{name}{declared}>{content}</t:{name}>")
        return "".join(parts)


def _told(tree: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The detail with `code` and `text` in their places, and nothing where anything else is asked for."""
    found = {
        name: _told(child, values) if isinstance(child, Mapping) else values.get(child) for name, child in tree.items()
    }
    return {name: child for name, child in found.items() if child}


def _action(heard: Heard) -> str:
    """SOAPAction, or SOAP 1.2's parameter of the content type; empty when neither is there."""
    if (given := heard.headers.get("SOAPAction")) is not None:
        return given.strip('" ')
    found = _ACTION.search(heard.headers.get("Content-Type", ""))
    return found[1] if found else ""

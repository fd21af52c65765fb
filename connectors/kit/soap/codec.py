"""SOAP messages: envelopes written as text around a body that the schema has accepted."""

from collections.abc import Mapping
from typing import Any

from connectors.kit.http import HttpAnswer
from connectors.kit.related import Attached, Related
from connectors.kit.soap.answers import AnswerReader, SoapAnswer, Verify, trusting
from connectors.kit.soap.encoding import Encoding
from connectors.kit.soap.xop import included
from connectors.kit.wsdl import SOAP11, WsdlContract, WsdlOperation
from connectors.kit.wsdl.contract import encoded
from connectors.kit.xsd_codec.taken import taking_out

_WITH_ATTACHMENTS = 'multipart/related; type="application/xop+xml"'


class SoapCodec:
    """The messages of one WSDL."""

    def __init__(self, contract: WsdlContract, encoding: Encoding | None = None) -> None:
        self._contract = contract
        self._answers = AnswerReader(contract, encoding or Encoding())
        head = f'<soap:Envelope xmlns:soap="{contract.envelope}">'
        self._head_and_body = f"{head}<soap:Body>".encode()
        self._head_and_header = f"{head}<soap:Header>"
        self._http_headers = {name: self._http(operation) for name, operation in contract.operations.items()}

    @property
    def operations(self) -> Mapping[str, WsdlOperation]:
        """The operations by the connector's own names."""
        return self._contract.operations

    @property
    def addressed(self) -> bool:
        """Whether the port asks for WS-Addressing headers."""
        return self._contract.addressing

    @property
    def notes(self) -> tuple[str, ...]:
        """What goes another way than the compiled one, a sentence each."""
        return self._contract.notes

    def body(self, operation: str, children: Mapping[str, Any]) -> bytes:
        """What stands in the body, valid against the schema. Raises ValueError, with no value in its message."""
        return self._contract.written(self._contract.operations[operation].request, children)

    def content(self, operation: str, children: Mapping[str, Any]) -> tuple[bytes, tuple[Attached, ...]]:
        """The same, and what is sent beside it: of an operation that goes as MTOM its binary content."""
        if not self._contract.operations[operation].mtom:
            return self.body(operation, children), ()
        with taking_out() as taken:
            raw = self.body(operation, children)
        return included(raw, taken)

    def related(self, operation: str, attached: tuple[Attached, ...]) -> Related | None:
        """How the message goes out with its attachments; None for one that goes alone."""
        declared = self._contract.operations[operation]
        if not declared.mtom:
            return None
        if self._contract.envelope == SOAP11:
            return Related("text/xml", "", attached)
        return Related("application/soap+xml", declared.action, attached)

    def header(self, operation: str, values: Mapping[str, Any]) -> bytes:
        """The declared headers of an operation, by local name, valid against the schema. Raises ValueError."""
        codecs = self._contract.operations[operation].request_headers
        if unknown := set(values) - set(codecs):
            raise ValueError(f"the operation has no header {', '.join(sorted(unknown))}")
        raw = b"".join(encoded(codecs[name].write(values[name])) for name in codecs if name in values)
        self._contract.judge_text(raw, "message's header")
        return raw

    def envelope(self, body: bytes, header: str = "") -> bytes:
        """The whole message; `header` is XML that uses the prefix `soap`."""
        if not header:
            return b"".join((self._head_and_body, body, b"</soap:Body></soap:Envelope>"))
        opening = f"{self._head_and_header}{header}</soap:Header><soap:Body>".encode()
        return b"".join((opening, body, b"</soap:Body></soap:Envelope>"))

    def headers(self, operation: str) -> dict[str, str]:
        """The HTTP headers of the operation's message."""
        return self._http_headers[operation]

    def _http(self, operation: WsdlOperation) -> dict[str, str]:
        media_type = "text/xml" if self._contract.envelope == SOAP11 else "application/soap+xml"
        # to a request that is no MTOM itself and does not say so, JAX-WS answers without attachments
        asked = {"Accept": f"{_WITH_ATTACHMENTS}, {media_type}"} if self._contract.mtom or operation.mtom else {}
        if self._contract.envelope == SOAP11:
            return {"Content-Type": f"{media_type}; charset=utf-8", "SOAPAction": f'"{operation.action}"', **asked}
        return {"Content-Type": f'{media_type}; charset=utf-8; action="{operation.action}"', **asked}

    def read(self, operation: str, answer: HttpAnswer, verify: Verify = trusting) -> SoapAnswer:
        """See AnswerReader."""
        return self._answers.read(self._contract.operations[operation], answer, verify)


__all__ = ["SoapAnswer", "SoapCodec"]

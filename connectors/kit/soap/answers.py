"""SOAP answers, read with suspicion.

An answer counts only when its body's elements are the operation's and each is valid against the WSDL's schema. The
evidence keeps the bytes, and no error repeats a value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.errors import ServerFailed, Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.soap.encoding import Encoding
from connectors.kit.soap.faults import read_fault
from connectors.kit.soap.parsing import parse
from connectors.kit.soap.xop import NOTHING_INCLUDED, Includes
from connectors.kit.wsdl import SOAP11, WsdlContract, WsdlOperation

Verify = Callable[[Any], None]


def trusting(_: Any) -> None:
    """Answers need no signature."""


@dataclass(frozen=True, slots=True)
class SoapAnswer:
    """What stood in the body: the children of the operation's element, or a fault."""

    body: Mapping[str, Any]
    fault: Mapping[str, Any] | None = None  #: `{"code", "text", "detail"}`
    header: Mapping[str, Any] = field(default_factory=dict)  #: The headers that the WSDL declares, by local name.


class AnswerReader:
    """Reads the answers of one contract."""

    def __init__(self, contract: WsdlContract, encoding: Encoding) -> None:
        self._contract = contract
        self._encoding = encoding
        self._media_types = (
            frozenset({"text/xml", "application/xml"})
            if contract.envelope == SOAP11
            else frozenset({"application/soap+xml"})
        )
        tags = (f"{{{contract.envelope}}}{name}" for name in ("Envelope", "Header", "Body", "Fault"))
        self._envelope, self._header, self._body, self._fault = tags

    def read(self, operation: WsdlOperation, answer: HttpAnswer, verify: Verify = trusting) -> SoapAnswer:
        """What the answer says. Raises ServerFailed for 5xx without a SOAP message, else Unreadable; bytes are kept.

        `verify` is given the envelope's element and raises ValueError for one that is not well signed; what it has
        accepted is the very tree that is read.
        """
        try:
            return self._read(operation, answer, verify)
        except ValueError as error:
            if answer.status >= 500:
                raise ServerFailed(f"HTTP {answer.status} without a SOAP message", exchange=answer.exchange) from error
            raise Unreadable(f"HTTP {answer.status}: {error}", exchange=answer.exchange) from error

    def _read(self, operation: WsdlOperation, answer: HttpAnswer, verify: Verify) -> SoapAnswer:
        if operation.response is None and not answer.body and 200 <= answer.status < 300:
            return SoapAnswer({})
        if answer.media_type not in self._media_types:
            raise ValueError("the content type is not that of SOAP")
        root = parse(self._encoding.in_utf8(answer.body, answer.charset))
        header, nodes = self._parts(root)
        verify(root)
        if len(nodes) == 1 and nodes[0].tag == self._fault:
            return SoapAnswer({}, read_fault(nodes[0], self._contract.envelope))
        if not 200 <= answer.status < 300:
            raise ValueError("neither success nor a fault")
        includes = Includes.take(root, answer.attachments) if answer.attachments else NOTHING_INCLUDED
        body = self._read_body(operation, nodes, includes)
        return SoapAnswer(body, None, {} if header is None else self._read_header(operation, header, includes))

    def _parts(self, root: Any) -> tuple[Any, list[Any]]:
        """The header, or None, and the body's elements."""
        if root.tag != self._envelope:
            raise ValueError("the answer is no SOAP envelope of this version")
        *before, body = root if len(root) else (root,)
        if body.tag != self._body or (before and [child.tag for child in before] != [self._header]):
            raise ValueError("the envelope has not exactly one body, with at most a header before it")
        text = body.text
        if text is not None and text.strip():
            raise ValueError("the body has text beside its elements")
        return before[0] if before else None, list(body)

    def _read_body(self, operation: WsdlOperation, nodes: Sequence[Any], includes: Includes) -> Mapping[str, Any]:
        message = operation.response
        if message is None:
            if nodes:
                raise ValueError("an answer came to a one-way operation")
            return {}
        if not message.fits(nodes):
            raise ValueError("the body's element is not the operation's answer")
        if message.checked:
            for node in nodes:
                self._contract.judge(node, "answer")
        includes.mark()
        return message.read(nodes, includes.parts)

    def _read_header(self, operation: WsdlOperation, header: Any, includes: Includes) -> dict[str, Any]:
        """The declared headers. One that is not valid is an error; others are nobody's business here."""
        codecs = {codec.tag: (name, codec) for name, codec in operation.response_headers.items()}
        found = {}
        for node in header:
            if node.tag in codecs:
                self._contract.judge(node, "answer's header")
                name, codec = codecs[node.tag]
                found[name] = codec.read(node, includes.parts)
        return found

"""SOAP messages: envelopes written around a body that the schema has accepted, and answers read with suspicion.

An answer counts only when its body element is the operation's and the whole body is valid against the WSDL's schema.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.kit.errors import ServerFailed, Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.wsdl import SOAP11, WsdlContract, WsdlOperation

_DECLARED_ENCODING = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MEDIA_TYPES = {"text/xml", "application/xml"}
_FAULT_LEVELS = 8
_MAX_ATTRIBUTES = 10_000  #: libxml2 has no limit of its own, and reports each one that the schema does not know.

#: One parser for all answers: no entity is expanded, nothing is loaded, and libxml2's limits on depth and size stay on.
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
    remove_comments=True, remove_pis=True, recover=False,
)  # fmt: skip


def _trusting(_: Any) -> None:
    """Answers need no signature."""


@dataclass(frozen=True, slots=True)
class SoapAnswer:
    """What stood in the body: the operation's element, or a fault."""

    body: Mapping[str, Any]
    fault: Mapping[str, Any] | None = None  #: `{"code", "text", "detail"}`


class SoapCodec:
    """The messages of one WSDL."""

    def __init__(self, contract: WsdlContract) -> None:
        self._contract = contract
        self._version11 = contract.envelope == SOAP11
        self._head = f'<soap:Envelope xmlns:soap="{contract.envelope}">'
        self._tag = {name: f"{{{contract.envelope}}}{name}" for name in ("Envelope", "Header", "Body", "Fault")}

    @property
    def operations(self) -> Mapping[str, WsdlOperation]:
        """The operations by the connector's own names."""
        return self._contract.operations

    def body(self, operation: str, children: Mapping[str, Any]) -> bytes:
        """The body's element, valid against the schema. Raises ValueError, with no value in its message."""
        element = self._contract.operations[operation].request.build(children)
        if not self._contract.schema.validate(element):
            raise ValueError(f"the schema refuses it: {self._first_error()}")
        return etree.tostring(element, encoding="utf-8")

    def envelope(self, body: bytes, header: str = "") -> bytes:
        """The whole message; `header` is XML that uses the prefix `soap`."""
        opening = (
            f"{self._head}<soap:Header>{header}</soap:Header><soap:Body>" if header else f"{self._head}<soap:Body>"
        )
        return b"".join((opening.encode(), body, b"</soap:Body></soap:Envelope>"))

    def headers(self, operation: str) -> dict[str, str]:
        """The HTTP headers of the operation's message."""
        action = self._contract.operations[operation].action
        if self._version11:
            return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}

    def read(self, operation: str, answer: HttpAnswer, verify: Callable[[Any], None] = _trusting) -> SoapAnswer:
        """What the answer says. Raises ServerFailed for 5xx without a SOAP message, else Unreadable; bytes are kept.

        `verify` is given the envelope's element and raises ValueError for one that is not well signed; what it has
        accepted is the very tree that is read.
        """
        try:
            return self._read(self._contract.operations[operation], answer, verify)
        except ValueError as error:
            if answer.status >= 500:
                raise ServerFailed(f"HTTP {answer.status} without a SOAP message", exchange=answer.exchange) from error
            raise Unreadable(f"HTTP {answer.status}: {error}", exchange=answer.exchange) from error

    def _read(self, operation: WsdlOperation, answer: HttpAnswer, verify: Callable[[Any], None]) -> SoapAnswer:
        self._check_wrapping(answer)
        root = _parse(answer.body)
        element = self._body_element(root)
        verify(root)
        if element.tag == self._tag["Fault"]:
            return SoapAnswer({}, self._fault(element))
        if not 200 <= answer.status < 300:
            raise ValueError("neither success nor a fault")
        if element.tag != operation.response.tag:
            raise ValueError("the body's element is not the operation's answer")
        if not self._contract.schema.validate(element):
            raise ValueError(f"the schema refuses the answer: {self._first_error()}")
        return SoapAnswer(operation.response.read(element))

    def _check_wrapping(self, answer: HttpAnswer) -> None:
        wanted = _MEDIA_TYPES if self._version11 else {"application/soap+xml"}
        if answer.media_type not in wanted:
            raise ValueError("the content type is not that of SOAP")
        if answer.charset not in {"", "utf-8", "utf8", "us-ascii"}:
            raise ValueError("the charset is not UTF-8")

    def _body_element(self, root: Any) -> Any:
        if root.tag != self._tag["Envelope"]:
            raise ValueError("the answer is no SOAP envelope of this version")
        bodies = [child for child in root if child.tag == self._tag["Body"]]
        if len(bodies) != 1 or len(bodies[0]) != 1 or len(root) > 2:
            raise ValueError("the envelope has not exactly one body with one element")
        return bodies[0][0]

    def _fault(self, element: Any) -> dict[str, Any]:
        if self._version11:
            parts = {child.tag: child for child in element}
            code, text, detail = (parts.get(name) for name in ("faultcode", "faultstring", "detail"))
        else:
            tag = f"{{{self._contract.envelope}}}"
            code = next(iter(reversed(list(element.iterfind(f"{tag}Code//{tag}Value")))), None)
            text, detail = element.find(f"{tag}Reason/{tag}Text"), element.find(f"{tag}Detail")
        if code is None:
            raise ValueError("the fault has no code")
        tree = {} if detail is None else _plain(detail, 0)
        return {
            "code": _text(code).rpartition(":")[2],
            "text": _text(text),
            "detail": tree if isinstance(tree, dict) else {},
        }

    def _first_error(self) -> str:
        """Kind and place of the schema's first error; libxml2's own words contain the value, which may be personal."""
        log: Any = self._contract.schema.error_log
        first = next(iter(log), None)
        if first is None:
            return "unknown"
        path = "/".join(re.sub(r"^[^:]*:", "", step) for step in (first.path or "").split("/"))
        return f"{first.type_name} at {path}"


def _parse(raw: bytes) -> Any:
    if not raw:
        raise ValueError("the answer is empty")
    if not raw.lstrip(b" \t\r\n").startswith(b"<") or b"\0" in raw:
        raise ValueError("the answer is not XML in UTF-8 without BOM")
    if b"<!DOCTYPE" in raw:
        raise ValueError("the answer has a DOCTYPE")
    if raw.count(b"=") > _MAX_ATTRIBUTES:
        raise ValueError("the answer has too many attributes")
    declared = _DECLARED_ENCODING.match(raw)
    if declared is not None and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise ValueError("the declared encoding is not UTF-8")
    try:
        return etree.fromstring(raw, _PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"the answer is not well-formed XML (line {error.lineno})") from None


def _plain(element: Any, level: int) -> Any:
    """A fault's detail as nested dicts by local names; of repeated names the first, and not deeper than a limit."""
    if len(element) == 0 or level == _FAULT_LEVELS:
        return _text(element)
    result: dict[str, Any] = {}
    for child in element:
        if isinstance(child.tag, str):
            result.setdefault(child.tag.rpartition("}")[2], _plain(child, level + 1))
    return result


def _text(element: Any) -> str:
    return "" if element is None else (element.text or "").strip()

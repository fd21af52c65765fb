"""Compiles the operations of one binding, document and rpc style. What is encoded is left to zeep, and said."""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree
from zeep import xsd

from connectors.kit.wsdl.contract import ElementMessage, Message, PartsMessage, WsdlOperation
from connectors.kit.wsdl.policy import actions_of
from connectors.kit.wsdl.schemas import XSD_NAMESPACE, Documents
from connectors.kit.wsdl.zeep_messages import ZeepMessage
from connectors.kit.xsd_codec import CodecCompiler, ElementCodec, UnsupportedSchema

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_MIXED = "of mixed content #text is the whole text, also the children's; where it stood between them is not kept"
_SOAP_BODIES = ("{http://schemas.xmlsoap.org/wsdl/soap/}body", "{http://schemas.xmlsoap.org/wsdl/soap12/}body")


class OperationCompiler:
    """Compiles operations of one binding; call `schema` first."""

    def __init__(self, document: Any, documents: Documents, binding: Any, *, typed: bool = False) -> None:
        self._document = document
        self._typed = typed
        self._documents = documents
        self._binding = binding.name.localname
        self._encoded = _encoded_operations(documents.wsdls, self._binding)
        self._compiler = CodecCompiler(document.types, documents.facts(), typed=typed)
        self._declared: set[str] = set()

    def schema(self, operations: Iterable[Any]) -> tuple[etree.XMLSchema | None, str]:
        """The schema of everything and of the wrappers that rpc invents; None and why when libxml2 refuses it."""
        facts = self._documents.facts()
        self._declared = {element.qname.text for element in self._document.types.elements}
        extra = list(self._wrappers(operations))
        try:
            return self._documents.compile(extra), ""
        except etree.XMLSchemaParseError as error:
            problem = " ".join(str(error).split())
        self._compiler = CodecCompiler(self._document.types, facts, careful=True, typed=self._typed)
        return None, problem

    def operation(self, operation: Any, notes: list[str]) -> WsdlOperation:
        """The operation. What the compiled way does not cover goes through zeep, and into `notes`."""
        try:
            self._refuse_encoded(operation)
            request = self._message(operation, operation.input, answer=False)
            response = self._message(operation, operation.output, answer=True)
        except UnsupportedSchema as error:
            notes.append(f"{operation.name} goes through zeep, which is slower and checks names only: {error}")
            request = self._through_zeep(operation.input, operation.style)
            response = None if operation.output is None else self._through_zeep(operation.output, operation.style)
        if any(not letter.isprintable() for letter in operation.soapaction or ""):
            raise UnsupportedSchema("a soapAction with a control character")
        if request.mixed or (response is not None and response.mixed):
            notes.append(f"{operation.name}: {_MIXED}")
        return WsdlOperation(
            operation.name,
            operation.soapaction or "",
            request,
            response,
            self._headers(operation.input),
            self._headers(operation.output),
            actions_of(self._documents.wsdls, self._binding, operation.name, operation.soapaction or ""),
            binary=request.binary,
        )

    def _through_zeep(self, message: Any, style: str) -> ZeepMessage:
        return ZeepMessage(self._document, message, style)

    def _refuse_encoded(self, operation: Any) -> None:
        if operation.name in self._encoded:
            raise UnsupportedSchema("rpc/encoded messages")

    def _message(self, operation: Any, message: Any, *, answer: bool) -> Any:
        if message is None:
            return None if answer else PartsMessage({})
        if message.body is None:
            return PartsMessage({})
        if operation.style == "rpc":
            return self._rpc(operation, message, answer=answer)
        if message._is_body_wrapped:  # noqa: SLF001  # zeep's only mark of several parts
            parts = [element for _, element in message.body.type.elements]
            return PartsMessage({element.name: self._element(element) for element in parts})
        return ElementMessage(self._element(message.body))

    def _rpc(self, operation: Any, message: Any, *, answer: bool) -> Message:
        body = message.body
        if not answer:
            return ElementMessage(self._element(body))
        # WS-I Basic Profile 1.1, R2729: the operation's name and "Response"; others use the message's name
        tag = etree.QName(body.qname.namespace, f"{operation.name}Response")
        element: Any = xsd.Element(tag, body.type)  # type: ignore[no-untyped-call]  # zeep has few types
        return ElementMessage(self._element(element), frozenset({body.qname.text}))

    def _element(self, element: Any) -> ElementCodec:
        return self._compiler.element(element)

    def _headers(self, message: Any) -> Mapping[str, ElementCodec]:
        header = getattr(message, "header", None)
        if header is None or not header.type._element:  # noqa: SLF001  # as zeep asks itself
            return {}
        found = {}
        for _, element in header.type.elements:
            try:
                found[element.name] = self._element(element)
            except UnsupportedSchema:
                continue
        return found

    def _wrappers(self, operations: Iterable[Any]) -> Iterable[tuple[str | None, str]]:
        """Declarations of elements that stand in a body and in no schema: rpc wrappers, and parts with a type."""
        for operation in operations:
            if operation.name in self._encoded:
                continue
            for message, answer in ((operation.input, False), (operation.output, True)):
                if message is None or message.body is None:
                    continue
                if operation.style == "rpc":
                    names = {message.body.qname.text}
                    if answer:
                        names |= {etree.QName(message.body.qname.namespace, f"{operation.name}Response").text}
                    for name in sorted(names):
                        yield from self._declaration(name, message.body.type)
                elif message._is_body_wrapped:  # noqa: SLF001  # see above
                    for _, element in message.body.type.elements:
                        yield from self._declaration(element.qname.text, element.type)
                else:
                    yield from self._declaration(message.body.qname.text, message.body.type)

    def _declaration(self, name: str, xsd_type: Any) -> Iterable[tuple[str | None, str]]:
        if name in self._declared:
            return
        self._declared.add(name)
        namespace, local = _split(name)
        target = f" targetNamespace={quoteattr(namespace)}" if namespace else ""
        if xsd_type.qname is not None or not isinstance(xsd_type, xsd.ComplexType):
            content = f"<xsd:element name={quoteattr(local)}{_type(xsd_type)}/>"
        else:
            inner = f"<xsd:complexType><xsd:sequence>{_parts(xsd_type)}</xsd:sequence></xsd:complexType>"
            content = f"<xsd:element name={quoteattr(local)}>{inner}</xsd:element>"
        yield namespace, f'<xsd:schema xmlns:xsd="{XSD_NAMESPACE}"{target}>{content}</xsd:schema>'


def _parts(wrapper: Any) -> str:
    return "".join(
        f"<xsd:element{_named('ref', element.qname)}/>"
        if element.is_global
        else f"<xsd:element name={quoteattr(element.name)}{_type(element.type)}/>"
        for _, element in wrapper.elements
    )


def _type(xsd_type: Any) -> str:
    return "" if xsd_type.qname is None else _named("type", xsd_type.qname)


def _named(attribute: str, qname: Any) -> str:
    if qname.namespace is None:
        return f" {attribute}={quoteattr(qname.localname)}"
    return f" xmlns:p={quoteattr(qname.namespace)} {attribute}={quoteattr('p:' + qname.localname)}"


def _split(name: str) -> tuple[str | None, str]:
    if not name.startswith("{"):
        return None, name
    namespace, _, local = name[1:].partition("}")
    return namespace, local


def _encoded_operations(wsdls: Iterable[Any], binding: str) -> frozenset[str]:
    return frozenset(
        operation.get("name", "")
        for root in wsdls
        for node in root.iter(f"{_WSDL}binding")
        if node.get("name") == binding
        for operation in node.iterchildren(f"{_WSDL}operation")
        if any(body.get("use") == "encoded" for body in operation.iter(*_SOAP_BODIES))
    )

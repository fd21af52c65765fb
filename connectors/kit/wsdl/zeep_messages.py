"""Messages that the compiled codec does not cover, written and read by zeep: SOAP encoding and its arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import zeep.exceptions
from lxml import etree
from zeep.wsdl.messages.multiref import process_multiref

from connectors.kit.wsdl.zeep_values import ZeepValues

_NO_PARTS: Mapping[str, bytes] = {}
_FAILURES = (
    zeep.exceptions.Error, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError
)  # fmt: skip


class ZeepMessage:
    """One direction of an operation, through zeep."""

    checked = False
    binary = False  #: zeep writes it inline.
    mixed = False  #: zeep reads no such text, and the note says that zeep reads.

    def __init__(self, document: Any, message: Any, style: str) -> None:
        self._schema = document.types
        self._values = ZeepValues(document.types)
        self._body = None if message is None else message.body
        self._rpc = style == "rpc"

    @property
    def tags(self) -> frozenset[str]:
        """See Message."""
        return frozenset() if self._body is None else frozenset({self._body.qname.text})

    def write(self, value: Mapping[str, Any]) -> str:
        """See Message."""
        if self._body is None:
            return ""
        parent = etree.Element("body")
        try:
            self._body.render(parent, self._values.to_zeep(value, self._body.type))
        except _FAILURES as error:
            raise ValueError(f"zeep cannot write it ({type(error).__name__})") from None
        return "".join(etree.tostring(child, encoding="unicode") for child in parent)

    def fits(self, nodes: Sequence[Any]) -> bool:
        """See Message. The wrapper of an rpc answer has no fixed name; its namespace has."""
        if self._body is None:
            return not nodes
        if not nodes:
            return False
        tag = etree.QName(nodes[0])
        if self._rpc:
            wanted = self._body.qname
            return bool(tag.namespace == wanted.namespace or tag.localname == wanted.localname)
        return bool(tag.text == self._body.qname.text)

    def read(self, nodes: Sequence[Any], parts: Mapping[str, bytes] = _NO_PARTS) -> dict[str, Any]:  # noqa: ARG002  # an encoded message has no attachments
        """See Message."""
        if self._body is None:
            return {}
        try:
            parent = nodes[0].getparent()
            if parent is not None:
                process_multiref(parent)  # type: ignore[no-untyped-call]  # zeep has few types
            value = self._values.from_zeep(self._body.parse(nodes[0], self._schema), self._body.type)
        except _FAILURES as error:
            raise ValueError(f"zeep cannot read it ({type(error).__name__})") from None
        return value if isinstance(value, dict) else {} if value is None else {"#text": value}

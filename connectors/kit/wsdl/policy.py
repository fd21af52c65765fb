"""What a WSDL asks for beyond its messages: WS-Addressing headers and MTOM."""

from collections.abc import Iterator, Sequence
from typing import Any

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_ADDRESSING = {
    "{http://www.w3.org/2006/05/addressing/wsdl}UsingAddressing",
    "{http://www.w3.org/2007/05/addressing/metadata}Addressing",
}
_MTOM = {"{http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization}OptimizedMimeSerialization"}
_REFERENCES = (
    "{http://schemas.xmlsoap.org/ws/2004/09/policy}PolicyReference",
    "{http://www.w3.org/ns/ws-policy}PolicyReference",
)
_ID = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id"


def asks_for_addressing(wsdls: Sequence[Any], binding: str, port: str | None) -> bool:
    """Whether the binding (or its port) carries the marker, itself or by a policy that it refers to."""
    return any(node.tag in _ADDRESSING for node in _marks(wsdls, binding, port))


def asks_for_mtom(wsdls: Sequence[Any], binding: str) -> bool:
    """Whether the binding's policy asks for optimised serialisation."""
    return any(node.tag in _MTOM for node in _marks(wsdls, binding, None))


def _marks(wsdls: Sequence[Any], binding: str, port: str | None) -> Iterator[Any]:
    policies = {node.get(_ID): node for root in wsdls for node in root.iter() if node.get(_ID)}
    for root in wsdls:
        places = [node for node in root.iter(f"{_WSDL}binding") if node.get("name") == binding]
        places += [node for node in root.iter(f"{_WSDL}port") if port is not None and node.get("name") == port]
        for place in places:
            yield from place
            for reference in place.iter(*_REFERENCES):
                policy = policies.get((reference.get("URI") or "").removeprefix("#"))
                if policy is not None:
                    yield from policy.iter()

"""What a WSDL asks for beyond its messages: WS-Addressing headers, with the names of actions, and MTOM."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from connectors.kit.wsdl.contract import Actions

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_ADDRESSING = {
    "{http://www.w3.org/2006/05/addressing/wsdl}UsingAddressing",
    "{http://www.w3.org/2007/05/addressing/metadata}Addressing",
}
_ACTION = (
    "{http://www.w3.org/2007/05/addressing/metadata}Action",
    "{http://www.w3.org/2006/05/addressing/wsdl}Action",
)
#: The assertion's two names (MTOM Serialization Policy Assertion 1.0 and 1.1).
MTOM = frozenset({
    "{http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization}OptimizedMimeSerialization",
    "{http://www.w3.org/2007/08/soap12-mtom-policy}MTOM",
})  # fmt: skip
_OPTIONAL = ("{http://schemas.xmlsoap.org/ws/2004/09/policy}Optional", "{http://www.w3.org/ns/ws-policy}Optional")
_REFERENCES = (
    "{http://schemas.xmlsoap.org/ws/2004/09/policy}PolicyReference",
    "{http://www.w3.org/ns/ws-policy}PolicyReference",
)
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_ID = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id"


def asks_for_addressing(wsdls: Sequence[Any], binding: str, port: str | None) -> bool:
    """Whether the binding (or its port) carries the marker, itself or by a policy that it refers to."""
    return any(node.tag in _ADDRESSING for node in _marks(wsdls, binding, port))


def actions_of(wsdls: Sequence[Any], binding: str, operation: str, soap_action: str) -> Actions:
    """The actions of one operation (WS-Addressing 1.0 WSDL Binding, 4.4).

    The message's own attribute comes first, then the request's SOAPAction, then the pattern of the specification.
    """
    for port_type in _port_types(wsdls, binding):
        for node in port_type.iterchildren(f"{_WSDL}operation"):
            if node.get("name") == operation:
                request = _said_action(node, "input") or soap_action or _made_action(port_type, node, "input")
                return Actions(request, _said_action(node, "output") or _made_action(port_type, node, "output"))
    return Actions(soap_action)


def _port_types(wsdls: Sequence[Any], binding: str) -> Iterator[Any]:
    bindings = (node for root in wsdls for node in root.iter(f"{_WSDL}binding") if node.get("name") == binding)
    names = {node.get("type", "").rpartition(":")[2] for node in bindings}
    yield from (node for root in wsdls for node in root.iter(f"{_WSDL}portType") if node.get("name") in names)


def _said_action(operation: Any, direction: str) -> str:
    message = operation.find(f"{_WSDL}{direction}")
    return "" if message is None else next((message.get(name) for name in _ACTION if message.get(name)), "")


def _made_action(port_type: Any, operation: Any, direction: str) -> str:
    message = operation.find(f"{_WSDL}{direction}")
    if message is None:
        return ""
    namespace = str(port_type.getparent().get("targetNamespace", ""))
    delimiter = ":" if namespace.lower().startswith("urn:") else "/"
    ending = "Request" if direction == "input" else "Response"
    one_way = operation.find(f"{_WSDL}output") is None
    name = message.get("name") or f"{operation.get('name')}{'' if one_way else ending}"
    return delimiter.join((namespace.removesuffix(delimiter), str(port_type.get("name")), name))


class Mtom(StrEnum):
    """What a contract says of MTOM."""

    NO = "no"
    ALLOWED = "allowed"  #: The policy is optional: a message may go either way.
    DEMANDED = "demanded"


def mtom_of(wsdls: Sequence[Any], binding: str, operation: str = "") -> Mtom:
    """What the policies of a binding ask for: with an operation, of that one too."""
    places = [node for root in wsdls for node in root.iter(f"{_WSDL}binding") if node.get("name") == binding]
    found = [_mtom(own, wsdls) for place in places for own in _own(place)]
    for place in places:
        for node in place.iterchildren(f"{_WSDL}operation"):
            if operation and node.get("name") == operation:
                found += [_mtom(own, wsdls) for own in node]
    return Mtom.DEMANDED if Mtom.DEMANDED in found else Mtom.ALLOWED if Mtom.ALLOWED in found else Mtom.NO


def _own(binding: Any) -> Iterator[Any]:
    return (child for child in binding if isinstance(child.tag, str) and child.tag != f"{_WSDL}operation")


def _mtom(place: Any, wsdls: Sequence[Any]) -> Mtom:
    """What a policy says, written down here or referred to."""
    nodes = list(place.iter())
    for reference in place.iter(*_REFERENCES):
        name = (reference.get("URI") or "").removeprefix("#")
        nodes += [
            node
            for root in wsdls
            for policy in root.iter()
            if name and name in (policy.get(_ID), policy.get(_XML_ID))
            for node in policy.iter()
        ]
    said = [node for node in nodes if node.tag in MTOM]
    if not said:
        return Mtom.NO
    optional = all(node.get(name) in {"true", "1"} for node in said for name in _OPTIONAL if node.get(name) is not None)
    named = any(node.get(name) is not None for node in said for name in _OPTIONAL)
    return Mtom.ALLOWED if named and optional else Mtom.DEMANDED


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

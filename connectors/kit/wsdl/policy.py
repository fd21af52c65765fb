"""What a WSDL asks for beyond its messages: WS-Addressing headers, with the names of actions, and MTOM."""

from collections.abc import Iterator, Sequence
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
_MTOM = {"{http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization}OptimizedMimeSerialization"}
_REFERENCES = (
    "{http://schemas.xmlsoap.org/ws/2004/09/policy}PolicyReference",
    "{http://www.w3.org/ns/ws-policy}PolicyReference",
)
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

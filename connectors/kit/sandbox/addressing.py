"""WS-Addressing 1.0 as an institution keeps it: what a request must carry, and how the answer names it."""

from typing import Any

from lxml import etree

from connectors.kit.soap.addressing import WSA
from connectors.kit.soap.parsing import parse
from connectors.kit.wsdl import WsdlOperation


def addressing_problem(header: Any, operation: WsdlOperation) -> str:
    """What is wrong with a request's headers, as the name of a Fault; "" for nothing."""
    said = {name: _text(header, name) for name in ("Action", "MessageID")}
    if not all(said.values()):
        return "ADDRESSING_REQUIRED"
    return "" if said["Action"] == operation.addressing.request else "ACTION_MISMATCH"


def related(answer: bytes, request: bytes, action: str = "") -> bytes:
    """The answer with RelatesTo (and Action) to a request that has a MessageID; what it related to before is gone."""
    if WSA.encode() not in request:
        return answer
    asked, root = _message(request), _message(answer)
    message_id = "" if asked is None else _text(asked.find("{*}Header"), "MessageID")
    if root is None or not message_id:
        return answer
    header = root.find("{*}Header")
    if header is None:
        header = etree.Element(f"{{{etree.QName(root).namespace}}}Header")
        root.insert(0, header)
    for name, text in (("Action", action), ("RelatesTo", message_id)):
        if text:
            for before in header.findall(f"{{{WSA}}}{name}"):
                header.remove(before)
            etree.SubElement(header, f"{{{WSA}}}{name}", nsmap={"wsa": WSA}).text = text
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _message(raw: bytes) -> Any:
    try:
        root = parse(raw)
    except ValueError:
        return None
    return root if root.find("{*}Body") is not None else None


def _text(header: Any, name: str) -> str:
    return "" if header is None else (header.findtext(f"{{{WSA}}}{name}") or "").strip()

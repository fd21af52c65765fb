"""MTOM (W3C, 2005): an answer with its larger base64 as attachments, and a request with its attachments in place."""

import base64
import binascii
import re
from dataclasses import replace
from typing import Any

from lxml import etree

from connectors.kit.reception import reception
from connectors.kit.sandbox.encoding import charset_of
from connectors.kit.sandbox.institution import Answer
from connectors.kit.soap.parsing import parse
from connectors.kit.soap.xop import XOP, Includes

_SMALLEST = 128  #: Characters of base64; what is shorter stays where it is.
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_BOUNDARY = "sandbox-part-7d2f6a510c3e4b8a"


def as_mtom(answer: Answer) -> Answer:
    """The same message as multipart/related; one without such content, or that is no SOAP message, stays as it is."""
    try:
        root = parse(answer.body)
    except ValueError:
        return answer
    parts = [taken for node in list(root.iter()) if (taken := _taken(node)) is not None]
    if not parts:
        return answer
    for number, (node, _) in enumerate(parts, 1):
        node.text = None
        etree.SubElement(node, f"{{{XOP}}}Include", {"href": f"cid:part{number}@sandbox"}, nsmap={"xop": XOP})
    start = answer.content_type.partition(";")[0]
    charset = charset_of(answer.content_type)
    message: Any = etree.tostring(root, encoding=charset, xml_declaration=True)  # bytes, because of its encoding
    pieces = [_piece("root@sandbox", f'application/xop+xml; charset={charset}; type="{start}"', message)]
    pieces += [
        _piece(f"part{number}@sandbox", "application/octet-stream", raw) for number, (_, raw) in enumerate(parts, 1)
    ]
    body = b"".join((*pieces, f"--{_BOUNDARY}--\r\n".encode()))
    kind = (
        f'multipart/related; type="application/xop+xml"; start="<root@sandbox>"; start-info="{start}"; '
        f'boundary="{_BOUNDARY}"'
    )
    return replace(answer, body=body, content_type=kind)


def is_mtom(content_type: str) -> bool:
    """Whether a message of this content type brings attachments."""
    return content_type.lstrip()[:17].lower() == "multipart/related"


def without_attachments(content_type: str, body: bytes) -> bytes:
    """The message as it would have come without MTOM. Raises ValueError for what is no whole message."""
    taken = reception(content_type)
    taken.feed(body)
    received = taken.finish()
    root = parse(received.body)
    Includes.take(root, received.attachments).fill()
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _taken(node: Any) -> tuple[Any, bytes] | None:
    """The element and its binary content, when it has enough of it."""
    text = node.text or ""
    if len(node) or len(text) < _SMALLEST or not _BASE64.fullmatch(text):
        return None
    try:
        return node, base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return None


def _piece(name: str, kind: str, content: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
    return b"".join((head.encode(), content, b"\r\n"))

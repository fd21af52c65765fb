"""Checks a document that an institution returned before anyone relies on it."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from connectors.kit.contract import Document
from connectors.kit.media_types import HEAD_BYTES, JPEG, KNOWN, PDF, PNG, TAIL_BYTES, TIFF, has_its_end, sniff

_NAMES = {PDF: "PDF", PNG: "PNG", JPEG: "JPEG", TIFF: "TIFF"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u202a-\u202e\u2066-\u2069]")
_MAX_NAME = 200


def read_document(fields: Mapping[str, Any]) -> Document:
    """The document that an answer mapping gave: `name`, `media_type`, `content`; `sha256`, `size` if the wire has them.

    Raises ValueError when it is not whole or not what it is called: no base64, another digest or length, or a PDF, PNG,
    JPEG or TIFF without its beginning or its end.
    """
    content = _bytes(fields.get("content"))
    media_type = str(fields.get("media_type", PDF)).strip().lower()
    if not content:
        raise ValueError("the document is empty")
    digest = fields.get("sha256")
    if digest is not None and not hmac.compare_digest(hashlib.sha256(content).hexdigest().encode(), _digest(digest)):
        raise ValueError("the document's digest differs from the one that was promised")
    size = fields.get("size")
    if size is not None and str(size) != str(len(content)):
        raise ValueError("the document's length differs from the one that was promised")
    if media_type in KNOWN:
        whole = sniff(content[:HEAD_BYTES]) == media_type and has_its_end(media_type, content[-TAIL_BYTES:])
        if not whole:
            raise ValueError(f"the document is not a whole {_NAMES[media_type]}")
    name = _UNSAFE.sub("_", str(fields.get("name", "document")))[:_MAX_NAME].strip(". ")
    return Document(name or "document", media_type, content)


def _digest(value: Any) -> bytes:
    return str(value).strip().lower().encode("utf-8")


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    if not isinstance(content, str):
        raise ValueError("the document has no content")  # noqa: TRY004  # it is the answer that is wrong
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the document is not base64") from None

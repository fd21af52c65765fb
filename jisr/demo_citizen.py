"""What a demonstration's citizen brings and says: files to upload, and answers that a form allows."""

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from connectors.kit.sample_values import JsonSamples
from connectors.kit.sandbox.pdf import make_pdf
from gateway.catalogue import Service

_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_ASKS_FOR_UPLOAD = "sha256:"


def files_of(service: Service, body: Mapping[str, Any]) -> dict[tuple[str, str], bytes]:
    """(part of the body, name) -> a file for each upload that the request needs or its example refers to."""
    named = {("attachments", kind) for kind in service.required_documents}
    for part in ("input", "attachments"):
        for name, value in (body.get(part) or {}).items():
            if isinstance(value, str) and _DIGEST.fullmatch(value):
                named.add((part, name))
                named.discard(("attachments", name) if part == "input" else ("", ""))
    return {(part, name): file_for(name) for part, name in sorted(named)}


def with_digests(body: Mapping[str, Any], digests: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The body that refers to what was uploaded."""
    made = dict(body)
    for (part, name), digest in digests.items():
        made[part] = {**(made.get(part) or {}), name: digest}
    return made


def uploads_in(schema: Mapping[str, Any]) -> list[str]:
    """The fields of an answer that are uploads."""
    fields = schema.get("properties", {})
    return [name for name, field in fields.items() if _ASKS_FOR_UPLOAD in str(field.get("pattern", ""))]


def answer_to(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that the form allows; to a yes or no it says yes."""
    made: dict[str, Any] = JsonSamples(schema).value(schema)
    return {name: True if value is False else value for name, value in made.items()}


def file_for(name: str) -> bytes:
    """A picture for what is called a photo, a PDF for the rest; the same bytes for the same name."""
    return _picture(name) if "photo" in name else make_pdf("Example", (name,))


def _picture(name: str) -> bytes:
    """A grey PNG of 60 x 80 points (ISO/IEC 15948)."""
    rows = b"".join(b"\0" + bytes([128] * 60) for _ in range(80))
    header = struct.pack(">IIBBBBB", 60, 80, 8, 0, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"tEXt", b"Comment\0" + name.encode("latin-1", "replace")),
        (b"IDAT", zlib.compress(rows)),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

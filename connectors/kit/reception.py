"""Where an answer's bytes go as they come: one buffer, or the parts of a multipart message (MTOM, attachments).

A large attachment is held once: it grows in its own buffer and leaves it without a copy, and the evidence keeps its
size and digest in its place.
"""

import binascii
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Protocol

_MOST_PARTS = 100
_MOST_HEADER_BYTES = 16 * 1024
_KEPT_HEAD_BYTES = 64 * 1024  #: Of a multipart answer that was not understood.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046, 5.1.1
_TRANSFER_ENCODINGS = {"", "binary", "8bit", "7bit", "base64"}
_NOTHING: Mapping[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Received:
    """A whole answer, as its reader wants it."""

    body: bytes
    content_type: str  #: Of the body: the root part's, where there are parts.
    attachments: Mapping[str, bytes] = field(default_factory=dict)  #: By content id.


class Reception(Protocol):
    """Takes an answer's bytes, decompressed."""

    size: int

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises ValueError for what can be no answer."""

    def finish(self) -> Received:
        """The whole answer. Raises ValueError when it is not whole."""

    def evidence(self) -> bytes:
        """What is kept of it."""

    def cut(self, size: int) -> None:
        """Keep no more than so many bytes: it will not be read."""


def reception(content_type: str) -> Reception:
    """The reception for an answer of this content type. Raises ValueError for a multipart type without a boundary."""
    if content_type[:10].lower() == "multipart/":
        return Multipart(content_type)
    return Whole(content_type)


class Whole:
    """One buffer."""

    def __init__(self, content_type: str = "") -> None:
        self.size = 0
        self._content_type = content_type
        self._buffer = io.BytesIO()

    def feed(self, data: bytes) -> None:
        """See Reception."""
        self.size += len(data)
        self._buffer.write(data)

    def finish(self) -> Received:
        """See Reception."""
        return Received(self._buffer.getvalue(), self._content_type)

    def evidence(self) -> bytes:
        """See Reception. The buffer gives its bytes without a copy."""
        return self._buffer.getvalue()

    def cut(self, size: int) -> None:
        """See Reception."""
        self._buffer.truncate(size)


@dataclass(slots=True)
class _Part:
    headers: Message
    buffer: io.BytesIO = field(default_factory=io.BytesIO)

    @property
    def content_id(self) -> str:
        return str(self.headers.get("Content-ID", "")).strip().removeprefix("<").removesuffix(">")

    def content(self) -> bytes:
        """Without a copy where the part is binary."""
        raw = self.buffer.getvalue()
        if _transfer_encoding(self.headers) != "base64":
            return raw
        try:
            return binascii.a2b_base64(b"".join(raw.split()), strict_mode=True)
        except binascii.Error:
            raise ValueError("a part of the answer is not base64") from None


class Multipart:
    """RFC 2046, 5.1, part by part; RFC 2387 says which part is the root."""

    def __init__(self, content_type: str) -> None:
        outer = Message()
        outer["Content-Type"] = content_type
        boundary = outer.get_boundary()
        if boundary is None or not _BOUNDARY.fullmatch(boundary):
            raise ValueError("the multipart answer names no usable boundary")
        if outer.get_content_type() != "multipart/related":
            raise ValueError("the answer is multipart, and not multipart/related")
        self.size = 0
        self._start = str(outer.get_param("start", "")).strip("<> ")
        self._type = str(outer.get_param("type", ""))
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._rest = bytearray(b"\r\n")  # the first delimiter may stand at the very beginning
        self._head = bytearray()
        self._parts: list[_Part] = []
        self._state = "before"  #: before | delimiter | headers | content | after
        self._root: _Part | None = None

    def feed(self, data: bytes) -> None:
        """See Reception."""
        self.size += len(data)
        if len(self._head) < _KEPT_HEAD_BYTES:
            self._head += data[: _KEPT_HEAD_BYTES - len(self._head)]
        self._rest += data
        while self._step():
            pass

    def _step(self) -> bool:
        """Do what the bytes at hand allow; whether something was done."""
        match self._state:
            case "before" | "content":
                return self._up_to_delimiter()
            case "delimiter":
                return self._after_delimiter()
            case "headers":
                return self._headers()
        self._rest.clear()  # an epilogue is nobody's
        return False

    def _up_to_delimiter(self) -> bool:
        at = self._rest.find(self._delimiter)
        if at < 0:
            self._take(len(self._rest) - len(self._delimiter) + 1)
            return False
        self._take(at)
        del self._rest[: len(self._delimiter)]
        self._state = "delimiter"
        return True

    def _take(self, count: int) -> None:
        if count <= 0:
            return
        if self._state == "content":
            with memoryview(self._rest) as view:
                self._parts[-1].buffer.write(view[:count])
        del self._rest[:count]

    def _after_delimiter(self) -> bool:
        if len(self._rest) < 2:
            return False
        if self._rest.startswith(b"--"):
            self._state = "after"
            return True
        end = self._rest.find(b"\r\n")
        if end < 0 and len(self._rest) <= 200:
            return False
        if end < 0 or self._rest[:end].strip(b" \t"):
            raise ValueError("the multipart answer has a boundary inside a part")
        del self._rest[:end]
        self._state = "headers"
        return True

    def _headers(self) -> bool:
        end = self._rest.find(b"\r\n\r\n")
        if end < 0 and len(self._rest) <= _MOST_HEADER_BYTES:
            return False
        if end < 0 or end > _MOST_HEADER_BYTES:
            raise ValueError("a part of the answer has too long headers")
        if len(self._parts) == _MOST_PARTS:
            raise ValueError(f"the answer has more than {_MOST_PARTS} parts")
        headers = _parsed(bytes(self._rest[:end]))
        if _transfer_encoding(headers) not in _TRANSFER_ENCODINGS or headers.get_content_maintype() == "multipart":
            raise ValueError("a part of the answer has an encoding that is not read")
        del self._rest[: end + 4]
        self._parts.append(_Part(headers))
        self._state = "content"
        return True

    def finish(self) -> Received:
        """See Reception."""
        if self._state != "after":
            raise ValueError("the multipart answer is cut off")
        ids = [part.content_id for part in self._parts]
        named = [name for name in ids if name]
        if not self._parts or len(set(named)) != len(named):
            raise ValueError("the multipart answer has no parts, or two with one content id")
        if self._start and self._start not in ids:
            raise ValueError("the multipart answer lacks its root part")
        root = self._parts[ids.index(self._start)] if self._start else self._parts[0]
        self._root = root
        attachments = {
            name: part.content() for name, part in zip(ids, self._parts, strict=True) if part is not root and name
        }
        return Received(root.content(), self._content_type(root.headers), attachments or _NOTHING)

    def _content_type(self, root: Message) -> str:
        """Of the root part; XOP says there what it would be without attachments (XOP 1.0, 4.1)."""
        if root.get_content_type() != "application/xop+xml":
            return str(root.get("Content-Type", ""))
        inner = str(root.get_param("type", self._type)) or self._type
        charset = root.get_param("charset")
        return f"{inner.partition(';')[0]}; charset={charset}" if charset else inner

    def evidence(self) -> bytes:
        """See Reception. The message itself, and of each attachment its size and digest; else the first bytes."""
        if self._root is None:
            return bytes(self._head)
        lines = []
        for part in self._parts:
            if part is not self._root:
                content = part.buffer.getvalue()  # no copy; getbuffer() would make one
                lines.append(f"\n<!-- attachment {len(content)} bytes sha256:{hashlib.sha256(content).hexdigest()} -->")
        return self._root.buffer.getvalue() + "".join(lines).encode()

    def cut(self, size: int) -> None:
        """See Reception."""
        del self._head[size:]
        self._parts.clear()
        self._root = None


def _parsed(raw: bytes) -> Message:
    headers = Message()
    text = raw.decode("utf-8", "replace").strip("\r\n")
    for line in re.sub(r"\r\n[ \t]+", " ", text).split("\r\n") if text else ():
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or name in headers:
            raise ValueError("a part of the answer has headers that cannot be read")
        headers[name.strip()] = value.strip()
    return headers


def _transfer_encoding(headers: Message) -> str:
    return str(headers.get("Content-Transfer-Encoding", "")).strip().lower()

"""A request as multipart/related (RFC 2387): the message, and beside it what it includes, piece by piece."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

from mappings.upload import Upload

_PIECE_BYTES = 256 * 1024
_ROOT = "root@jisr"


@dataclass(frozen=True, slots=True)
class Attached:
    """One content that a message includes."""

    number: int  #: Among those of the message, from 1.
    content: bytes | Upload
    sha256: str  #: In hex.

    @classmethod
    def of(cls, number: int, content: bytes | Upload) -> "Attached":
        """The content with its digest."""
        known = content.sha256 if isinstance(content, Upload) else hashlib.sha256(content).hexdigest()
        return cls(number, content, known)

    @property
    def size(self) -> int:
        """In bytes."""
        return self.content.size if isinstance(self.content, Upload) else len(self.content)

    @property
    def content_id(self) -> str:
        """Names the content too, so that a message is another one when its attachment is."""
        return f"{self.number}-{self.sha256}@jisr"

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content."""
        if isinstance(self.content, Upload):
            async for piece in self.content.pieces():
                yield piece
            return
        for start in range(0, len(self.content), _PIECE_BYTES):
            yield self.content[start : start + _PIECE_BYTES]


@dataclass(frozen=True, slots=True)
class Related:
    """How one message goes out with its attachments; nothing is held that does not stand somewhere already."""

    soap_type: str  #: Media type of the message without attachments.
    action: str  #: SOAP 1.2 says it in the content type; "" for 1.1.
    attached: tuple[Attached, ...]
    boundary: str = field(default_factory=lambda: f"jisr-{uuid4().hex}")

    @property
    def content_type(self) -> str:
        """Of the whole (MTOM, 3.2)."""
        return (
            f'multipart/related; type="application/xop+xml"; start="<{_ROOT}>"; start-info="{self.soap_type}"; '
            f'boundary="{self.boundary}"{self._action}'
        )

    @property
    def _action(self) -> str:
        return f'; action="{self.action}"' if self.action else ""

    def size(self, message: bytes) -> int:
        """Bytes of the whole, with this message in it."""
        heads = [self._head(message), *map(self._part, self.attached), self._end()]
        return sum(map(len, heads)) + sum(each.size for each in self.attached)

    async def pieces(self, message: bytes) -> AsyncIterator[bytes]:
        """The whole, with this message in it."""
        yield self._head(message)
        for each in self.attached:
            yield self._part(each)
            async for piece in each.pieces():
                yield piece
        yield self._end()

    def evidence(self) -> bytes:
        """What is kept of the attachments: size and digest of each."""
        lines = (f"\n<!-- attachment {each.size} bytes sha256:{each.sha256} -->" for each in self.attached)
        return "".join(lines).encode()

    def _head(self, message: bytes) -> bytes:
        kind = f'application/xop+xml; charset=UTF-8; type="{self.soap_type}"{self._action}'
        return self._begun(kind, "8bit", _ROOT, first=True) + message

    def _part(self, each: Attached) -> bytes:
        return self._begun("application/octet-stream", "binary", each.content_id)

    def _begun(self, kind: str, encoding: str, name: str, *, first: bool = False) -> bytes:
        before = "" if first else "\r\n"
        return (
            f"{before}--{self.boundary}\r\nContent-Type: {kind}\r\n"
            f"Content-Transfer-Encoding: {encoding}\r\nContent-ID: <{name}>\r\n\r\n"
        ).encode()

    def _end(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()

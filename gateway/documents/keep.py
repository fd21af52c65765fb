"""Writes contents into the store as they come, and gives them back whole or not at all."""

import hashlib
from collections.abc import AsyncIterator, Sequence

from connectors.kit.contract import Document
from gateway.logs import log
from gateway.store.blobs import CHUNK_BYTES, add_chunk, begin_blob, complete_blob, drop_blob, read_chunk
from gateway.store.engine import Store
from gateway.work import KeptDocument

#: Up to this size a document goes with its settlement, in one statement.
SMALL_BYTES = CHUNK_BYTES


class BlobWriter:
    """Takes a content piece by piece; at no time is more than a chunk of it held here."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._digest = hashlib.sha256()
        self._rest = bytearray()
        self._number = 0
        self.blob_id = ""
        self.size = 0

    async def feed(self, data: bytes | memoryview) -> None:
        """The next bytes; whole chunks are on disk when it returns."""
        self._digest.update(data)
        self.size += len(data)
        self._rest += data
        while len(self._rest) >= CHUNK_BYTES:
            await self._write(bytes(memoryview(self._rest)[:CHUNK_BYTES]))
            del self._rest[:CHUNK_BYTES]

    async def flush(self) -> str:
        """All is there, and on disk; the digest, "sha256:<hex>". Whoever refers to the blob completes it."""
        if self._rest or not self._number:
            await self._write(bytes(self._rest))
            self._rest.clear()
        return f"sha256:{self._digest.hexdigest()}"

    async def finish(self) -> str:
        """The same, and the blob is complete."""
        digest = await self.flush()
        await self._store.write(complete_blob, self.blob_id, digest, self.size)
        return digest

    async def drop(self) -> None:
        """It is not wanted after all."""
        if self.blob_id:
            await self._store.write(drop_blob, self.blob_id)

    async def _write(self, chunk: bytes) -> None:
        if not self.blob_id:
            self.blob_id = await self._store.write(begin_blob)
        await self._store.write(add_chunk, self.blob_id, self._number, chunk)
        self._number += 1


async def lay_down(store: Store, documents: Sequence[Document | KeptDocument]) -> tuple[Document | KeptDocument, ...]:
    """The documents, the large ones written already: their settlement only refers to them."""
    return tuple([await _laid(store, each) for each in documents])


async def _laid(store: Store, document: Document | KeptDocument) -> Document | KeptDocument:
    if isinstance(document, KeptDocument) or len(document.content) <= SMALL_BYTES:
        return document
    writer = BlobWriter(store)
    with memoryview(document.content) as content:
        for start in range(0, len(content), CHUNK_BYTES):
            await writer.feed(content[start : start + CHUNK_BYTES])
    digest = await writer.finish()
    log.info("document_kept", bytes=writer.size)
    return KeptDocument(document.name, document.media_type, digest, writer.size, writer.blob_id)


async def chunks_of(store: Store, blob_id: str) -> AsyncIterator[bytes]:
    """The content, chunk by chunk."""
    number = 0
    while (chunk := await store.read(read_chunk, blob_id, number)) is not None:
        yield chunk
        number += 1


async def is_whole(store: Store, blob_id: str, digest: str) -> bool:
    """Whether what is stored is what its digest says: asked before the first byte is handed out."""
    found = hashlib.sha256()
    async for chunk in chunks_of(store, blob_id):
        found.update(chunk)
    return digest == f"sha256:{found.hexdigest()}"

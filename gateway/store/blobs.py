"""Large contents, sealed chunk by chunk, so that nobody ever holds one of them twice."""

from sqlalchemy import Connection, delete, insert, select, update

from gateway.ids import new_id
from gateway.store.clock import now_ms
from gateway.store.tables import attachments, blob_chunks, blobs, documents

CHUNK_BYTES = 256 * 1024


def begin_blob(conn: Connection) -> str:
    """A blob without content; it counts for nothing until it is whole."""
    blob_id = new_id()
    conn.execute(insert(blobs).values(id=blob_id, digest=None, size=0, created_at=now_ms(conn)))
    return blob_id


def add_chunk(conn: Connection, blob_id: str, number: int, content: bytes) -> None:
    """One more chunk; `number` counts from 0."""
    conn.execute(insert(blob_chunks).values(blob_id=blob_id, number=number, content=content))


def complete_blob(conn: Connection, blob_id: str, digest: str, size: int) -> None:
    """All of it is there."""
    conn.execute(update(blobs).where(blobs.c.id == blob_id).values(digest=digest, size=size))


def drop_blob(conn: Connection, blob_id: str) -> None:
    """Forget it with its chunks."""
    conn.execute(delete(blob_chunks).where(blob_chunks.c.blob_id == blob_id))
    conn.execute(delete(blobs).where(blobs.c.id == blob_id))


def read_chunk(conn: Connection, blob_id: str, number: int) -> bytes | None:
    """A chunk; None after the last one."""
    query = select(blob_chunks.c.content).where(blob_chunks.c.blob_id == blob_id, blob_chunks.c.number == number)
    content: bytes | None = conn.scalar(query)
    return content


def drop_stray_blobs(conn: Connection, older_ms: int, most: int) -> int:
    """Forget blobs that nothing refers to: interrupted uploads, settlements that lost their race; how many."""
    now = now_ms(conn)
    stray = (
        select(blobs.c.id)
        .outerjoin(documents, documents.c.digest == blobs.c.digest)
        .outerjoin(attachments, attachments.c.blob_id == blobs.c.id)
        .where(
            blobs.c.created_at < now - older_ms,
            attachments.c.blob_id.is_(None),
            documents.c.blob_id.is_(None) | (documents.c.blob_id != blobs.c.id),
        )
        .limit(most)
    )
    found = conn.scalars(stray).all()
    for blob_id in found:
        drop_blob(conn, blob_id)
    return len(found)

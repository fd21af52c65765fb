"""What channels upload: kept once for each channel, pinned by the request that refers to it, else forgotten."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.store.blobs import complete_blob, drop_blob
from gateway.store.clock import now_ms
from gateway.store.tables import attachments, documents


@dataclass(frozen=True, slots=True)
class Attachment:
    """An upload without its bytes."""

    digest: str
    media_type: str
    size: int
    blob_id: str
    created_at: int
    used: bool


@dataclass(frozen=True, slots=True)
class Room:
    """What a channel may have of uploads that no request refers to."""

    most: int
    most_bytes: int


class NoRoom(Exception):
    """The channel has as much as it may have."""


def is_full(conn: Connection, channel_id: str, room: Room, size: int = 0) -> bool:
    """Whether one more unused upload, of `size`, would be too much for the channel."""
    unused = (attachments.c.channel_id == channel_id) & attachments.c.used_at.is_(None)
    number, size_of_all = conn.execute(
        select(func.count(), func.coalesce(func.sum(attachments.c.size), 0)).where(unused)
    ).one()
    return bool(number >= room.most or int(size_of_all) + size > room.most_bytes)


def add_attachment(
    conn: Connection, channel_id: str, digest: str, media_type: str, size: int, blob_id: str, room: Room
) -> tuple[Attachment, bool]:
    """Keep it, and whether it is new to this channel. What was there already lives on, and the new bytes do not.

    Raises NoRoom for one that is new and for which the channel has none.
    """
    now = now_ms(conn)
    mine = (attachments.c.channel_id == channel_id) & (attachments.c.digest == digest)
    standing = conn.execute(select(attachments).where(mine).with_for_update()).one_or_none()
    if standing is not None:
        drop_blob(conn, blob_id)
        conn.execute(update(attachments).where(mine).values(created_at=now))
        return _attachment(standing, now), False
    if is_full(conn, channel_id, room, size):
        raise NoRoom
    complete_blob(conn, blob_id, digest, size)
    row = {"digest": digest, "media_type": media_type, "size": size, "blob_id": blob_id, "created_at": now}
    conn.execute(insert(attachments).values(channel_id=channel_id, **row))
    return Attachment(digest, media_type, size, blob_id, now, used=False), True


def find_attachment(conn: Connection, channel_id: str, digest: str) -> Attachment | None:
    """The channel's own upload of this digest."""
    mine = (attachments.c.channel_id == channel_id) & (attachments.c.digest == digest)
    row = conn.execute(select(attachments).where(mine)).one_or_none()
    return None if row is None else _attachment(row, row.created_at)


def known(conn: Connection, channel_id: str, digests: Collection[str]) -> set[str]:
    """Those of the digests that the channel has uploaded."""
    mine = (attachments.c.channel_id == channel_id) & attachments.c.digest.in_(digests)
    return set(conn.scalars(select(attachments.c.digest).where(mine)))


def use(conn: Connection, channel_id: str, digests: Collection[str]) -> set[str]:
    """The same, and they are kept from now on: a request refers to them."""
    mine = (attachments.c.channel_id == channel_id) & attachments.c.digest.in_(digests)
    conn.execute(update(attachments).where(mine, attachments.c.used_at.is_(None)).values(used_at=now_ms(conn)))
    return known(conn, channel_id, digests)


def find_blob(conn: Connection, digest: str) -> tuple[str, str, int] | None:
    """Blob, media type and size of the bytes with this digest, whoever uploaded them.

    One that a request refers to: what nobody refers to may be forgotten while it is read.
    """
    row = conn.execute(
        select(attachments.c.blob_id, attachments.c.media_type, attachments.c.size)
        .where(attachments.c.digest == digest, attachments.c.used_at.is_not(None))
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.blob_id, row.media_type, row.size)


def forget_attachments(conn: Connection, older_ms: int, most: int) -> int:
    """Delete uploads that no request came to refer to; how many."""
    old = conn.execute(
        select(attachments)
        .where(attachments.c.used_at.is_(None), attachments.c.created_at < now_ms(conn) - older_ms)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for row in old:
        conn.execute(
            delete(attachments).where(attachments.c.channel_id == row.channel_id, attachments.c.digest == row.digest)
        )
        if conn.scalar(select(documents.c.digest).where(documents.c.blob_id == row.blob_id)) is None:
            drop_blob(conn, row.blob_id)
    return len(old)


def _attachment(row: Row[Any], created_at: int) -> Attachment:
    return Attachment(row.digest, row.media_type, row.size, row.blob_id, created_at, row.used_at is not None)

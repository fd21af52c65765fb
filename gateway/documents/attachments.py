"""Takes uploads in, checks the requests that refer to them, and brings their bytes to the connectors."""

import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.kit.errors import MappingFailed
from connectors.kit.media_types import HEAD_BYTES, TAIL_BYTES, has_its_end, sniff
from gateway.documents.keep import BlobWriter, chunks_of, is_whole
from gateway.documents.references import in_content, of_work, pointers
from gateway.errors import Problem, field_error
from gateway.logs import log
from gateway.steps import Plan
from gateway.store.attachments import Attachment, NoRoom, Room, add_attachment, find_blob, known, use
from gateway.store.engine import Store
from gateway.validation import CheckedRequest
from gateway.work import Work
from mappings.upload import Upload

_PROMISED = re.compile(r"sha-256=:([A-Za-z0-9+/=]{44}):")


class Attachments:
    """The uploads of all channels; each sees its own."""

    def __init__(self, store: Store, room: Room) -> None:
        """`room` is what each channel may have of uploads that no request refers to."""
        self._store, self._room = store, room

    async def take(
        self, channel_id: str, content: AsyncIterator[bytes], content_digest: str
    ) -> tuple[Attachment, bool]:
        """Keep what comes, and whether it is new. What kind of file it is, its own bytes say.

        `content_digest` is the header of this name (RFC 9530) or "". Raises Problem: attachment_not_accepted,
        attachment_damaged, too_many_uploads, and whatever the content raises; nothing is left then.
        """
        upload = _Upload(BlobWriter(self._store))
        writer = upload.writer
        try:
            media_type, digest = await upload.take(content, content_digest)
        except BaseException:
            await writer.drop()
            raise
        try:
            kept, new = await self._store.write(
                add_attachment, channel_id, digest, media_type, writer.size, writer.blob_id, self._room
            )
        except NoRoom as full:
            await writer.drop()
            log.warning("attachments_full", channel=channel_id)
            raise Problem("too_many_uploads") from full
        log.info("attachment_kept", channel=channel_id, bytes=kept.size, kind=kept.media_type, replayed=not new)
        return kept, new

    async def missing(self, channel_id: str, checked: CheckedRequest) -> list[str]:
        """The required documents that the request does not name. Raises Problem for a digest that is not known."""
        named = in_content(checked.content)
        if named:
            found = await self._store.read(known, channel_id, set(named.values()))
            _require(channel_id, checked.content, named, found)
        return [kind for kind in checked.service.required_documents if kind not in named]

    async def pin(self, channel_id: str, checked: CheckedRequest) -> None:
        """Keep what the request refers to. Raises Problem("invalid_request") for what is unknown or missing."""
        required = checked.service.required_documents
        named = in_content(checked.content)
        if not named and not required:
            return
        errors = [field_error(f"/attachments/{kind}", "document_missing") for kind in required if kind not in named]
        if errors:
            raise Problem("invalid_request", errors=errors)
        found = await self._store.write(use, channel_id, set(named.values()))
        _require(channel_id, checked.content, named, found)

    async def pin_answer(self, channel_id: str, named: Mapping[str, str]) -> None:
        """The same for a citizen's answer to a next action."""
        found = await self._store.write(use, channel_id, set(named.values()))
        errors = [field_error(f"/{name}", "attachment_unknown") for name, each in named.items() if each not in found]
        if errors:
            raise Problem("invalid_request", errors=errors)

    async def bring(self, work: Work, plan: Plan) -> None:
        """Load what the operation's mapping reads of the request's attachments into `work`.

        Raises MappingFailed for one that is gone.
        """
        if not self.wanted(work, plan):
            return
        streamed = plan.connector.streams(plan.operation.name)
        work.attachments = {
            name: await self._load(name, digest, streamed=streamed) for name, digest in of_work(work).items()
        }

    @staticmethod
    def wanted(work: Work, plan: Plan) -> bool:
        """Whether the operation reads attachments and the request has some."""
        return plan.operation.name in plan.connector.reads_attachments and bool(of_work(work))

    async def _load(self, name: str, digest: str, *, streamed: bool) -> dict[str, Any]:
        found = await self._store.read(find_blob, digest)
        if found is None:
            raise MappingFailed(f"the attachment {name} is gone")
        blob_id, media_type, size = found
        sha256 = digest.removeprefix("sha256:")
        content = await (self._upload if streamed else self._text)(name, blob_id, digest, size)
        return {"content": content, "media_type": media_type, "size": size, "sha256": sha256}

    async def _text(self, name: str, blob_id: str, digest: str, _: int) -> str:
        content = b"".join([chunk async for chunk in chunks_of(self._store, blob_id)])
        if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
            raise MappingFailed(f"the attachment {name} is not what was stored")
        return base64.b64encode(content).decode("ascii")

    async def _upload(self, name: str, blob_id: str, digest: str, size: int) -> Upload:
        """Read once to be sure of it; its bytes are read again while they are sent, and are never here as a whole."""
        if not await is_whole(self._store, blob_id, digest):
            raise MappingFailed(f"the attachment {name} is not what was stored")
        return Upload(size, digest.removeprefix("sha256:"), partial(chunks_of, self._store, blob_id))


def _require(channel_id: str, content: Mapping[str, Any], named: Mapping[str, str], found: set[str]) -> None:
    places = pointers(content)
    errors = [field_error(places[name], "attachment_unknown") for name, each in named.items() if each not in found]
    if errors:
        log.info("attachments_unknown", channel=channel_id, count=len(errors))
        raise Problem("invalid_request", errors=errors)


@dataclass(slots=True)
class _Upload:
    """One upload on its way: its first bytes say what it is, its last ones whether it is whole."""

    writer: BlobWriter
    first: bytes = b""
    tail: bytes = b""

    async def take(self, content: AsyncIterator[bytes], promised: str) -> tuple[str, str]:
        """Write it all; media type and digest. Raises Problem."""
        media_type = None
        async for piece in content:
            self.tail = (self.tail + piece[-TAIL_BYTES:])[-TAIL_BYTES:]
            if media_type is not None:
                await self.writer.feed(piece)
                continue
            self.first += piece
            if len(self.first) >= HEAD_BYTES:
                media_type = self._kind()
                await self.writer.feed(self.first)
        if media_type is None:
            raise Problem("attachment_not_accepted")
        digest = await self.writer.flush()
        if not has_its_end(media_type, self.tail) or not _is_promised(promised, digest):
            raise Problem("attachment_damaged")
        return media_type, digest

    def _kind(self) -> str:
        media_type = sniff(self.first)
        if media_type is None:
            raise Problem("attachment_not_accepted")
        return media_type


def _is_promised(header: str, digest: str) -> bool:
    """Whether the digest that the caller promised, if it did, is the one of what came."""
    promised = _PROMISED.search(header)
    if promised is None:
        return True
    given = base64.b64encode(bytes.fromhex(digest.removeprefix("sha256:"))).decode()
    return hmac.compare_digest(promised[1], given)

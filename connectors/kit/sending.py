"""How a request's bytes are handed to the connection: whole, or in pieces where they are many."""

from collections.abc import AsyncIterator

from connectors.kit.related import Related

_WHOLE_BYTES = 256 * 1024


def content(body: bytes, related: Related | None) -> tuple[int, bytes | AsyncIterator[bytes] | None]:
    """What is sent; with its size where it goes in pieces, so that a large one stops nobody else."""
    if related is not None:
        return related.size(body), related.pieces(body)
    if len(body) > _WHOLE_BYTES:
        return len(body), _in_pieces(body)
    return 0, body or None


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _WHOLE_BYTES):
        yield body[start : start + _WHOLE_BYTES]

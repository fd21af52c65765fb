"""This file reads the body of a call, up to a size and within a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException

from gateway.api.admission import admission_of
from gateway.errors import Problem

#: A body that is not complete after this is given up (a slow or stuck sender must not hold a place).
BODY_SECONDS = 20.0
#: And an upload that is not complete after this; nothing of it may be silent for longer than BODY_SECONDS.
UPLOAD_SECONDS = 300.0


async def read_body(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The whole body. Raises Problem: `body_too_large` beyond `limit` bytes, `request_timeout` when it does not end,
    `overloaded` when the bodies in memory are too many."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise Problem("body_too_large", facts={"limit": limit})
    first, admission = await _receive(request), admission_of(request)
    admission.hold(request.scope, len(first.get("body", b"")))
    if not first.get("more_body"):
        return _within(first.get("body", b""), limit)
    parts = [first.get("body", b"")]
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await _receive(request)
                parts.append(message.get("body", b""))
                admission.hold(request.scope, len(parts[-1]))
                if sum(map(len, parts)) > limit or not message.get("more_body"):
                    return _within(b"".join(parts), limit)
    except TimeoutError:
        raise Problem("request_timeout") from None


async def pieces_of(request: Request[Any, Any, Any], limit: int) -> AsyncIterator[bytes]:
    """A large body as it comes. Raises Problem as `read_body`; a sender may be slow, but not silent."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise Problem("body_too_large", facts={"limit": limit})
    size, more, end = 0, True, asyncio.get_running_loop().time() + UPLOAD_SECONDS
    while more:
        left = end - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(BODY_SECONDS, left)):
                message = await _receive(request)
        except TimeoutError:
            raise Problem("request_timeout") from None
        piece, more = message.get("body", b""), bool(message.get("more_body"))
        size += len(piece)
        if size > limit:
            raise Problem("body_too_large", facts={"limit": limit})
        if piece:
            yield piece


async def _receive(request: Request[Any, Any, Any]) -> dict[str, Any]:
    message: Any = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientException("the caller went away")
    return dict(message)


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise Problem("body_too_large", facts={"limit": limit})
    return body

"""How a sandbox's answer leaves: at once, slowly, in half, or never."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from itertools import chain

from aiohttp import web

from connectors.kit.sandbox.faults import Switch, gzipped, padded
from connectors.kit.sandbox.institution import Answer

_LINGER_RESET = struct.pack("ii", 1, 0)  # close() sends RST (socket(7), SO_LINGER)


def plain(answer: Answer) -> web.Response:
    """The answer as it is."""
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(body=answer.body, status=answer.status, headers=headers)


async def deliver(request: web.BaseRequest, fault: Switch | None, answer: Answer) -> web.StreamResponse:
    """Send the answer the way the fault says."""
    if fault is None:
        return plain(answer)
    if fault.mode == "silence":
        await asyncio.Event().wait()  # ends by cancellation, when the caller hangs up
    if fault.mode in ("cut_before", "cut_after"):
        reset(request)
    if fault.mode == "cut_middle":
        return await _half(request, answer)
    if fault.mode == "drip":
        return await _stream(request, answer, _dripping(answer.body, fault.value / 1000), len(answer.body))
    if fault.mode in ("huge", "gzip_bomb"):
        return await _padded(request, answer, int(fault.value), packed=fault.mode == "gzip_bomb")
    return plain(answer)


async def _padded(request: web.BaseRequest, answer: Answer, size: int, *, packed: bool) -> web.StreamResponse:
    head, padding, tail = padded(answer.body, size)
    parts = chain((head,), padding, (tail,))
    if packed:
        return await _stream(request, answer, _each(gzipped(parts)), None, encoding="gzip")
    return await _stream(request, answer, _each(parts), len(answer.body) + size)


def reset(request: web.BaseRequest) -> None:
    """End the connection with RST: not one byte more, and the caller sees it at once."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
    transport.abort()


async def _half(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers={**answer.headers, "Content-Type": answer.content_type})
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _stream(
    request: web.BaseRequest, answer: Answer, parts: AsyncIterator[bytes], size: int | None, *, encoding: str = ""
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers={**answer.headers, "Content-Type": answer.content_type})
    if size is None:
        response.enable_chunked_encoding()
    else:
        response.content_length = size
    if encoding:
        response.headers["Content-Encoding"] = encoding
    await response.prepare(request)
    async for part in parts:
        await response.write(part)
    return response


async def _dripping(body: bytes, pause_seconds: float) -> AsyncIterator[bytes]:
    for position in range(len(body)):
        yield body[position : position + 1]
        await asyncio.sleep(pause_seconds)


async def _each(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        if part:
            yield part
        await asyncio.sleep(0)

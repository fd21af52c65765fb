"""This file tells a request's timeline as it happens, as server-sent events (HTML standard, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, get
from litestar.response import Stream

from gateway.api.admission import admission_of
from gateway.api.identity import caller, scope_of
from gateway.api.parameters import request_id_of
from gateway.api.requests import services_of
from gateway.api.services import Services
from gateway.api.views import event_view
from gateway.errors import Problem
from gateway.security.principals import Kind
from gateway.store.queries import Event, find_events
from mappings.status import FINAL

#: A change in another process is seen after this long at the latest.
POLL_SECONDS = 2.0
#: After so many polls without news a comment keeps the line alive.
POLLS_PER_HEARTBEAT = 5
_encode = msgspec.json.Encoder().encode


class Streams:
    """The open streams of this process; `close` ends them, so that a stopping server need not wait for them."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every stream; clients come back with Last-Event-ID, to the next process."""
        self._closing.set()

    @property
    def closed(self) -> bool:
        """Whether the server is stopping."""
        return self._closing.is_set()

    async def news(self, services: Services, request_id: str, seconds: float) -> None:
        """Return when the request changed, the time is over, or the streams are closed."""
        waits = {
            asyncio.ensure_future(services.watch.wait(request_id, timeout_seconds=seconds)),
            asyncio.ensure_future(self._closing.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


@get("/v1/requests/{request_id:str}/stream")
async def stream_events(request: Request[Any, Any, Any]) -> Stream:
    """The timeline so far (or after Last-Event-ID), then each event as it happens, until the request is final."""
    request_id = request.path_params["request_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL, Kind.OPERATOR)
    channel_id, request_id = scope_of(principal), request_id_of(request_id)
    last = request.headers.get("last-event-id")
    after = last if last and _is_id(last) else None
    first = await services.store.read(find_events, request_id, channel_id, after)
    if first is None:
        raise Problem("not_found")
    streams: Streams = request.app.state["streams"]
    admission_of(request).stream(request.scope)
    return Stream(
        follow(services, streams, request_id, channel_id, after, first),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def follow(
    services: Services,
    streams: Streams,
    request_id: str,
    channel_id: str | None,
    after: str | None,
    found: list[Event],
) -> AsyncIterator[bytes]:
    """The stream's bytes. A reader that already has the final event gets an empty stream."""
    yield b"retry: 2000\n\n"
    if not found and await _is_over(services, request_id, channel_id):
        return
    quiet = 0
    while True:
        for event in found:
            after = event.id
            yield _rendered(event)
        if streams.closed or (found and found[-1].state in FINAL):
            return
        news = asyncio.ensure_future(streams.news(services, request_id, POLL_SECONDS))
        await asyncio.sleep(0)  # the watch listens before the store is read, so that nothing falls between
        found = await _read(services, request_id, channel_id, after)
        if found:
            quiet = 0
            news.cancel()
            await asyncio.gather(news, return_exceptions=True)
            continue
        quiet += 1
        if quiet % POLLS_PER_HEARTBEAT == 0:
            yield b": still here\n\n"
        await news


async def _read(services: Services, request_id: str, channel_id: str | None, after: str | None) -> list[Event]:
    found: list[Event] | None = await services.store.read(find_events, request_id, channel_id, after)
    return found or []


async def _is_over(services: Services, request_id: str, channel_id: str | None) -> bool:
    events = await _read(services, request_id, channel_id, None)
    return not events or events[-1].state in FINAL


def _rendered(event: Event) -> bytes:
    data = _encode(event_view(event)).decode()
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _is_id(text: str) -> bool:
    try:
        request_id_of(text)
    except Problem:
        return False
    return True

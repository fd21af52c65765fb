"""Event streams: history first, then what happens, resumed where a reader left, ended when there is nothing more."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.api import stream
from gateway.api.stream import Streams, follow
from tests.unit.gateway.api.conftest import Api
from tests.unit.gateway.api.rows import put_event, put_request


def parsed(raw: bytes) -> list[dict[str, Any]]:
    blocks = [block for block in raw.decode().split("\n\n") if block.startswith("id:")]
    return [json.loads(block.split("data: ", 1)[1]) for block in blocks]


async def watched(api: Api, request_id: str, *, by_somebody: bool = True) -> None:
    """Wait until a reader waits for the request, or until none does."""
    async with asyncio.timeout(20):
        while (request_id in api.services.watch._waiters) != by_somebody:  # noqa: ASYNC110 - it has no event of its own
            await asyncio.sleep(0)


async def told(messages: AsyncIterator[bytes], kind: str) -> dict[str, Any]:
    """The next event of that kind; the test fails when it does not come."""
    async with asyncio.timeout(20):
        async for message in messages:
            for event in parsed(message):
                if event["kind"] == kind:
                    return event
    pytest.fail(f"the stream ended without {kind}")


async def test_a_final_request_is_told_whole_and_the_stream_ends(api: Api) -> None:
    happened = [("accepted", "accepted", {}), ("completed", "completed", {"documents": 1})]
    request_id = await api.services.store.write(lambda conn: put_request(conn, "web", "completed", events_=happened))
    answer = await api.get(f"/v1/requests/{request_id}/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = parsed(answer.content)
    assert [event["kind"] for event in events] == ["accepted", "completed"]
    again = await api.get(f"/v1/requests/{request_id}/stream", Last_Event_ID=events[0]["id"])
    assert [event["kind"] for event in parsed(again.content)] == ["completed"]
    nothing = await api.get(f"/v1/requests/{request_id}/stream", Last_Event_ID=events[1]["id"])
    assert parsed(nothing.content) == []


@pytest.mark.parametrize("last", ["", "x", "' OR 1=1", "%00"])
async def test_a_resume_from_nowhere_begins_at_the_beginning(api: Api, last: str) -> None:
    happened: list[Any] = [("accepted", "accepted", {}), ("cancelled", "cancelled", {})]
    request_id = await api.services.store.write(lambda conn: put_request(conn, "web", "cancelled", events_=happened))
    answer = await api.get(f"/v1/requests/{request_id}/stream", Last_Event_ID=last)
    assert len(parsed(answer.content)) == 2


async def test_an_event_is_told_as_it_happens(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_SECONDS", 600.0)
    services = api.services
    request_id = await services.store.write(put_request, "web")
    messages = follow(services, Streams(), request_id, "web", None, [])
    assert (await told(messages, "accepted"))["state"] == "accepted"
    reading = asyncio.create_task(told(messages, "completed"))
    await watched(api, request_id)
    await services.store.write(put_event, request_id, "completed", "completed")
    services.watch.publish([request_id])
    assert (await reading)["state"] == "completed"
    assert [message async for message in messages] == []


async def test_what_another_process_did_is_seen_by_the_slow_poll(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_SECONDS", 0.01)
    request_id = await api.services.store.write(put_request, "web")
    messages = follow(api.services, Streams(), request_id, "web", None, [])
    await told(messages, "accepted")
    await api.services.store.write(put_event, request_id, "completed", "completed")
    await told(messages, "completed")


async def test_a_quiet_stream_sends_a_comment_now_and_then(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_SECONDS", 0.01)
    request_id = await api.services.store.write(put_request, "web")
    messages = follow(api.services, Streams(), request_id, "web", None, [])
    async with asyncio.timeout(20):
        async for message in messages:
            if message.startswith(b":"):
                break


async def test_o1_a_stopping_server_ends_its_streams(api: Api) -> None:
    request_id = await api.services.store.write(put_request, "web")
    streams = Streams()
    messages = follow(api.services, streams, request_id, "web", None, [])
    await told(messages, "accepted")
    rest = asyncio.create_task(_all(messages))
    await watched(api, request_id)
    streams.close()
    async with asyncio.timeout(20):
        assert parsed(b"".join(await rest)) == []


async def test_a_reader_that_goes_away_leaves_nothing_behind(api: Api) -> None:
    request_id = await api.services.store.write(put_request, "web")
    messages = follow(api.services, Streams(), request_id, "web", None, [])
    await told(messages, "accepted")
    rest = asyncio.create_task(_all(messages))
    await watched(api, request_id)
    rest.cancel()
    await asyncio.gather(rest, return_exceptions=True)
    await watched(api, request_id, by_somebody=False)


async def _all(messages: AsyncIterator[bytes]) -> list[bytes]:
    return [message async for message in messages]

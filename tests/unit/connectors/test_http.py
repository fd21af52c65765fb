"""One exchange over a wire that misbehaves (FAULTS.md, network)."""

import asyncio

import pytest

from connectors.kit.contract import Call
from connectors.kit.errors import (
    ConnectionLost,
    NotSent,
    Redirected,
    Throttled,
    TimedOut,
    Unreadable,
)
from connectors.kit.retry_after import retry_after_seconds
from tests.unit.connectors.http_calls import CALL, CHUNKED, NOW, OK, client, closed_port, one, post
from tests.unit.connectors.raw_server import RawServer, drips, hangs, resets, says, wire


async def test_an_answer_is_read_whole_and_its_exchange_keeps_the_masked_request():
    async with RawServer([says(OK)]) as server, client(server.url) as http:
        answer = await http.exchange(
            post(), Call("op-1", {}, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"), seconds=5, max_bytes=1000
        )
    assert (answer.status, answer.body, answer.media_type, answer.charset) == (
        200,
        b'{"a":1}',
        "application/json",
        "utf-8",
    )
    assert (answer.exchange.request, answer.exchange.response, answer.exchange.status) == (
        b'{"otp":"***"}',
        b'{"a":1}',
        200,
    )
    (request,) = server.received
    assert request.line == "POST /act?x=1 HTTP/1.1"
    assert request.body == b'{"otp":"1234"}'
    assert request.header("traceparent") == "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


async def test_connections_are_kept_and_used_again():
    async with RawServer([says(OK)]) as server, client(server.url) as http:
        for _ in range(5):
            await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
    assert (server.connections, len(server.received)) == (1, 5)


async def test_n1_a_refused_connection_is_not_sent():
    async with client(f"http://127.0.0.1:{closed_port()}") as http:
        with pytest.raises(NotSent) as caught:
            await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
        assert not await http.reachable()
    assert not caught.value.maybe_delivered


async def test_n1_a_name_that_does_not_resolve_is_not_sent():
    async with client("http://institution.invalid:9") as http:
        with pytest.raises(NotSent):
            await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
        assert not await http.reachable()


async def test_n1_a_tls_handshake_that_fails_is_not_sent():
    async with RawServer([says(OK)]) as server, client(server.url.replace("http:", "https:")) as http:
        with pytest.raises(NotSent):
            await http.exchange(post(), CALL, seconds=0.5, max_bytes=1000)
        assert server.received == []


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", OK[:-1]])
async def test_n2_silence_ends_at_the_total_deadline_and_frees_the_place(sent):
    loop = asyncio.get_running_loop()
    async with RawServer([hangs(sent), says(OK)]) as server, client(server.url, connections=1) as http:
        begun = loop.time()
        with pytest.raises(TimedOut) as caught:
            await http.exchange(post(), CALL, seconds=0.3, max_bytes=1000)
        assert 0.29 <= loop.time() - begun < 3
        assert caught.value.exchange is not None
        assert OK.endswith(caught.value.exchange.response + b"}") or caught.value.exchange.response == b""
        assert (await http.exchange(post(), CALL, seconds=5, max_bytes=1000)).status == 200


async def test_n2_no_place_in_the_pool_within_the_deadline_is_not_sent():
    async with RawServer([hangs()]) as server, client(server.url, connections=1) as http:
        first = asyncio.create_task(http.exchange(post(), CALL, seconds=30, max_bytes=1000))
        await server.arrived.wait()
        with pytest.raises(NotSent):
            await http.exchange(post(), CALL, seconds=0.2, max_bytes=1000)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert len(server.received) == 1


@pytest.mark.parametrize("start", [0, len(OK) - 7])
async def test_n3_a_slow_drip_still_meets_the_total_deadline(start):
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(TimedOut):
        await one(drips(OK[start:] if start == 0 else OK, 0.05), seconds=0.4)
    assert loop.time() - begun < 3


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200", OK[:-3]])
async def test_n4_a_reset_after_the_request_is_connection_lost(method, raw):
    async with RawServer([resets(raw)]) as server, client(server.url) as http:
        with pytest.raises(ConnectionLost) as caught:
            await http.exchange(post(method), CALL, seconds=5, max_bytes=1000)
    assert caught.value.maybe_delivered
    assert len(server.received) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("ending", [resets(), says(b"", then_close=True)])
async def test_n4_a_kept_connection_that_dies_before_the_answer_never_resends(method, ending):
    async with RawServer([says(OK), ending, says(OK)]) as server, client(server.url) as http:
        await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
        with pytest.raises(ConnectionLost):
            await http.exchange(post(method), CALL, seconds=5, max_bytes=1000)
        assert [request.connection for request in server.received] == [1, 1]


async def test_an_act_that_nobody_can_ask_about_takes_a_new_connection():
    async with RawServer([says(OK)]) as server, client(server.url) as http:
        for fresh in (False, True, True, False):
            await http.exchange(post(), CALL, seconds=5, max_bytes=1000, fresh=fresh)
        assert [request.connection for request in server.received] == [1, 2, 3, 1]


async def test_a_kept_connection_that_the_server_closed_while_idle_is_not_used_again():
    async with RawServer([says(OK, then_close=True)]) as server, client(server.url) as http:
        for _ in range(3):
            server.gone.clear()
            assert (await http.exchange(post(), CALL, seconds=5, max_bytes=1000)).status == 200
            await server.gone.wait()
            await asyncio.sleep(0)  # the close reaches the pool with the loop's next turn
    assert len(server.received) == 3


@pytest.mark.parametrize(
    "raw",
    [
        OK,
        CHUNKED,
    ],
)
async def test_n5_an_answer_cut_at_every_offset_is_never_an_answer(raw):
    async with (
        RawServer([says(raw[:n], then_close=True) for n in range(len(raw))]) as server,
        client(server.url) as http,
    ):
        for _ in range(len(raw)):
            with pytest.raises((ConnectionLost, Unreadable)):
                await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
    assert len(server.received) == len(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\0\1\2\3\4\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_n6_what_is_not_http_is_unreadable(raw):
    with pytest.raises((Unreadable, ConnectionLost)) as caught:
        await one(says(raw, then_close=True))
    assert caught.value.maybe_delivered


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
)
async def test_n9_a_redirect_is_never_followed(status):
    async with RawServer([says(OK)]) as elsewhere:
        with pytest.raises(Redirected):
            await one(says(wire(status, b"", f"Location: {elsewhere.url}/act")))
        assert (elsewhere.connections, elsewhere.received) == (0, [])


@pytest.mark.parametrize(
    ("status", "wish", "seconds"),
    [
        ("503 Busy", "120", 120),
        ("429 Slow", "0", 0),
        ("429 Slow", None, None),
        ("503 Busy", "Sun, 01 Mar 2026 12:10:00 GMT", 600),
        ("503 Busy", "315360000", 3600),
        ("429 Slow", "soon", None),
    ],
)
async def test_n10_a_wish_to_wait_is_honoured_and_capped(status, wish, seconds):
    headers = [f"Retry-After: {wish}"] if wish is not None else []
    with pytest.raises(Throttled) as caught:
        await one(says(wire(status, b"<html>", *headers)))
    assert caught.value.retry_after_seconds == seconds
    assert not caught.value.maybe_delivered


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("9" * 5000, 3600),
        ("Sun, 01 Mar 2020 12:10:00 GMT", 0),
        ("Sun, 01 Mar 2036 12:10:00 GMT", 3600),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        (None, None),
        ("Sun, 99 Mar 2036 12:10:00 GMT", None),
    ],
)
def test_n10_an_absurd_wish_is_capped_or_ignored(wish, seconds):
    assert retry_after_seconds(wish, NOW) == seconds

"""What one exchange may cost and may not leak: caps, compression, cancellation, environment, gates."""

import asyncio
import gzip
import tracemalloc
import zlib
from pathlib import Path

import pytest

from connectors.kit.contract import Call
from connectors.kit.errors import (
    ConnectorError,
    NotSent,
    TooLarge,
    Unreadable,
)
from tests.unit.connectors.http_calls import CALL, OK, client, one, post
from tests.unit.connectors.raw_server import RawServer, floods, hangs, resets, says, wire


def _rss_mib() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 2**20


async def test_n11_an_endless_answer_is_cut_at_the_cap():
    async with (
        RawServer(
            [floods(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n", b"x" * 65536)]
        ) as server,
        client(server.url) as http,
    ):
        before = _rss_mib()
        with pytest.raises(TooLarge) as caught:
            await http.exchange(post(), CALL, seconds=20, max_bytes=2_000_000)
        assert _rss_mib() - before < 50
        await server.gone.wait()
    assert caught.value.exchange is not None
    assert len(caught.value.exchange.response) == 64 * 1024


@pytest.mark.parametrize("layers", [1, 2])
async def test_n11_a_gzip_bomb_never_unfolds_beyond_the_cap(layers):
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    if layers == 2:
        bomb = gzip.compress(bomb)
    limit = 2_000_000 if layers == 1 else len(bomb)
    raw = wire("200 OK", bomb, "Content-Type: text/xml", "Content-Encoding: gzip")
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            await one(says(raw), seconds=20, max_bytes=limit)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_compressed_answer_is_unpacked(encoding, pack):
    answer = await one(says(wire("200 OK", pack(b"<a/>" * 100), f"Content-Encoding: {encoding}")))
    assert answer.body == b"<a/>" * 100


@pytest.mark.parametrize("body", [gzip.compress(b"<a/>")[:-9], b"no gzip at all"], ids=["cut", "broken"])
async def test_n5_a_compressed_answer_that_is_cut_or_broken_is_unreadable(body):
    with pytest.raises(Unreadable):
        await one(says(wire("200 OK", body, "Content-Encoding: gzip")))


async def test_an_unknown_content_encoding_is_unreadable():
    with pytest.raises(Unreadable):
        await one(says(wire("200 OK", b"x", "Content-Encoding: br")))


async def test_an_answer_of_exactly_the_cap_is_read():
    assert len((await one(says(wire("200 OK", b"x" * 1000)), max_bytes=1000)).body) == 1000
    with pytest.raises(TooLarge):
        await one(says(wire("200 OK", b"x" * 1001)), max_bytes=1000)


async def test_n13_five_hundred_cancelled_calls_leave_the_pool_usable():
    async with RawServer([hangs()] * 500 + [says(OK)]) as server, client(server.url, connections=8) as http:
        for _ in range(50):
            tasks = [asyncio.create_task(http.exchange(post(), CALL, seconds=60, max_bytes=1000)) for _ in range(10)]
            server.arrived.clear()
            await server.arrived.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        server.scripts = [says(OK)]
        assert (await http.exchange(post(), CALL, seconds=10, max_bytes=1000)).status == 200


async def test_n16_proxy_and_netrc_of_the_environment_are_ignored(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password something\n", "ascii")
    async with RawServer([says(OK)]) as proxy, RawServer([says(OK)]) as server, client(server.url) as http:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
        assert proxy.connections == 0
    assert server.received[0].header("Authorization") is None


async def test_the_send_gate_is_asked_when_the_connection_stands():
    async with RawServer([says(OK)]) as server:
        seen = []

        def gate():
            seen.append(server.connections)
            raise NotSent("the send window has passed")

        async with client(server.url) as http:
            with pytest.raises(NotSent):
                await http.exchange(post(), Call("op-1", {}, send_gate=gate), seconds=5, max_bytes=1000)
            assert len(seen) == 1
            assert (
                await http.exchange(post(), Call("op-1", {}, send_gate=gate), seconds=5, max_bytes=1000, gated=False)
            ).status == 200
    assert len(server.received) == 1


async def test_no_error_says_anything_of_the_bodies():
    for script in (
        resets(),
        says(b"\0secret"),
        says(wire("200 OK", b"secret" * 10)),
        says(wire("302 F", b"secret", "Location: http://secret")),
    ):
        with pytest.raises(ConnectorError) as caught:
            await one(script, max_bytes=20, seconds=0.5)
        assert "secret" not in str(caught.value)
        assert "1234" not in str(caught.value)


async def test_reachable_opens_a_connection_and_sends_nothing():
    async with RawServer([says(OK)]) as server, client(server.url) as http:
        assert await http.reachable()
        await server.gone.wait()
    assert server.received == []


async def test_cookies_are_not_kept():
    async with RawServer([says(wire("200 OK", b"x", "Set-Cookie: a=b"))]) as server, client(server.url) as http:
        for _ in range(2):
            await http.exchange(post(), CALL, seconds=5, max_bytes=1000)
    assert server.received[1].header("Cookie") is None

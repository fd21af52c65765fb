"""One exchange with a raw server, for the tests of the HTTP client."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from connectors.kit.contract import Call
from connectors.kit.http import HttpAnswer, HttpClient, HttpRequest
from tests.unit.connectors.raw_server import RawServer, wire

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CALL = Call("op-1", {})
CHUNKED = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n'
)
OK = wire("200 OK", b'{"a":1}', "Content-Type: application/json; charset=UTF-8")


@asynccontextmanager
async def client(url, **options) -> AsyncIterator[HttpClient]:
    http = HttpClient(url, now=lambda: NOW, **options)
    try:
        yield http
    finally:
        await http.close()


def post(method="POST", body=b'{"otp":"1234"}'):
    return HttpRequest(method, "/act?x=1", {"Content-Type": "application/json"}, body, b'{"otp":"***"}')


async def one(script, *, seconds=5.0, max_bytes=10_000, call=CALL, method="POST", **options) -> HttpAnswer:
    async with RawServer([script]) as server, client(server.url, **options) as http:
        return await http.exchange(post(method), call, seconds=seconds, max_bytes=max_bytes)


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])

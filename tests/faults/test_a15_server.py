"""A15: what is thrown at the server below HTTP's rules is cut, and others are served meanwhile.

The server's limits stand in jisr/app.py (header block, time for headers) and gateway/api/body.py (size and time of a body).
The store plays no part, so the embedded one serves.
"""

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways import GatewayProcess

_ABSENT = {"base_url": "http://127.0.0.1:9", "client_id": "c", "client_secret": "s"}
SMUGGLED = b"GET /v1/services HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server inherits it; many systems begin with 1024
    folder = tmp_path_factory.mktemp("a15")
    running = GatewayProcess(Path(folder), f"sqlite:///{folder}/jisr.db", {"transport": _ABSENT})
    running.install()
    running.start()
    yield running
    assert running.stop() == 0


def connect(gateway: GatewayProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=30)


def until_closed(line: socket.socket) -> bytes:
    """Everything that comes until the server closes; a line that stays open fails the test by its timeout."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65536):
            said += part
    return said


def status(said: bytes) -> int:
    return int(said.split(b" ", 2)[1]) if said else 0


def talk(gateway: GatewayProcess, raw: bytes) -> bytes:
    with connect(gateway) as line:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(raw)
        return until_closed(line)


def serves_others(gateway: GatewayProcess) -> bool:
    answer = talk(gateway, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return status(answer) == 200


def posted(gateway: GatewayProcess, *lines: bytes) -> bytes:
    key = f"Authorization: Bearer {gateway.key}".encode()
    fixed = (b"POST /v1/requests HTTP/1.1", b"Host: x", key, b"Content-Type: application/json", b"Idempotency-Key: k")
    return b"\r\n".join((*fixed, *lines, b"", b""))


@pytest.mark.parametrize(
    "lengths",
    [
        (b"Content-Length: 4", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 4"),
        (b"Content-Length: 4", b"Content-Length: 5"),
        (b"Content-Length: +4",),
        (b"Transfer-Encoding: xchunked",),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        (b"Transfer-Encoding : chunked",),
    ],
)
def test_a15_a_body_of_two_lengths_never_hides_a_second_call(
    gateway: GatewayProcess, lengths: tuple[bytes, ...]
) -> None:
    said = talk(gateway, posted(gateway, *lengths) + b"0\r\n\r\n" + SMUGGLED)
    assert status(said) == 400
    assert said.count(b"HTTP/1.1 ") == 1
    assert serves_others(gateway)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"h%d: v\r\n" % n for n in range(10_000)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100_000_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
def test_a15_headers_beyond_the_rules_are_refused(gateway: GatewayProcess, raw: bytes, expected: int) -> None:
    assert status(talk(gateway, raw)) == expected
    assert serves_others(gateway)


def test_a15_a_body_beyond_the_cap_is_refused_before_it_is_sent(gateway: GatewayProcess) -> None:
    with connect(gateway) as line:
        line.sendall(posted(gateway, b"Content-Length: 100000000", b"Connection: close"))
        assert status(line.recv(65536)) == 413


@pytest.mark.slow
def test_a15_a_thousand_slow_senders_are_let_go_and_others_are_served_meanwhile(gateway: GatewayProcess) -> None:
    with contextlib.ExitStack() as open_lines:
        slow = [open_lines.enter_context(connect(gateway)) for _ in range(1000)]
        for line in slow:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        stuck = open_lines.enter_context(connect(gateway))
        stuck.sendall(posted(gateway, b"Content-Length: 100", b"Connection: close") + b"{")
        assert serves_others(gateway)
        assert {status(until_closed(line)) for line in slow} <= {0, 408}
        assert status(until_closed(stuck)) == 408
    assert serves_others(gateway)

"""A22: one channel floods the gateway, or many do at once; what is refused is told so, and what was promised is kept."""

import json
import re
import select
import socket
import threading
from pathlib import Path

import pytest

from tests.faults.looking import rows
from tests.gateways import VEHICLE, GatewayProcess, until

CALLS = 150
#: Far more than fits: their bodies alone would take 40 MB.
SENDERS, BODY_BYTES = 200, 200_000
UNKNOWN = "jisr_channel_01920000-0000-7000-8000-000000000000_" + "x" * 43


@pytest.fixture
def dialect() -> str:
    """Nothing of this is about the database."""
    return "sqlite"


class Sender(threading.Thread):
    """Calls as fast as it is answered."""

    def __init__(self, gateway: GatewayProcess, key: str, calls: int, body: dict[str, object]) -> None:
        super().__init__(daemon=True)
        self.gateway, self.key, self.calls, self.body = gateway, key, calls, body
        self.told: list[tuple[int, str]] = []
        self.accepted: set[str] = set()

    def run(self) -> None:
        with self.gateway.client(self.key) as http:
            for number in range(self.calls):
                headers = {"Idempotency-Key": f"{self.key[-8:]}-{number}"}
                answer = http.post("/v1/requests", json=self.body, headers=headers)
                self.told.append((answer.status_code, answer.headers.get("retry-after", "")))
                if answer.status_code in (201, 202):
                    self.accepted.add(answer.json()["id"])


def test_a22_a_channel_that_floods_is_refused_and_no_other_one(make_gateway):
    gateway = make_gateway(limits={"channel_calls_per_second": 10, "unknown_keys_per_second": 10})
    gateway.start()
    other, third = gateway.add("channel", "calm"), gateway.add("channel", "late")
    flood = Sender(gateway, gateway.key, CALLS, VEHICLE)
    guesses = Sender(gateway, UNKNOWN, CALLS, VEHICLE)
    calm = Sender(gateway, other, 8, VEHICLE)
    for sender in (flood, guesses, calm):
        sender.start()
    for sender in (flood, guesses, calm):
        sender.join(timeout=60)
        assert not sender.is_alive()
    refused = [wait for status, wait in flood.told if status == 429]
    assert refused
    assert {int(wait) for wait in refused} <= {1, 2}
    assert {status for status, _ in guesses.told} == {401, 429}
    assert {status for status, _ in calm.told} <= {201, 202}, "the other one noticed nothing"
    kept = {request_id for (request_id,) in rows(gateway, "SELECT id FROM requests")}
    assert kept == flood.accepted | calm.accepted, (
        "every refusal took nothing in, and nothing that was accepted is lost"
    )
    until(lambda: admitted(gateway, third), "a channel that was not seen before, as soon as the guessing is over")


def admitted(gateway: GatewayProcess, key: str) -> bool:
    with gateway.client(key) as http:
        return http.get("/v1/requests").status_code == 200


def test_a22_more_bodies_than_fit_are_refused_before_they_fill_the_memory(make_gateway):
    gateway = make_gateway(limits={"channel_calls_per_second": 0, "calls_at_once": 100, "body_bytes": 6_000_000})
    gateway.start()
    before = resident_bytes(gateway)
    body = padded(VEHICLE)
    senders = [half_sent(gateway, number, body) for number in range(SENDERS)]
    try:
        until(lambda: told_full(senders) >= SENDERS - 100, "those for which there is no place are told")
        with gateway.client() as http:
            assert http.get("/health/ready").status_code == 200, "whoever watches is not kept out"
        assert resident_bytes(gateway) - before < 40_000_000
        answers = [finish(sender, body) for sender in senders]
    finally:
        for sender in senders:
            sender.close()
    statuses = [status for status, _ in answers]
    assert set(statuses) <= {202, 408, 503}, "408: on a busy machine a body takes longer than it may"
    assert all(wait for status, wait in answers if status == 503), "each says when to come back"
    accepted = statuses.count(202)
    assert 0 < accepted < SENDERS
    assert rows(gateway, "SELECT count(*) FROM requests") == [(accepted,)]
    assert gateway.submit(VEHICLE, "after").status_code == 202, "and it takes requests as before"


def padded(body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    return text + b" " * (BODY_BYTES - len(text))


def half_sent(gateway: GatewayProcess, number: int, body: bytes) -> socket.socket:
    """A call whose body is on its way for a long time; a refusal may come in between."""
    sender = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    head = (
        f"POST /v1/requests HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.key}\r\n"
        f"idempotency-key: half-{number}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    sender.sendall(head.encode() + body[:30_000])
    return sender


def told_full(senders: list[socket.socket]) -> int:
    return len(answered(senders))


def answered(senders: list[socket.socket]) -> list[socket.socket]:
    """Those to whom something was said."""
    return select.select(senders, [], [], 0)[0]


def finish(sender: socket.socket, body: bytes) -> tuple[int, str]:
    """Send the rest, unless the answer is there; status and Retry-After."""
    if not answered([sender]):
        sender.sendall(body[30_000:])
    told = b""
    while b"\r\n\r\n" not in told and (piece := sender.recv(65536)):
        told += piece
    wait = re.search(rb"(?i)\r\nretry-after: (\d+)", told)
    return int(told.split()[1]), wait[1].decode() if wait else ""


def resident_bytes(gateway: GatewayProcess) -> int:
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]

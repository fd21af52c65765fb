"""C7 and A7: the gateway dies after it told a channel; the receiver is the one of the how-to, in its own process."""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.gateways import VEHICLE, free_port, until

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md"
LOOPBACK = '\n[webhooks]\nprivate_networks = ["127.0.0.0/8"]\nplain_http = true\ndeadline_seconds = 1\n'


@dataclass(slots=True)
class ReceiverProcess:
    """The receiver of the page, and what it printed."""

    url: str
    output: Path

    @property
    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.output.read_text().splitlines()]


@contextlib.contextmanager
def receiving(folder: Path, port: int, secret: str) -> Iterator[ReceiverProcess]:
    """Run the page's receiver with this secret."""
    found = re.search(r'```python title="receiver.py"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    (folder / "receiver.py").write_text(found[1], encoding="utf-8")
    receiver = ReceiverProcess(f"http://127.0.0.1:{port}/jisr", folder / "received")
    with receiver.output.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "receiver.py", str(port)],
            cwd=folder,
            env={**os.environ, "WEBHOOK_SECRET": secret},
            stdout=output,
        )
    try:
        until(lambda: _answers(receiver.url), "the receiver")
        yield receiver
    finally:
        process.kill()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return httpx.post(url, content=b"nobody signed this", trust_env=False).status_code == 401
    except httpx.TransportError:
        return False


def signed(secret: str, body: bytes, *, at: float | None = None, event_id: str = "e1") -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.digest(key, f"{event_id}.{moment}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": moment,
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }


def test_c7_an_event_whose_delivery_was_not_noted_comes_again_with_its_id(make_gateway, tmp_path):
    gateway, port = make_gateway(), free_port()
    gateway.config.write_text(gateway.config.read_text() + LOOPBACK)
    gateway.start(crash_at="webhook.after_send")
    body = {"url": f"http://127.0.0.1:{port}/jisr", "events": ["jisr.request.completed"]}
    with gateway.client() as http:
        added = http.post("/v1/webhooks", json=body)
    assert added.status_code == 201, added.text
    with receiving(tmp_path, port, added.json()["secret"]) as receiver:
        request = gateway.submit(VEHICLE, "c7").json()
        assert gateway.wait_dead() == -signal.SIGKILL, gateway.log[-2000:]
        (first,) = receiver.lines
        assert first[:2] == ["jisr.request.completed", request["id"]]
        gateway.start()
        until(lambda: len(receiver.lines) > 1, "the same event")
        assert receiver.lines[1:] == [["again", request["id"], first[2]]]
        until(lambda: _all_delivered(gateway, added.json()), "the delivery to be noted")
        with gateway.client() as http:
            (line,) = http.get(added.json()["links"]["deliveries"]).json()["items"]
            (tried,) = http.get(f"{added.json()['links']['deliveries']}/{line['id']}").json()["tries"]
        assert (line["id"], line["tried"], tried["number"], tried["outcome"]) == (first[2], 2, 2, "delivered")
        metrics = httpx.get(f"{gateway.url}/metrics").text
        assert 'jisr_webhook_tries_last_hour{channel="web",outcome="delivered"} 1.0' in metrics
    assert gateway.stop() == 0


def _all_delivered(gateway, webhook) -> bool:
    with gateway.client() as http:
        return {line["state"] for line in http.get(webhook["links"]["deliveries"]).json()["items"]} == {"delivered"}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    """The page's receiver, which nobody but the test calls, and its secret."""
    secret = "whsec_" + base64.b64encode(b"an invented secret of 32 bytes..").decode()
    with receiving(tmp_path_factory.mktemp("receiver"), free_port(), secret) as running:
        yield running, secret


def test_a7_the_receiver_of_the_how_to_believes_only_what_is_signed_now_and_acts_once(receiver):
    running, secret = receiver
    body = '{"id": "e1", "type": "jisr.webhook.ping", "data": {"note": "ملاحظة"}}'.encode()
    good, now = signed(secret, body), time.time()
    other = "whsec_" + base64.b64encode(b"another secret of just 32 bytes.").decode()

    def post(content: bytes, headers: dict[str, str]) -> int:
        return httpx.post(running.url, content=content, headers=headers, trust_env=False).status_code

    for content, headers in (
        (body, {}),
        (body, signed(other, body)),
        (body, signed(secret, body, at=now - 330)),
        (body, signed(secret, body, at=now + 330)),
        (body, {**good, "webhook-id": "e2"}),
        (body, {**good, "webhook-timestamp": "now"}),
        (body.replace(b"ping", b"pong"), good),
        (body[:-1], good),
        (b"\xff\xfe", good),
    ):
        assert post(content, headers) == 401
    assert running.lines == []
    assert post(body, {**good, "webhook-signature": f"v1,AAAA {good['webhook-signature']}"}) == 204
    assert post(body, good) == 204
    assert [line[0] for line in running.lines] == ["jisr.webhook.ping", "again"]

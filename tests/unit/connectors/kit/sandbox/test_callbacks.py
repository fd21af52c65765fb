"""Callbacks of a running sandbox: signed as the manifest declares, and early, twice, never, late or unsigned by a switch."""

import base64
import hmac
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from connectors.kit.sandbox.callbacks import CallbackError, loopback
from tests.sandboxes import SandboxProcess, start_sandbox, stop_sandbox
from tests.unit.connectors.kit.sandbox.packages import copy_of, replaced

SECRET = "callback-key-of-the-sandbox"
PEOPLE = {
    "99000000591": ["early", "twice"],
    "99000000592": ["never"],
    "99000000593": ["early", "unsigned"],
    "99000000594": ["loudly"],
}


class Receiver:
    """The gateway's side: keeps what came, in its order."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], dict[str, Any], bytes]] = []
        self.changed = threading.Condition()
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with keeper.changed:
                    keeper.came.append((dict(self.headers.items()), json.loads(body), body))
                    keeper.changed.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callbacks/transport"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def wait_for(self, count: int) -> list[str]:
        """The ids in the order in which they came, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.came) >= count, 10)
            return [body["requestId"] for _, body, _ in self.came]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def receiver(listening: Receiver, register: SandboxProcess) -> Receiver:
    """The receiver, to which nothing has come yet."""
    register.reset()
    listening.came.clear()
    register.control("POST", "callbacks", {"url": listening.url})
    return listening


@pytest.fixture(scope="module")
def register(tmp_path_factory) -> Iterator[SandboxProcess]:
    """The vehicle register with a callback after each statement."""
    folder = copy_of("transport", tmp_path_factory.mktemp("callbacks"))
    replaced(
        folder / "manifest.toml",
        "[authentication]",
        """[settings.callback_secret]
type = "text"
secret = true

[callbacks.result]
operation_id = "requestId"

[callbacks.result.signature]
header = "X-Signature"
prefix = "sha256="
encoding = "hex"

[authentication]""",
    )
    replaced(folder / "sandbox.toml", "[settings]\n", f'[settings]\ncallback_secret = "{SECRET}"\n')
    with (folder / "sandbox.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[callbacks.result]\nafter = "vehicle-statement"\nbody = { requestId = "id", number = "statement.number" }\n'
            'modes = "person.callbacks"\n'
            '\n[callbacks.refused]\nsends = "result"\nafter = "vehicle-statement"\nif = "code == \'VEHICLE_SEIZED\'"\n'
            'body = { requestId = "id", number = "code" }\n'
        )
    with (folder / "persons.toml").open("a", encoding="utf-8") as file:
        for number, modes in PEOPLE.items():
            file.write(f'\n[persons.{number}]\noutcome = "done"\nar = "-"\nen = "-"\ncallbacks = {json.dumps(modes)}\n')
    sandbox = start_sandbox(str(folder))
    yield sandbox
    stop_sandbox(sandbox)


def state(sandbox: SandboxProcess, key: str, person: str = "88000000017") -> int:
    """Ask for one statement; the HTTP status."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    basic = base64.b64encode(b"jisr-sandbox:sandbox-only").decode()
    connection.request("POST", "/oauth2/token", "grant_type=client_credentials", {"Authorization": f"Basic {basic}"})
    token = json.loads(connection.getresponse().read())["access_token"]
    body = {
        "requestId": key,
        "plateNumber": "204517",
        "governorate": "01",
        "category": "1",
        "owner": {"nationalNumber": person},
    }
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    connection.request("POST", "/v1/vehicle-statements", json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    message = headers["X-Timestamp"].encode() + b"\n" + body
    return headers["X-Signature"] == "sha256=" + hmac.digest(SECRET.encode(), message, "sha256").hex()


def test_one_comes_after_each_act_and_is_signed_over_time_and_body(register, receiver):
    assert state(register, "op-1") == 201
    assert state(register, "op-1") == 201, "a repeat is no act"
    assert state(register, "op-2") == 201
    assert sorted(receiver.wait_for(2)) == ["op-1", "op-2"]
    assert all(is_signed(headers, body) for headers, _, body in receiver.came)
    assert len(receiver.came) == 2


def test_it_comes_although_the_answer_is_lost(register, receiver):
    register.switch("cut_after", operation="vehicle-statement", times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        state(register, "op-1")
    assert receiver.wait_for(1) == ["op-1"]


def test_it_comes_before_the_answer(register, receiver):
    register.switch("callback_early", operation="result")
    state(register, "op-1")
    assert [body["requestId"] for _, body, _ in receiver.came] == ["op-1"]


def test_it_comes_twice(register, receiver):
    register.switch("callback_twice")
    state(register, "op-1")
    assert receiver.wait_for(2) == ["op-1", "op-1"]


def test_it_never_comes(register, receiver):
    register.switch("callback_never", times=1)
    state(register, "op-1")
    state(register, "op-2")
    assert receiver.wait_for(1) == ["op-2"]
    shown = register.control("GET", "callbacks")["sent"]
    assert shown[0]["why"] == "never sent"


def test_two_come_in_the_wrong_order(register, receiver):
    register.switch("callback_out_of_order", times=1)
    state(register, "op-1")
    state(register, "op-2")
    assert receiver.wait_for(2) == ["op-2", "op-1"]


@pytest.mark.parametrize("mode", ["callback_unsigned", "callback_badly_signed"])
def test_its_signature_is_missing_or_wrong(register, receiver, mode):
    register.switch(mode)
    state(register, "op-1")
    receiver.wait_for(1)
    headers, _, body = receiver.came[0]
    assert ("X-Signature" in headers) == (mode == "callback_badly_signed")
    assert mode == "callback_unsigned" or not is_signed(headers, body)


def test_nobody_who_listens_is_written_down_and_breaks_nothing(register, receiver):
    register.control("POST", "callbacks", {"url": "http://127.0.0.1:1/"})
    register.switch("callback_early")
    assert state(register, "op-1") == 201
    (row,) = register.control("GET", "callbacks")["sent"]
    assert (row["status"], row["name"]) == (None, "result")
    assert row["why"]


def test_a_person_gets_it_early_and_twice_another_never_and_a_third_unsigned(register, receiver):
    early, never, unsigned, _ = PEOPLE
    state(register, "op-1", early)
    assert [body["requestId"] for _, body, _ in receiver.came] == ["op-1", "op-1"]
    state(register, "op-2", never)
    state(register, "op-3", unsigned)
    assert [body["requestId"] for _, body, _ in receiver.came] == ["op-1", "op-1", "op-3"]
    assert ["X-Signature" in headers for headers, _, _ in receiver.came] == [True, True, False]


def test_what_no_callback_can_be_is_a_sentence_for_the_author(register, receiver):
    assert state(register, "op-1", list(PEOPLE)[-1]) == 500


def test_a_refusal_is_told_too_where_the_institution_does_so(register, receiver):
    seized = next(row["key"] for row in register.control("GET", "persons") if row["outcome"] == "vehicle_seized")
    state(register, "op-1", seized)
    assert receiver.wait_for(1) == ["op-1"]
    assert receiver.came[0][1]["number"] == "VEHICLE_SEIZED"
    assert register.count() == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "http://example.test/",
        "http://127.0.0.1.example.test/",
    ],
)
def test_only_this_machine_is_called(url):
    with pytest.raises(CallbackError, match="an http address of this machine"):
        loopback(url)

"""Test channels on a gateway that is otherwise live: their requests reach test systems only, and are marked everywhere."""

import socket
import threading

import httpx
import pytest

from gateway.settings import SettingsError, load
from tests.gateways import CERTIFICATE, VEHICLE


class Ministry:
    """A live address of which it matters only who connects; it answers nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heard: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                try:
                    self.heard.append(caller.recv(65536))
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def ministry():
    there = Ministry()
    yield there
    there.close()


@pytest.fixture
def gateway(make_gateway, sandbox, ministry):
    """Live: the ministry. For test channels: the sandbox. Education has no test system."""
    live = {"base_url": ministry.url, "client_id": "jisr", "client_secret": "live-only"}
    connectors = {
        "transport": live | {"test": sandbox("transport").settings},
        "education": sandbox("education").settings,
        "syriatel_cash": sandbox("syriatel_cash").settings,
    }
    running = make_gateway(connectors=connectors)
    running.start()
    return running


def test_a_test_channel_reaches_the_sandbox_and_a_live_one_the_ministry_and_neither_the_other(
    gateway, sandbox, ministry
):
    key = gateway.add("channel", "developers", test=True)
    assert key.startswith("jisr_test_")
    with gateway.client(key) as tester:
        checked = tester.post("/v1/requests?dry_run=true", json=VEHICLE).json()
        made = gateway.submit(VEHICLE, "t-1", wait=20, client=gateway.client(key))
        assert (checked["acceptable"], made.status_code) == (True, 201), made.text
        done = made.json()
        listed = tester.get("/v1/requests").json()["items"]
        events = tester.get(done["links"]["events"]).json()["items"]
        refused = gateway.submit(CERTIFICATE, "t-2", client=gateway.client(key))
    assert (done["state"], done["test"], [item["test"] for item in listed]) == ("completed", True, [True])
    assert {event["facts"]["connector"] for event in events if "connector" in event["facts"]} == {"test.transport"}
    assert (refused.status_code, refused.json()["code"]) == (409, "not_testable")
    assert ministry.heard == []
    assert sandbox("transport").count() == 1

    calls = sandbox("transport").calls("vehicle-statement")
    real = gateway.submit(VEHICLE, "l-1").json()
    gateway.until_state(real["id"], "in_progress")
    assert real["test"] is False
    assert sandbox("transport").calls("vehicle-statement") == calls
    assert all(b"sandbox-only" not in heard for heard in ministry.heard)
    figures = httpx.get(f"{gateway.url}/metrics", timeout=10).text
    assert 'jisr_test_requests{state="completed"} 1.0' in figures
    assert 'jisr_requests{state="completed"} 0.0' in figures


@pytest.mark.parametrize(
    ("live", "apart", "words"),
    [
        ('base_url = "http://127.0.0.1:1"', 'base_url = "http://127.0.0.1:1/"', "is the live address"),
        ('base_url = "http://127.0.0.1:1"', 'base_url = "env:JISR_NO_SUCH_THING"', "which is not set"),
    ],
)
def test_settings_that_would_let_a_test_reach_the_live_system_are_refused(tmp_path, live, apart, words):
    file = tmp_path / "jisr.toml"
    file.write_text(f"[connectors.transport]\n{live}\n[connectors.transport.test]\n{apart}\n")
    settings = load(file, environment={})
    with pytest.raises(SettingsError, match=words):
        settings.test_connector("transport")


def test_a_gateway_whose_test_key_is_the_live_key_does_not_start(make_gateway, sandbox, ministry):
    live = {**sandbox("transport").settings, "base_url": ministry.url}
    gateway = make_gateway(connectors={"transport": live | {"test": sandbox("transport").settings}})
    gateway.start(ready=False)
    assert gateway.wait_dead() == 1
    assert "connectors.transport.test.client_secret is the live secret" in gateway.log

"""The small client: answers, problems and event streams, over a real socket."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from jisr.client import Client, Refused, Unreachable
from jisr.errors import CommandError

PROBLEM = (
    '{"code": "invalid_request", "detail": "Two fields are wrong.", "status": 422, '
    '"errors": [{"pointer": "/input/year", "message": {"ar": "كبير", "en": "too large"}}]}'
)
STREAM = (
    b"retry: 2000\n\n: still here\n\n"
    b'id: e1\nevent: accepted\ndata: {"state": "accepted"}\n\n'
    b'id: e2\r\nevent: completed\r\ndata: {"state":\r\ndata: "completed"}\r\n\r\n'
    b"id: e3\nevent: no-data\n\n"
)


class _Server(ThreadingHTTPServer):
    seen: ClassVar[list[dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        bodies = {"/v1/requests/r/stream": (200, STREAM), "/html": (200, b"<html>"), "/bad": (500, b"<html>")}
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            return
        status, body = bodies.get(self.path, (422, PROBLEM.encode()))
        _Server.seen.append(dict(self.headers))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    running = _Server(("127.0.0.1", 0), _Handler)
    _Server.seen.clear()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def client(server):
    return Client(f"http://127.0.0.1:{server.server_port}", "k", language="ar")


def test_a_problem_is_told_in_the_gateways_words_with_every_field(client):
    with pytest.raises(Refused) as raised:
        client.ask("GET", "/v1/requests")

    assert raised.value.code == "invalid_request"
    assert str(raised.value).splitlines() == ["Two fields are wrong.", "  /input/year: too large  [invalid_request]"]


def test_key_and_language_go_with_every_call(client, server):
    with pytest.raises(Refused):
        client.ask("GET", "/x", Idempotency_Key="i1")

    sent = server.seen[0]
    assert (sent["Authorization"], sent["Accept-Language"], sent["Idempotency-Key"]) == ("Bearer k", "ar", "i1")


def test_an_answer_that_is_no_json_is_told_in_a_sentence(client):
    with pytest.raises(CommandError, match="not JSON"):
        client.ask("GET", "/html").json()
    with pytest.raises(Refused, match="HTTP 500"):
        client.ask("GET", "/bad")


def test_a_stream_gives_events_and_skips_comments_and_what_has_no_data(client):
    events = list(client.stream("r", after="e0"))

    assert [(event.id, event.kind, event.data["state"]) for event in events] == [
        ("e1", "accepted", "accepted"),
        ("e2", "completed", "completed"),
    ]


def test_a_stream_goes_on_after_the_last_event_that_was_seen(client, server):
    list(client.stream("r", after="e0"))

    assert server.seen[0]["Last-Event-ID"] == "e0"


def test_a_stream_ends_when_the_patience_of_the_reader_does(client):
    assert list(client.stream("r", until=0.0)) == []


def test_a_broken_answer_and_a_closed_port_are_unreachable(client, server):
    with pytest.raises(Unreachable):
        client.ask("GET", "/cut")
    with pytest.raises(Unreachable, match="refused"):
        Client("http://127.0.0.1:1", "k").ask("GET", "/")


@pytest.mark.parametrize("url", ["", "localhost", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(CommandError, match="not of the form"):
        Client(url, "k")

"""The demonstration's channel is told what becomes of its requests: it listens and believes what is signed."""

import hmac
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from gateway.webhooks.signing import signed_headers
from jisr.client import Client
from jisr.errors import CommandError

#: What the settings must allow, so that a receiver may stand on this machine.
SETTINGS = '[webhooks]\nprivate_networks = ["127.0.0.0/8"]\nplain_http = true\n'
_MOST_BYTES = 65_536
_TOLD_SECONDS = 5.0
_PREFIX = "jisr.request."


class Listener:
    """A receiver on loopback."""

    def __init__(self) -> None:
        self._secret = ""
        self._news = threading.Condition()
        self._told: dict[str, dict[str, str]] = defaultdict(dict)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._hear))
        self._thread = threading.Thread(target=self._server.serve_forever, name="demo-channel", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def subscribe(self, client: Client) -> bool:
        """Be told from now on, in place of earlier runs; False when the gateway did not take it."""
        try:
            for earlier in client.ask("GET", "/v1/webhooks").json()["items"]:
                client.ask("DELETE", f"/v1/webhooks/{earlier['id']}")
            body = json.dumps({"url": f"http://127.0.0.1:{self._server.server_port}/jisr"}).encode()
            self._secret = client.ask("POST", "/v1/webhooks", body).json()["secret"]
        except CommandError:
            return False
        return True

    def told(self, request_id: str, *, last: str) -> list[str]:
        """The states that were told of a request, in order; it waits a moment for the `last` one."""
        until = time.monotonic() + _TOLD_SECONDS
        with self._news:
            while last not in self._told[request_id].values() and (left := until - time.monotonic()) > 0:
                self._news.wait(left)
            return list(self._told[request_id].values())

    def _hear(self, headers: Callable[[str], str], body: bytes) -> bool:
        """Whether the event is genuine; one that comes again is known by its id."""
        event_id, seconds = headers("webhook-id"), headers("webhook-timestamp")
        if not (self._secret and seconds.isdigit()):
            return False
        wanted = signed_headers(event_id, int(seconds), body, [self._secret])["webhook-signature"]
        if not hmac.compare_digest(wanted.encode(), headers("webhook-signature").encode()):
            return False
        event = json.loads(body)
        with self._news:
            self._told[event.get("subject", "")][event_id] = event["type"].removeprefix(_PREFIX)
            self._news.notify_all()
        return True


def _handler(hear: Callable[[Callable[[str], str], bytes], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("content-length") or 0), _MOST_BYTES))
            self.send_response(204 if hear(lambda name: self.headers.get(name, ""), body) else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: what was told is shown at the end."""

    return Handler

"""One gateway in front of every institution of the catalogue, and a citizen who does what is asked."""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.catalogue import Catalogue
from gateway.settings import BUILTIN_SERVICES
from jisr.demo_citizen import answer_to, file_for, uploads_in
from tests.gateways import GatewayProcess, until
from tests.sandboxes import SandboxProcess

SERVICES = Path(__file__).resolve().parents[2] / "config" / "services"
SERVICES_BY_ID = {service.id: service for service in Catalogue.load([BUILTIN_SERVICES])}
EXAMPLES = {file.name.removesuffix(".example.json"): file for file in sorted(SERVICES.glob("*.example.json"))}
WALLETS = ("syriatel_cash",)
#: In the proportions of the defaults, and quick; patient enough for a busy machine.
DISPATCH = {
    "lease_seconds": 30,
    "send_window_seconds": 10,
    "backoff_first_seconds": 0.2,
    "backoff_max_seconds": 1,
    "poll_seconds": 0.1,
    "inquiry_seconds": [0.3, 0.3, 0.5, 0.5, 1, 1, 1, 1, 1, 1],
    "inquiry_wish_max_seconds": 1,
}


def example(service: str) -> dict[str, Any]:
    """The service's example request."""
    body: dict[str, Any] = json.loads(EXAMPLES[service].read_text(encoding="utf-8"))
    return body


def with_person(service: str, number: str) -> dict[str, Any]:
    """The example, asked for by a test person."""
    body = example(service)
    return {**body, "applicant": {**body["applicant"], "national_number": number}}


def institutions(service: str) -> list[str]:
    """The connectors that the service's steps name."""
    steps = tomllib.loads((SERVICES / f"{service}.toml").read_text(encoding="utf-8"))["steps"]
    return list(dict.fromkeys(step["connector"] for step in steps if "connector" in step))


class House:
    """One gateway in front of every institution that the examples need."""

    def __init__(self, gateway: GatewayProcess, sandbox: Callable[[str], SandboxProcess]) -> None:
        self.gateway = gateway
        self.sandbox = sandbox
        self._keys = iter(range(1, 10_000))
        #: What the citizen does when asked, by the action's kind.
        self.citizen: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {"confirm_otp": self._otp}

    def _answer(self, request: Mapping[str, Any]) -> Any:
        """What the citizen says: the code of the wallet, or the last of what the form allows, with uploads."""
        action = request["next_action"]
        if action["kind"] in self.citizen:
            return self.citizen[action["kind"]](request)
        uploads = {name: self.gateway.upload(file_for(f"{name}-again")) for name in uploads_in(action["schema"])}
        return answer_to(action["schema"]) | uploads

    def _otp(self, request: Mapping[str, Any]) -> Any:
        """The code of the newest payment."""
        wallet, stem = self.sandbox(request["payment"]["method"]), request["id"].replace("-", "")
        for number in (2, 1):
            with suppress(IndexError):
                return {"otp": wallet.otp(f"{stem}-p{number}")}
        raise AssertionError("the wallet sent no code")

    def ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Submit it with the uploads that the service needs; the request as it was accepted."""
        body = self.gateway.with_uploads(SERVICES_BY_ID[body["service"]], body)
        asked = self.gateway.submit(body, f"every-{next(self._keys)}", wait=5)
        assert asked.status_code in (201, 202), asked.text
        request: dict[str, Any] = asked.json()
        return request

    def walk(self, body: Mapping[str, Any], *wanted: str) -> dict[str, Any]:
        """Ask, and do what the citizen is asked for, until the request is final or in one of the wanted states."""
        request, answered = self.ask(body), set()
        while not request["final"] and request["state"] not in wanted:
            action = request["next_action"]
            if action and action["id"] not in answered:
                answered.add(action["id"])
                said = self.gateway.act(request, self._answer(request), f"{request['id']}-{action['id']}")
                assert said.status_code < 300, said.text
            if (request["reason"] or {}).get("code") == "waiting_at_centre":
                with self.gateway.client() as http:
                    assert http.post(f"/v1/requests/{request['id']}/handed-over").status_code == 200
            request = until(partial(self._moved, request, answered), f"{request['id']}, {request['state']}")
        return request

    def is_final(self, request: Mapping[str, Any]) -> bool:
        """Whether it has ended."""
        return bool(self.gateway.get(str(request["id"]))["final"])

    def _moved(self, seen: Mapping[str, Any], answered: set[str]) -> dict[str, Any] | None:
        found = self.gateway.get(seen["id"])
        action = found["next_action"]
        asked = action is not None and action["id"] not in answered
        return found if found["final"] or asked or found["state"] != seen["state"] else None

    def effects(self, request: Mapping[str, Any], institution: str) -> dict[str, int]:
        """What the institution's ledger says about this request: effect -> how often."""
        stem = request["id"].replace("-", "")
        rows = [row for row in self.sandbox(institution).effects() if row["operation_id"].startswith(stem)]
        return {row["what"]: row["count"] for row in rows}

    def documents(self, request: Mapping[str, Any]) -> list[bytes]:
        """The request's documents, each held against its digest."""
        found = []
        with self.gateway.client() as http:
            for document in request["documents"]:
                content = http.get(document["href"]).content
                assert document["digest"] == f"sha256:{sha256(content).hexdigest()}"
                found.append(content)
        return found

    def result(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request's result, where it is data."""
        with self.gateway.client() as http:
            found: dict[str, Any] = http.get(request["links"]["result"]).json()["result"]
        return found

    def events(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The request's timeline."""
        with self.gateway.client() as http:
            items: list[dict[str, Any]] = http.get(request["links"]["events"]).json()["items"]
        return items


@contextmanager
def open_house(folder: Path, sandboxes: Callable[[str], SandboxProcess]) -> Iterator[House]:
    """A running gateway on SQLite (the other database has the same store tests), and the sandboxes, clean."""
    names = {*WALLETS, "post", *(name for service in EXAMPLES for name in institutions(service))}
    for name in names:
        sandboxes(name).reset()
    settings = {name: sandboxes(name).settings for name in sorted(names)}
    gateway = GatewayProcess(folder, f"sqlite:///{folder / 'jisr.db'}", settings, dict(DISPATCH))
    gateway.install()
    gateway.start()
    try:
        yield House(gateway, sandboxes)
    finally:
        gateway.stop()

"""Every service of the catalogue: its example request goes through the real gateway, over the institution's own wire, to
the canonical result.

A service comes into the table by its file `config/services/<id>.example.json`, a body of `POST /v1/requests`. One
gateway serves them all; the sandboxes' ledgers say what the institutions really did.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

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

    def events(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The request's timeline."""
        with self.gateway.client() as http:
            items: list[dict[str, Any]] = http.get(request["links"]["events"]).json()["items"]
        return items


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, sandbox_processes: Callable[[str], SandboxProcess]
) -> Iterator[House]:
    """A running gateway on SQLite (the other database has the same store tests), and the sandboxes, clean."""
    names = {*WALLETS, "post", *(name for service in EXAMPLES for name in institutions(service))}
    for name in names:
        sandbox_processes(name).reset()
    folder = tmp_path_factory.mktemp("house")
    settings = {name: sandbox_processes(name).settings for name in sorted(names)}
    gateway = GatewayProcess(folder, f"sqlite:///{folder / 'jisr.db'}", settings, dict(DISPATCH))
    gateway.install()
    gateway.start()
    yield House(gateway, sandbox_processes)
    gateway.stop()


def with_person(service: str, number: str) -> dict[str, Any]:
    """The example, asked for by a test person."""
    body = example(service)
    return {**body, "applicant": {**body["applicant"], "national_number": number}}


@pytest.mark.parametrize("service", EXAMPLES)
def test_the_example_travels_to_its_institution_and_comes_back_as_a_result(house, service):
    done = house.walk(example(service))

    assert (done["state"], done["reason"]) == ("completed", None)
    assert done["documents"]
    assert all(content.startswith(b"%PDF-") for content in house.documents(done))
    (institution,) = institutions(service)
    acts = house.effects(done, institution)
    assert acts
    assert set(acts.values()) == {1}


def test_an_html_page_of_an_overloaded_register_is_no_answer_read_again_or_asked_about(house):
    """To the check, which is read again; and to the request itself, after the extract was issued: it is inquired."""
    done = house.walk(with_person("trade.commercial-register", "99000000095"))

    assert done["state"] == "completed"
    assert house.effects(done, "internal_trade") == {"extract": 1}
    told = [(event["kind"], event["facts"].get("code")) for event in house.events(done)]
    assert ("delayed", "upstream_protocol") in told
    assert ("answer_lost", "upstream_protocol") in told


NO_POSTGRADUATE = "higher-education.no-postgraduate-application"


def test_a_closed_ministry_gets_the_request_when_it_opens_as_its_fault_says(house):
    """It is closed at the check, and again at the submission; each opens two seconds later."""
    done = house.walk(with_person(NO_POSTGRADUATE, "99000000040"))

    assert done["state"] == "completed"
    assert house.effects(done, "higher_education") == {"file": 1}
    closed = [event["facts"] for event in house.events(done) if event["facts"].get("code") == "institution_closed"]
    assert len(closed) == 2
    assert all(0 < facts["seconds"] <= 2 for facts in closed)


def test_each_station_that_an_inquiry_tells_stands_in_the_timeline(house):
    done = house.walk(with_person(NO_POSTGRADUATE, "99000000001"))

    assert done["state"] == "completed"
    told = [event["facts"].get("code") for event in house.events(done) if event["kind"] == "received"]
    assert told == ["received", "with_the_department", "awaiting_signature", "awaiting_signature"]
    assert house.effects(done, "higher_education") == {"file": 1}


def test_what_the_department_refuses_after_it_was_received_is_refused_with_its_reason(house):
    done = house.walk(with_person(NO_POSTGRADUATE, "99000000002"))

    assert (done["state"], done["reason"]["code"]) == ("refused", "postgraduate_application_exists")


DEFERMENT = "damascus-university.military-deferment"


def test_a_deferment_is_copied_to_the_recruitment_office_once_and_the_result_says_so(house):
    done = house.walk(example(DEFERMENT))

    assert done["state"] == "completed"
    assert house.effects(done, "damascus_university") == {"document": 1, "recruitment_copy": 1}
    with house.gateway.client() as http:
        result = http.get(done["links"]["result"]).json()["result"]
    assert result["recruitment_office"] == "tartus"
    assert result["recruitment_copy"]


def test_who_cannot_be_deferred_is_told_so_before_paying_and_gets_other_documents(house):
    """The university refuses by a SOAP Fault with HTTP 200."""
    person = "99000000905"
    refused = house.walk(with_person(DEFERMENT, person))
    issued = house.walk(with_person("damascus-university.transcript", person))

    assert (refused["state"], refused["reason"]["code"]) == ("refused", "deferment_not_possible")
    assert refused["payment"]["state"] != "paid"
    assert house.effects(refused, "damascus_university") == {}
    assert issued["state"] == "completed"
    assert house.effects(issued, "damascus_university") == {"document": 1}


PASSPORT = "interior.passport"


def test_a_rejected_photo_is_sent_again_and_the_application_goes_on(house):
    done = house.walk(with_person(PASSPORT, "99000000702"))

    assert done["state"] == "completed"
    assert house.effects(done, "interior") == {"application": 1, "photo": 1, "appointment": 1}


def test_an_appointment_that_was_taken_meanwhile_is_asked_for_again(house):
    asked = []

    def first_left(request: Mapping[str, Any]) -> Any:
        slots = request["next_action"]["schema"]["properties"]["slot"]["enum"]
        asked.append(slots)
        return {"slot": slots[0]}

    house.citizen = {**house.citizen, "choose_slot": first_left}
    done = house.walk(with_person(PASSPORT, "99000000703"))

    assert (done["state"], asked) == ("completed", [["DAM1-09", "DAM1-10"], ["DAM1-10"]])
    assert house.effects(done, "interior") == {"application": 1, "appointment": 1}


def test_when_all_appointments_are_taken_the_citizen_is_told_so(house):
    done = house.walk(with_person(PASSPORT, "99000000704"))

    assert (done["state"], done["reason"]["code"]) == ("refused", "no_appointment_left")
    assert house.effects(done, "interior") == {"application": 1}


LICENCE = "transport.driving-licence"
STATEMENT = "transport.vehicle-statement"


def test_a_licence_is_printed_once_and_posted_once(house):
    done = house.walk(example(LICENCE))

    assert done["state"] == "completed"
    assert house.effects(done, "transport") == {"licence": 1}
    assert house.effects(done, "post") == {"parcel": 1}
    tracked = [event["facts"]["event"] for event in house.events(done) if event["kind"] == "tracked"]
    assert (tracked[0], tracked[-1]) == ("registered", "delivered")
    with house.gateway.client() as http:
        result = http.get(done["links"]["result"]).json()["result"]
    assert result["licence_number"] == example(LICENCE)["input"]["licence_number"]


def test_a_photo_that_is_rejected_after_it_was_received_is_sent_again_and_the_licence_printed(house):
    done = house.walk(with_person(LICENCE, "99000000046"))

    assert done["state"] == "completed"
    assert house.effects(done, "transport") == {"licence": 1, "photo": 1}
    assert [event["facts"].get("code") for event in house.events(done)].count("photo_rejected") == 1


def test_n10_too_many_requests_are_sent_again_when_retry_after_says_so(house):
    done = house.walk(with_person(LICENCE, "99000000048"))

    assert done["state"] == "completed"
    assert house.effects(done, "transport") == {"licence": 1}
    (delayed,) = [event for event in house.events(done) if event["kind"] == "delayed"]
    assert delayed["facts"]["code"] == "upstream_busy"


def test_a_token_that_ends_in_the_middle_is_fetched_once_for_all_workers(house):
    """Eight statements are asked for while all tokens end and a new one is slow to come."""
    transport = house.sandbox("transport")
    assert house.walk(example(STATEMENT))["state"] == "completed"
    fetched = transport.calls("token")
    transport.switch("token_expired", operation="vehicle-statement", times=1)
    transport.switch("latency", 300, operation="token", times=1)
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(house.ask, [example(STATEMENT)] * 8))
    for request in asked:
        until(partial(house.is_final, request), request["id"])
        assert house.effects(request, "transport") == {"statement": 1}
    assert transport.calls("token") == fetched + 1


INSURANCE = "insurance.compulsory-motor"


@pytest.mark.parametrize(
    ("person", "asked_for", "payments", "paid", "refund"),
    [
        ("99000000801", "consent_price", 2, "195.00", None),
        ("99000000802", "consent_price", 1, "180.00", "10.00"),
        ("99000000803", "renew_quote", 1, "180.00", None),
    ],
    ids=["dearer", "cheaper", "quote over"],
)
def test_a_price_that_is_no_longer_in_force_is_consented_to_and_the_difference_settled(
    house, person, asked_for, payments, paid, refund
):
    done = house.walk(with_person(INSURANCE, person))

    assert done["state"] == "completed"
    assert house.effects(done, "insurance") == {"policy": 1}
    asked = [event["facts"]["kind"] for event in house.events(done) if event["kind"] == "needs_citizen"]
    assert sorted(asked) == sorted([*["confirm_otp"] * payments, asked_for])
    payment = done["payment"]
    assert (payment["paid"]["value"], (payment["refund"] or {"value": None})["value"]) == (paid, refund)


def test_a_premium_follows_category_and_months(house):
    body = example(INSURANCE)
    done = house.walk({**body, "input": {**body["input"], "category": "taxi", "months": 3}})

    assert (done["state"], done["payment"]["paid"]["value"]) == ("completed", "85.00")

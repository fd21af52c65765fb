"""Every service of the catalogue: its example request goes through the real gateway, over the institution's own wire, to
the canonical result.

A service comes into the table by its file `config/services/<id>.example.json`, a body of `POST /v1/requests`. One
gateway serves them all; the sandboxes' ledgers say what the institutions really did.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.gateways import until
from tests.journeys.house import EXAMPLES, SERVICES_BY_ID, House, example, institutions, open_house, with_person
from tests.sandboxes import SandboxProcess


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, sandbox_processes: Callable[[str], SandboxProcess]
) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house"), sandbox_processes) as opened:
        yield opened


def test_every_service_of_the_catalogue_has_its_example():
    assert set(EXAMPLES) == set(SERVICES_BY_ID)


@pytest.mark.parametrize("service", EXAMPLES)
def test_the_example_travels_to_its_institution_and_comes_back_as_a_result(house, service):
    done = house.walk(example(service))

    assert (done["state"], done["reason"]) == ("completed", None)
    assert all(content.startswith(b"%PDF-") for content in house.documents(done))
    assert done["documents"] or house.result(done)
    (institution,) = institutions(service)
    acts = house.effects(done, institution)
    asks_only = "submit" not in [step.kind for step in SERVICES_BY_ID[service].steps]
    assert set(acts.values()) == (set() if asks_only else {1})


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
    result = house.result(done)
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
    result = house.result(done)
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


def test_a_price_that_wallets_cannot_take_is_told_before_anything_is_sent_to_one(house):
    body = with_person(INSURANCE, "99000000804")
    with house.gateway.client() as http:
        told = http.post("/v1/requests", json=body, headers={"Prefer": "check"}).json()
    refused = house.walk(body)

    assert (told["acceptable"], told["payment_methods"], told["reason"]["code"]) == (False, [], "amount_not_payable")
    assert told["quote"]["amount"]["value"] == "180.50"
    assert (refused["state"], refused["reason"]["code"]) == ("refused", "amount_not_payable")
    assert house.effects(refused, "syriatel_cash") == house.effects(refused, "insurance") == {}


def test_a_difference_that_wallets_cannot_take_is_for_people_and_what_was_paid_is_kept(house):
    parked = house.walk(with_person(INSURANCE, "99000000805"), "parked")

    assert (parked["state"], parked["reason"]["code"]) == ("parked", "amount_not_payable")
    assert parked["payment"]["paid"]["value"] == "180.00"
    assert house.effects(parked, "insurance") == {}

"""What an institution asks of the citizen: a better photo, an appointment, consent to another price; and what follows."""

import signal
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from jisr.setup import toml
from tests.gateways import APPLICANT
from tests.offices import OFFICE, PAYER, SERVICES, body, effects


def asked(gateway, service, person, key, **more):
    """A new request that waits for its citizen by now."""
    made = gateway.submit(body(service, person, **more), key, wait=20)
    assert made.status_code in (201, 202), made.text
    return gateway.until_state(made.json()["id"], "awaiting_citizen")


def pay(gateway, sandbox, request, key):
    """Answer the one-time password that the wallet sent last."""
    code = sandbox("syriatel_cash").control("GET", "messages")[-1]["otp"]
    answer = gateway.act(request, {"otp": code}, key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_rejected_photo_goes_back_to_the_citizen_until_it_is_good(running, office):
    request = asked(running, "permit", "99000000601", "p-1")
    action = request["next_action"]
    assert (action["kind"], request["reason"]["code"]) == ("resubmit_photo", "photo_rejected")
    assert action["text"]["en"] == "The photo was rejected (blurred). Please send a clearer one."
    assert action["labels"]["photo"]["ar"] == "الصورة"
    assert action["expires_at"] > request["updated_at"]

    wrong = running.act(request, {"picture": "x"}, "p-1-wrong")
    assert (wrong.status_code, {error["pointer"] for error in wrong.json()["errors"]}) == (422, {"/picture", "/photo"})
    again = running.act(request, {"photo": "blurred"}, "p-1-first").json()
    assert again["next_action"]["id"] != action["id"]
    assert again["state"] == "awaiting_citizen"
    late = running.act(request, {"photo": "clear"}, "p-1-late")
    assert (late.status_code, late.json()["code"]) == (409, "action_not_open")

    good = running.act(again, {"photo": "clear"}, "p-1-second")
    replayed = running.act(again, {"photo": "clear"}, "p-1-second")
    assert (good.status_code, replayed.headers["idempotency-replayed"]) == (200, "true")
    done = running.until_state(request["id"], "completed")
    assert done["documents"][0]["media_type"] == "application/pdf"
    assert (effects(office, "application"), effects(office, "photo")) == (1, 1)


def test_an_answer_that_is_given_twice_at_once_is_handed_over_once(running, office):
    request = asked(running, "permit", "99000000601", "p-2")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: running.act(request, {"photo": f"clear {n}"}, f"p-2-{n}"), range(6)))
    assert [answer.status_code < 300 for answer in sorted(answers, key=lambda each: each.status_code)] == [True] + [
        False
    ] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"action_not_open"}
    running.until_state(request["id"], "completed")
    assert effects(office, "photo") == 1


def test_an_answer_whose_reply_is_lost_is_handed_over_again_under_the_same_id(running, office):
    request = asked(running, "permit", "99000000601", "p-3")
    office.switch("cut_after", operation="photo", times=1)
    running.act(request, {"photo": "clear"}, "p-3-a")
    running.until_state(request["id"], "completed")
    assert effects(office, "photo") == 2  # counted at the office: the same photo under the same id
    assert len({effect["operation_id"] for effect in office.effects() if effect["what"] == "photo"}) == 1


def test_appointments_that_run_out_are_asked_for_again_with_those_that_are_left(running, office):
    request = asked(running, "permit", "99000000602", "s-1")
    action = request["next_action"]
    assert action["schema"]["properties"]["slot"]["enum"] == ["monday", "tuesday"]
    assert action["labels"]["slot"]["values"]["monday"] == {"ar": "الاثنين", "en": "Monday"}
    assert running.act(request, {"slot": "friday"}, "s-1-x").status_code == 422
    taken = running.act(request, {"slot": "monday"}, "s-1-a").json()
    assert taken["reason"]["code"] == "slot_taken"
    assert taken["next_action"]["schema"]["properties"]["slot"]["enum"] == ["tuesday"]
    done = running.act(taken, {"slot": "tuesday"}, "s-1-b").json()
    assert done["state"] == "completed"
    assert effects(office, "booking") == 1


def test_a_quote_says_what_is_paid_and_the_policy_is_bound_with_it(running, office, sandbox):
    with running.client() as http:
        told = http.post("/v1/requests?dry_run=true", json=body("policy", APPLICANT["national_number"], payment=PAYER))
    assert told.json()["quote"]["amount"] == {"value": "100.00", "currency": "SYP", "denomination": "SYP-new"}
    assert told.json()["fee"]["value"] == "100.00"
    with running.client() as http:
        refused = http.post("/v1/requests?dry_run=true", json=body("policy", "99000000605", payment=PAYER)).json()
    assert (refused["acceptable"], refused["reason"]["code"]) == (False, "refused_by_institution")

    request = asked(running, "policy", APPLICANT["national_number"], "q-1", payment=PAYER)
    assert (request["payment"]["amount"]["value"], request["payment"]["paid"]["value"]) == ("100.00", "0.00")
    done = pay(running, sandbox, request, "q-1-otp")
    done = running.until_state(done["id"], "completed")
    assert (done["payment"]["state"], done["payment"]["refund_due"]) == ("succeeded", False)
    assert effects(office, "policy") == 1


@pytest.mark.parametrize(("person", "payments", "refund"), [("99000000603", 2, None), ("99000000604", 1, "10.00")])
def test_a_price_that_changed_needs_consent_and_the_difference_is_paid_or_owed_back(
    running, office, sandbox, person, payments, refund
):
    request = asked(running, "policy", person, f"c-{person}", payment=PAYER)
    paid = pay(running, sandbox, request, f"c-{person}-otp")
    paid = running.until_state(paid["id"], "awaiting_citizen")
    assert (paid["next_action"]["kind"], paid["reason"]["code"]) == ("consent_price", "price_changed")
    new, due = ("120.00", "20.00") if payments == 2 else ("90.00", "0.00")
    assert paid["next_action"]["details"] == {
        "amount": new, "amount_before": "100.00", "due": due, "refund": refund or "0.00",
    }  # fmt: skip
    answered = running.act(paid, {"consent": True}, f"c-{person}-yes")
    assert answered.status_code == 200, answered.text
    if payments == 2:
        again = running.until_state(paid["id"], "awaiting_citizen")
        assert (again["next_action"]["kind"], again["payment"]["paid"]["value"]) == ("confirm_otp", "100.00")
        pay(running, sandbox, again, f"c-{person}-otp2")
    done = running.until_state(paid["id"], "completed")
    assert done["payment"]["amount"]["value"] == new
    assert Decimal(done["payment"]["paid"]["value"]) == Decimal("120" if payments == 2 else "100")
    assert (done["payment"]["refund"] or {}).get("value") == refund
    assert effects(office, "policy") == 1
    assert effects(sandbox("syriatel_cash"), "debit") == payments


def test_whoever_does_not_consent_gets_the_money_back_and_nothing_is_bound(running, office, sandbox):
    request = asked(running, "policy", "99000000603", "n-1", payment=PAYER)
    paid = pay(running, sandbox, request, "n-1-otp")
    paid = running.until_state(paid["id"], "awaiting_citizen")
    answer = running.act(paid, {"consent": False}, "n-1-no")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    replayed = running.act(paid, {"consent": False}, "n-1-no")
    assert replayed.json() == answer.json()
    ended = running.get(request["id"])
    assert (ended["state"], ended["reason"]["code"]) == ("cancelled", "citizen_declined")
    assert ended["payment"]["refund"]["value"] == "100.00"
    assert effects(office, "policy") == 0
    assert running.act(paid, {"consent": True}, "n-1-yes").status_code == 409


def test_a_price_other_than_the_one_that_was_shown_is_asked_about_before_anything_is_paid(running, sandbox):
    shown = {**PAYER, "amount": {"value": "80.00", "currency": "SYP", "denomination": "SYP-new"}}
    request = asked(running, "policy", APPLICANT["national_number"], "w-1", payment=shown)
    assert request["next_action"]["kind"] == "consent_price"
    assert request["payment"] is None
    answered = running.act(request, {"consent": True}, "w-1-yes").json()
    request = running.until_state(answered["id"], "awaiting_citizen")
    assert (request["next_action"]["kind"], request["payment"]["amount"]["value"]) == ("confirm_otp", "100.00")
    pay(running, sandbox, request, "w-1-otp")
    running.until_state(request["id"], "completed")


def test_a_question_that_nobody_answers_in_time_ends_the_request(running, office):
    request = asked(running, "permit", "99000000606", "e-1")  # the office gives this one two seconds
    ended = running.until_state(request["id"], "expired")
    assert ended["reason"]["code"] == "not_answered_in_time"
    assert ended["reason"]["citizen"]["ar"]
    late = running.act(request, {"photo": "clear"}, "e-1-late")
    assert (late.status_code, late.json()["code"]) == (409, "action_not_open")
    assert effects(office, "photo") == 0


@pytest.mark.parametrize("point", ["intend.after_commit", "answer.before_record"])
def test_c4_a_gateway_that_dies_with_the_citizens_answer_on_its_way_hands_it_over_under_the_same_id(
    make_gateway, sandbox, office, point
):
    gateway = make_gateway(connectors={"permit_office": office.settings}, services=[str(SERVICES)])
    gateway.config.write_text(f"connector_paths = {toml([OFFICE])}\n{gateway.config.read_text()}")
    gateway.start()
    request = asked(gateway, "permit", "99000000601", "k-1")
    assert gateway.stop() == 0
    gateway.start(crash_at=point)
    with pytest.raises(httpx.TransportError):
        gateway.act(request, {"photo": "clear"}, "k-1-a")
    assert gateway.wait_dead() == -signal.SIGKILL
    gateway.start()
    gateway.until_state(request["id"], "completed")
    assert gateway.act(request, {"photo": "clear"}, "k-1-a").headers["idempotency-replayed"] == "true"
    assert len({effect["operation_id"] for effect in office.effects() if effect["what"] == "photo"}) == 1

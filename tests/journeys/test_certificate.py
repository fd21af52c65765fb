"""The main job, end to end over real processes: a paid certificate and a free vehicle statement, on both databases."""

from hashlib import sha256

import pytest

from tests.gateways import CERTIFICATE, VEHICLE


def document_of(gateway, request):
    (document,) = request["documents"]
    with gateway.client() as http:
        answer = http.get(document["href"])
    assert answer.status_code == 200
    assert document["digest"] == f"sha256:{sha256(answer.content).hexdigest()}"
    return answer.content


def transaction_of(request):
    return f"{request['id'].replace('-', '')}-p1"


def test_a_paid_certificate_comes_back_as_a_document(gateway, sandbox):
    asked = gateway.submit(CERTIFICATE, "paid-1", wait=20)
    assert asked.status_code == 202, asked.text
    request = asked.json()
    assert (request["state"], request["next_action"]["kind"]) == ("awaiting_citizen", "confirm_otp")
    assert asked.headers["Location"].endswith(f"/v1/requests/{request['id']}")
    otp = sandbox("syriatel_cash").otp(transaction_of(request))

    gateway.act(request, {"otp": otp}, "otp-1")
    done = gateway.until_state(request["id"], "completed")

    assert document_of(gateway, done).startswith(b"%PDF-")
    assert done["payment"]["state"] == "succeeded"
    assert sandbox("syriatel_cash").count() == 1
    assert sandbox("education").count() == 1


def test_a_free_vehicle_statement_is_there_in_one_call(gateway, sandbox):
    answer = gateway.submit(VEHICLE, "free-1", wait=20)
    assert answer.status_code == 201, answer.text
    assert document_of(gateway, answer.json()).startswith(b"%PDF-")
    assert sandbox("transport").count() == 1
    replayed = gateway.submit(VEHICLE, "free-1", wait=20)
    assert (replayed.status_code, replayed.content) == (201, answer.content)
    assert sandbox("transport").count() == 1


def test_a_wrong_code_is_told_and_a_new_one_can_be_asked_for(gateway, sandbox):
    request = gateway.submit(CERTIFICATE, "wrong-1", wait=20).json()
    otp = sandbox("syriatel_cash").otp(transaction_of(request))
    wrong = gateway.act(request, {"otp": "0000" if otp != "0000" else "1111"}, "otp-1").json()
    assert (wrong["state"], wrong["reason"]["code"]) == ("awaiting_citizen", "otp_wrong")
    assert wrong["next_action"]["id"] != request["next_action"]["id"]
    again = gateway.act(wrong, {"resend": True}, "resend-1").json()
    assert again["state"] == "awaiting_citizen"
    fresh = sandbox("syriatel_cash").otp(transaction_of(request))
    gateway.act(again, {"otp": fresh}, "otp-2")
    assert gateway.until_state(request["id"], "completed")["payment"]["state"] == "succeeded"
    assert sandbox("syriatel_cash").count() == 1


def test_an_answer_to_an_action_that_is_over_is_refused_and_a_replay_is_answered(gateway, sandbox):
    request = gateway.submit(CERTIFICATE, "over-1", wait=20).json()
    otp = sandbox("syriatel_cash").otp(transaction_of(request))
    first = gateway.act(request, {"otp": otp}, "otp-1")
    assert gateway.act(request, {"otp": otp}, "otp-1").content == first.content
    refused = gateway.act(request, {"otp": otp}, "otp-other")
    assert (refused.status_code, refused.json()["code"]) == (409, "action_not_open")
    assert sandbox("syriatel_cash").count() == 1


def test_a_request_can_be_cancelled_before_the_payment_and_not_after_it(gateway, sandbox):
    request = gateway.submit(CERTIFICATE, "cancel-1", wait=20).json()
    with gateway.client() as http:
        cancelled = http.post(f"/v1/requests/{request['id']}/cancel", headers={"Idempotency-Key": "c-1"})
    assert cancelled.status_code == 200, cancelled.text
    assert cancelled.json()["state"] == "cancelled"
    paid = gateway.submit(CERTIFICATE, "cancel-2", wait=20).json()
    gateway.act(paid, {"otp": sandbox("syriatel_cash").otp(transaction_of(paid))}, "otp-1")
    gateway.until_state(paid["id"], "completed")
    with gateway.client() as http:
        refused = http.post(f"/v1/requests/{paid['id']}/cancel", headers={"Idempotency-Key": "c-2"})
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_cancel")


@pytest.mark.parametrize("year", [1985])
def test_an_old_certificate_is_with_the_ministry_until_it_is_found(gateway, sandbox, year):
    body = CERTIFICATE | {"input": CERTIFICATE["input"] | {"year": year}}
    request = gateway.submit(body, "old-1", wait=20).json()
    gateway.act(request, {"otp": sandbox("syriatel_cash").otp(transaction_of(request))}, "otp-1")
    done = gateway.until_state(request["id"], "completed")
    with gateway.client() as http:
        kinds = [event["state"] for event in http.get(f"/v1/requests/{done['id']}/events").json()["items"]]
    assert "with_institution" in kinds
    assert sandbox("education").count() == 1

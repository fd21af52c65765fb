"""C1 to C5: the gateway dies by SIGKILL at a named point, is started again, and the institutions' ledgers are read."""

import signal

import pytest

from tests.faults.looking import Calling, certificate, evidence, kinds, payment_of, rows, stem_of, until_asked
from tests.gateways import VEHICLE, until

KILLED = -signal.SIGKILL
#: After the answer was read; its record is lost in both cases.
UNRECORDED = ("answer.before_record", "settle.before_commit")


def crash_on(gateway, point, call):
    """Start with a crash point, call, and wait until the gateway has died of it; what the caller got."""
    gateway.start(crash_at=point)
    calling = Calling(call)
    assert gateway.wait_dead() == KILLED, gateway.log[-2000:]
    return calling.end()


def listed(gateway):
    with gateway.client() as http:
        return http.get("/v1/requests").json()["items"]


def completed(gateway, request):
    done = gateway.until_state(request["id"], "completed", "parked", "refused", "in_doubt")
    if done["state"] == "in_doubt":
        done = gateway.until_state(request["id"], "completed", "parked", "refused")
    assert done["state"] == "completed", done
    assert len(done["documents"]) == 1
    return done


def test_c1_a_crash_before_the_commit_of_accept_accepts_nothing_and_the_retry_accepts_once(make_gateway, sandbox):
    gateway = make_gateway()
    answer = crash_on(gateway, "accept.before_commit", lambda: gateway.submit(VEHICLE, "c1"))
    assert answer is None, "an answer came before the commit"
    gateway.start()
    assert listed(gateway) == []
    retried = gateway.submit(VEHICLE, "c1", wait=20)
    assert retried.status_code in (201, 202)
    assert "idempotency-replayed" not in retried.headers
    completed(gateway, retried.json())
    assert len(listed(gateway)) == 1
    assert sandbox("transport").count() == 1


def test_c2_a_crash_after_the_commit_of_accept_is_answered_by_the_stored_answer(make_gateway, sandbox):
    gateway = make_gateway()
    assert crash_on(gateway, "accept.after_commit", lambda: gateway.submit(VEHICLE, "c2")) is None
    gateway.start()
    (stored,) = listed(gateway)
    retried = gateway.submit(VEHICLE, "c2")
    assert (retried.status_code, retried.headers["idempotency-replayed"]) == (202, "true")
    assert retried.json()["id"] == stored["id"]
    assert retried.json()["state"] == "accepted", "the answer that was stored at the commit"
    completed(gateway, stored)
    assert len(listed(gateway)) == 1
    assert sandbox("transport").count() == 1


def test_c3_a_job_whose_worker_died_after_the_claim_is_claimed_again(make_gateway, sandbox):
    gateway = make_gateway()
    crash_on(gateway, "accept.after_commit", lambda: gateway.submit(VEHICLE, "c3"))
    gateway.start(crash_at="claim.after_commit", ready=False)
    assert gateway.wait_dead() == KILLED, gateway.log[-2000:]
    assert sandbox("transport").calls("vehicle-statement") == 0
    gateway.start()
    (stored,) = listed(gateway)
    completed(gateway, stored)
    assert sandbox("transport").count(f"{stem_of(stored)}-0") == 1


def test_c3_before_the_intent_is_committed_nothing_was_sent_and_it_is_sent_once(make_gateway, sandbox):
    gateway = make_gateway()
    crash_on(gateway, "intend.before_commit", lambda: gateway.submit(VEHICLE, "c3"))
    assert sandbox("transport").calls("vehicle-statement") == 0
    gateway.start()
    (stored,) = listed(gateway)
    completed(gateway, stored)
    assert kinds(gateway, stored).count("sending") == 1
    assert sandbox("transport").count() == 1


def test_c3_an_intent_of_an_idempotent_act_that_never_left_is_sent_again_under_the_same_id(make_gateway, sandbox):
    gateway = make_gateway()
    crash_on(gateway, "intend.after_commit", lambda: gateway.submit(VEHICLE, "c3"))
    assert sandbox("transport").calls("vehicle-statement") == 0
    gateway.start()
    (stored,) = listed(gateway)
    completed(gateway, stored)
    assert kinds(gateway, stored).count("sending") == 2
    assert [row["operation_id"] for row in sandbox("transport").effects()] == [f"{stem_of(stored)}-0"]
    assert sandbox("transport").count() == 1


def in_doubt_for_ever(gateway, sandbox, request, *, debits):
    """The request says in both languages that the payment is in doubt, and the wallet is asked nothing more."""
    told = gateway.until_state(request["id"], "in_doubt")
    assert (told["payment"]["state"], told["reason"]["code"]) == ("in_doubt", "payment_in_doubt")
    assert told["reason"]["citizen"]["ar"]
    assert told["reason"]["citizen"]["en"]
    assert told["next_action"] is None
    assert told["payment"]["refund_due"] is False
    wallet, transaction = sandbox("syriatel_cash"), payment_of(request)
    before = wallet.calls("confirm")
    other = until_asked(gateway, f"other-{request['id']}", certificate(mobile="0930000002"))
    gateway.act(other, {"otp": wallet.otp(payment_of(other))}, f"otp-{other['id']}")
    gateway.until_state(other["id"], "completed")
    assert gateway.get(request["id"])["state"] == "in_doubt", "others went their whole way; this one rests"
    assert wallet.calls("confirm") == before + 1
    assert wallet.count(transaction) == debits
    assert sandbox("education").count(f"{stem_of(request)}-2") == 0
    (intent,) = rows(gateway, f"SELECT state FROM intents WHERE request_id = '{request['id']}'")
    assert intent == ("in_doubt",)


def test_c4_a_confirmation_that_may_have_arrived_stays_in_doubt_and_is_never_sent_again(make_gateway, sandbox):
    gateway = make_gateway()
    gateway.start()
    request = until_asked(gateway, "c4")
    wallet, transaction = sandbox("syriatel_cash"), payment_of(request)
    wallet.switch("silence", operation="confirm")
    calling = Calling(lambda: gateway.act(request, {"otp": wallet.otp(transaction)}, "c4-otp"))
    until(lambda: wallet.count(transaction) == 1, "the debit")
    gateway.kill()
    calling.end()
    wallet.switches_off()
    gateway.start()
    in_doubt_for_ever(gateway, sandbox, request, debits=1)
    replayed = gateway.act(request, {"otp": "0000"}, "c4-otp-again")
    assert (replayed.status_code, replayed.json()["code"]) == (409, "action_not_open")
    assert wallet.calls("confirm") == 2, "this one and the other's"


def test_c4_a_confirmation_that_never_left_stays_in_doubt_too(make_gateway, sandbox):
    gateway = make_gateway()
    gateway.start()
    request = until_asked(gateway, "c4")
    gateway.stop()
    otp = sandbox("syriatel_cash").otp(payment_of(request))
    assert crash_on(gateway, "intend.after_commit", lambda: gateway.act(request, {"otp": otp}, "c4-otp")) is None
    assert sandbox("syriatel_cash").calls("confirm") == 0
    gateway.start()
    in_doubt_for_ever(gateway, sandbox, request, debits=0)


def test_c4_a_submission_whose_answer_never_came_is_inquired_about_and_is_made_once(make_gateway, sandbox):
    gateway = make_gateway()
    gateway.start()
    request = until_asked(gateway, "c4")
    ministry = sandbox("education")
    ministry.switch("silence", operation="submit")
    otp = sandbox("syriatel_cash").otp(payment_of(request))
    gateway.act(request, {"otp": otp}, "c4-otp")
    until(lambda: ministry.count(f"{stem_of(request)}-2") == 1, "the copy")
    gateway.kill()
    ministry.switches_off()
    gateway.start()
    done = completed(gateway, request)
    assert done["payment"]["state"] == "succeeded"
    assert ministry.calls("submit") == 1
    assert ministry.calls("inquire") >= 1
    assert ministry.count() == 1
    assert sandbox("syriatel_cash").count() == 1
    assert "answer_lost" in kinds(gateway, request)


@pytest.mark.parametrize("point", UNRECORDED)
def test_c5_an_unrecorded_answer_to_an_idempotent_act_is_asked_for_again_and_acts_once(make_gateway, sandbox, point):
    gateway = make_gateway()
    crash_on(gateway, point, lambda: gateway.submit(VEHICLE, "c5"))
    assert sandbox("transport").count() == 1
    gateway.start()
    (stored,) = listed(gateway)
    completed(gateway, stored)
    assert sandbox("transport").calls("vehicle-statement") == 2
    assert sandbox("transport").count() == 1


@pytest.mark.parametrize("point", UNRECORDED)
def test_c5_an_unrecorded_confirmation_stays_in_doubt(make_gateway, sandbox, point):
    gateway = make_gateway()
    gateway.start()
    request = until_asked(gateway, "c5")
    gateway.stop()
    otp = sandbox("syriatel_cash").otp(payment_of(request))
    crash_on(gateway, point, lambda: gateway.act(request, {"otp": otp}, "c5-otp"))
    assert sandbox("syriatel_cash").count(payment_of(request)) == 1
    gateway.start()
    in_doubt_for_ever(gateway, sandbox, request, debits=1)


@pytest.mark.parametrize("point", UNRECORDED)
def test_c5_an_unrecorded_submission_ends_as_the_inquiry_says(make_gateway, sandbox, point):
    gateway = make_gateway()
    gateway.start()
    request = until_asked(gateway, "c5")
    ministry = sandbox("education")
    ministry.switch("status", {"code": 503, "retry_after": 1}, operation="submit")
    gateway.act(request, {"otp": sandbox("syriatel_cash").otp(payment_of(request))}, "c5-otp")
    until(lambda: "delayed" in kinds(gateway, request), "a submission that was put off")
    gateway.stop()
    ministry.switches_off()
    assert ministry.count() == 0
    gateway.start(crash_at=point, ready=False)
    assert gateway.wait_dead() == KILLED, gateway.log[-2000:]
    assert ministry.count() == 1
    gateway.start()
    completed(gateway, request)
    assert ministry.count() == 1
    inquired = [row for row in evidence(gateway, request) if row.operation == "submit" and row.code == ""]
    assert inquired, "the inquiry's answer is the evidence of the submission"

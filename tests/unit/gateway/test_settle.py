"""What each answer, refusal and failure writes: decided by pure functions, so every case is one line of a table."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit import errors
from connectors.kit.contract import Document, Effect, Operation, Outcome, Status
from gateway import settings as settings_module
from gateway import settle
from gateway.catalogue import Fee, Service, Step
from gateway.steps import Route
from gateway.verdict import Interrupted
from gateway.work import OpenAttempt, Settlement, Work
from mappings.money import Money
from mappings.status import FINAL, Attempt, Intent, Request

POLICY = settings_module.load(environment={}).dispatch
OUTCOME_OK = Outcome(
    Status.SUCCEEDED, "done", reference="R-1", documents=(Document("a.pdf", "application/pdf", b"%PDF-"),)
)


def connector(name: str, *operations: Operation) -> SimpleNamespace:
    return SimpleNamespace(name=name, version="1", operations={operation.name: operation for operation in operations})


CONNECTORS = {
    "ministry": connector(
        "ministry",
        Operation("check", "check", Effect.SAFE),
        Operation("submit", "submit", Effect.INQUIRABLE, inquire="inquire"),
        Operation("inquire", "inquire", Effect.SAFE),
    ),
    "wallet": connector(
        "wallet",
        Operation("initiate", "initiate", Effect.IDEMPOTENT),
        Operation("confirm", "confirm", Effect.NONE, secrets=("otp",)),
        Operation("resend", "resend", Effect.IDEMPOTENT),
    ),
}
SERVICE = Service(
    id="a.service",
    institution="ministry",
    name={"ar": "خدمة", "en": "Service"},
    turnaround_hours=1,
    required_documents=(),
    minimum_assurance="low",
    pay_within_hours=2,
    fee=Fee(Money(2500, "SYP", "SYP-new"), ("wallet",), example=True),
    delivery=("electronic",),
    steps=(
        Step("check", "ministry", "check"),
        Step("pay"),
        Step("submit", "ministry", "submit"),
        Step("await", "ministry", "inquire"),
        Step("deliver"),
    ),
    schema={},
)
ROUTE = Route(SERVICE, CONNECTORS)
CHECK, PAY, SUBMIT = 0, 1, 2


def work(step: int, state: Request = Request.IN_PROGRESS, **more) -> Work:
    values: dict[str, Any] = {
        "request_id": "0198-aa",
        "service": SERVICE.id,
        "language": "ar",
        "traceparent": "",
        "reference": None,
        "priority": 2,
        "state": state,
        "step": step,
        "phase": "",
        "version": 1,
        "created_at": 0,
        "expires_at": None,
        "content": {},
        "progress": {"payment": {"method": "wallet", "payer": {"mobile": "+963930000000"}, "number": 1}},
        "lane": "ministry.check",
        "token": 1,
        "intent_id": "i",
        "intent_state": Intent.CREATED,
        "amount_minor": 2500,
        "currency": "SYP",
        "denomination": "SYP-new",
    }
    return Work(**values | more)


def subject(state: Attempt = Attempt.IN_DOUBT, age_ms: int = 0) -> OpenAttempt:
    return OpenAttempt("t1", "0198aa-2", "ministry", "submit", "submit", state, "R-1", age_ms)


def answer(given: Work, outcome: Outcome, role: str | None = None) -> Settlement:
    plan = ROUTE.payment(given, role) if role else ROUTE.plan(given)
    decide = settle.on_inquiry if plan.subject else settle.on_outcome
    return decide(given, plan, ROUTE, outcome, POLICY)


def fail(given: Work, error: errors.ConnectorError, role: str | None = None, age_ms: int = 0) -> Settlement:
    plan = ROUTE.payment(given, role) if role else ROUTE.plan(given)
    if plan.subject:
        return settle.on_inquiry_error(given, plan, ROUTE, error, POLICY)
    return settle.on_error(given, plan, ROUTE, error, POLICY, age_ms=age_ms)


def test_a_good_check_leads_to_the_payment():
    settled = answer(work(CHECK, Request.ACCEPTED), Outcome(Status.SUCCEEDED))
    assert (settled.state, settled.step, settled.phase) == (Request.IN_PROGRESS, PAY, "initiate")
    assert settled.next is not None
    assert settled.next.lane == "wallet.initiate"
    assert settled.next.delay_ms == 0


def test_a_refused_check_ends_the_request_and_the_fee_order():
    settled = answer(work(CHECK), Outcome(Status.REFUSED, "certificate_not_found", "E404"))
    assert (settled.state, settled.reason, settled.intent_state) == (
        Request.REFUSED,
        "certificate_not_found",
        Intent.CANCELLED,
    )
    assert settled.next is None


def test_an_initiated_payment_waits_for_the_otp_as_long_as_the_service_says():
    settled = answer(work(PAY), Outcome(Status.SUCCEEDED))
    assert settled.state is Request.AWAITING_CITIZEN
    assert settled.next_action == {"id": "a1", "kind": "confirm_otp", "methods": ["wallet"]}
    assert settled.expires_in_ms == 2 * 3_600_000
    assert settled.intent_state is Intent.PAYER_ACTION


def test_a_confirmed_payment_goes_on_to_the_ministry():
    settled = answer(work(PAY, intent_state=Intent.IN_PROGRESS), Outcome(Status.SUCCEEDED), "confirm")
    assert (settled.intent_state, settled.step) == (Intent.SUCCEEDED, SUBMIT)
    assert settled.next is not None
    assert settled.next.lane == "ministry.submit"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("otp_wrong", "confirm_otp"),
        ("otp_expired", "confirm_otp"),
        ("balance_too_low", "choose_payment"),
        ("payment_expired", "choose_payment"),
        ("daily_limit", "choose_payment"),
    ],
)
def test_a_declined_confirmation_asks_the_payer_what_can_help(code, kind):
    settled = answer(work(PAY, intent_state=Intent.IN_PROGRESS), Outcome(Status.REFUSED, code), "confirm")
    assert settled.state is Request.AWAITING_CITIZEN
    assert settled.next_action is not None
    assert settled.next_action["kind"] == kind
    assert (settled.reason, settled.attempt_state, settled.intent_state) == (
        code,
        Attempt.DECLINED,
        Intent.PAYER_ACTION,
    )


def test_after_too_many_wrong_codes_another_payment_must_be_chosen():
    given = work(PAY, intent_state=Intent.IN_PROGRESS)
    kinds = []
    for _ in range(POLICY.otp_tries):
        settled = answer(given, Outcome(Status.REFUSED, "otp_wrong"), "confirm")
        given.progress = settled.progress
        kinds.append(settled.next_action["kind"] if settled.next_action else None)
    assert kinds == ["confirm_otp"] * (POLICY.otp_tries - 1) + ["choose_payment"]


@pytest.mark.parametrize(
    "answered",
    [Outcome(Status.IN_DOUBT, "debited_not_credited", "-103"), Outcome(Status.IN_DOUBT, "unlisted_code", "-9999")],
)
def test_a_confirmation_that_does_not_say_what_it_did_leaves_the_money_in_doubt(answered):
    settled = answer(work(PAY, intent_state=Intent.IN_PROGRESS), answered, "confirm")
    assert (settled.state, settled.intent_state, settled.attempt_state) == (
        Request.IN_DOUBT,
        Intent.IN_DOUBT,
        Attempt.IN_DOUBT,
    )
    assert settled.next is None


@pytest.mark.parametrize(
    "error", [errors.TimedOut, errors.ConnectionLost, errors.Unreadable, errors.Faulted, Interrupted]
)
def test_c4_a_lost_confirmation_is_never_repeated(error):
    settled = fail(work(PAY, intent_state=Intent.IN_PROGRESS), error("lost"), "confirm")
    assert (settled.state, settled.reason, settled.next) == (Request.IN_DOUBT, "payment_in_doubt", None)
    assert settled.intent_state is Intent.IN_DOUBT


def test_a_confirmation_that_never_left_asks_for_the_code_again():
    settled = fail(work(PAY, intent_state=Intent.IN_PROGRESS), errors.NotSent("refused"), "confirm")
    assert settled.next_action is not None
    assert settled.next_action["kind"] == "confirm_otp"
    assert (settled.attempt_state, settled.next) == (Attempt.NOT_SENT, None)


@pytest.mark.parametrize("error", [errors.TimedOut, errors.ConnectionLost, errors.Unreadable, Interrupted])
def test_a_lost_submission_is_inquired_about(error):
    settled = fail(work(SUBMIT), error("lost"))
    assert (settled.state, settled.attempt_state) == (Request.IN_DOUBT, Attempt.IN_DOUBT)
    assert settled.next is not None
    assert settled.next.lane == "ministry.inquire"


def test_n1_what_was_not_sent_waits_longer_each_time_and_spends_no_try():
    delays = []
    given = work(SUBMIT)
    for _ in range(6):
        settled = fail(given, errors.NotSent("refused"))
        assert settled.next is not None
        assert settled.next.lane == "ministry.submit"
        assert (settled.state, settled.next.tries) == (Request.IN_PROGRESS, 0)
        delays.append(settled.next.delay_ms)
        given.waits = settled.next.waits
    assert all(2 * later > earlier for earlier, later in itertools.pairwise(delays))
    assert delays[-1] > 8 * delays[0]


def test_what_could_not_be_sent_for_days_is_parked():
    settled = fail(work(SUBMIT), errors.NotSent("refused"), age_ms=int((POLICY.max_wait_hours + 1) * 3_600_000))
    assert (settled.state, settled.next) == (Request.PARKED, None)


def test_a_safe_read_that_fails_is_repeated_and_then_parked():
    given, states = work(CHECK), []
    for _ in range(POLICY.max_tries):
        settled = fail(given, errors.TimedOut("late"))
        states.append(settled.state)
        given.tries = settled.next.tries if settled.next else given.tries
    assert states == [Request.IN_PROGRESS] * (POLICY.max_tries - 1) + [Request.PARKED]


def test_received_is_not_decided_and_is_asked_about_later():
    settled = answer(work(SUBMIT), Outcome(Status.PENDING, "received", reference="77"))
    assert (settled.state, settled.attempt_state, settled.attempt_reference) == (
        Request.WITH_INSTITUTION,
        Attempt.PENDING,
        "77",
    )
    assert settled.next is not None
    assert settled.next.lane == "ministry.inquire"
    assert settled.progress["reference"] == "77"


@pytest.mark.parametrize("state", [Request.IN_DOUBT, Request.WITH_INSTITUTION])
def test_an_inquiry_that_finds_the_document_completes(state):
    settled = answer(work(SUBMIT, state, open_attempt=subject(), intent_state=Intent.SUCCEEDED), OUTCOME_OK)
    assert (settled.state, settled.attempt_state) == (Request.COMPLETED, Attempt.SUCCEEDED)
    assert settled.documents == OUTCOME_OK.documents


def test_an_inquiry_that_finds_a_refusal_refuses_and_leaves_the_payment_as_it_is():
    given = work(SUBMIT, Request.IN_DOUBT, open_attempt=subject(), intent_state=Intent.SUCCEEDED)
    settled = answer(given, Outcome(Status.REFUSED, "certificate_not_found"))
    assert (settled.state, settled.intent_state) == (Request.REFUSED, Intent.SUCCEEDED)


def test_not_found_allows_a_resend_only_often_enough_and_late_enough():
    absent = Outcome(Status.ABSENT)
    late = int(1000 * (POLICY.lease_seconds + POLICY.send_window_seconds + 60)) + 1
    for absences, age, resends in [(0, late, False), (2, late - 2, False), (2, late, True)]:
        given = work(SUBMIT, Request.IN_DOUBT, open_attempt=subject(age_ms=age), absences=absences)
        settled = answer(given, absent)
        assert (settled.attempt_state is Attempt.ABSENT) is resends, (absences, age)
        assert settled.next is not None
        assert settled.next.lane == ("ministry.submit" if resends else "ministry.inquire")


def test_when_the_inquiries_are_used_up_people_decide():
    given = work(SUBMIT, Request.IN_DOUBT, open_attempt=subject(), inquiries=len(POLICY.inquiry_seconds) - 1)
    settled = answer(given, Outcome(Status.IN_DOUBT, "unlisted_code"))
    assert (settled.state, settled.attempt_state, settled.next) == (Request.PARKED, Attempt.REVIEW, None)


OUTCOMES = st.builds(Outcome, st.sampled_from(list(Status)), st.sampled_from(["x", "otp_wrong", "balance_too_low"]))
FAILURES = st.sampled_from(
    [
        errors.TimedOut,
        errors.NotSent,
        errors.ConnectionLost,
        errors.Unreadable,
        errors.Faulted,
        errors.MappingFailed,
        errors.Throttled,
        errors.Closed,
        Interrupted,
    ]
)


@given(st.data())
def test_whatever_the_counterparties_answer_money_is_confirmed_at_most_once(data):
    """A walk through the whole service by chance: it always ends in a named state, and after a confirmation that may
    have arrived no other confirmation leaves."""
    given = work(CHECK, Request.ACCEPTED)
    confirmations_that_count = 0
    for _ in range(40):
        role = None
        if given.state is Request.AWAITING_CITIZEN:
            role = data.draw(st.sampled_from(["confirm", "resend"]))
            given.state = Request.IN_PROGRESS
            if role == "confirm":
                given.intent_state = Intent.IN_PROGRESS
                assert confirmations_that_count == 0
        if data.draw(st.booleans()):
            outcome = data.draw(OUTCOMES)
            settled = answer(given, outcome, role)
            counts = outcome.status is not Status.REFUSED
        else:
            error = data.draw(FAILURES)("x")
            settled = fail(given, error, role)
            counts = error.maybe_delivered
        confirmations_that_count += role == "confirm" and counts
        if settled.state is Request.IN_PROGRESS:
            assert settled.next is not None
        if settled.state in FINAL | {Request.AWAITING_CITIZEN, Request.PARKED}:
            assert settled.next is None
        given.state, given.step, given.progress = settled.state, settled.step, settled.progress
        given.intent_state = settled.intent_state
        if settled.state in (Request.IN_DOUBT, Request.WITH_INSTITUTION) and settled.next is not None:
            given.open_attempt = subject(settled.attempt_state or Attempt.IN_DOUBT)
        else:
            given.open_attempt = None
        if settled.next is not None:
            given.tries, given.waits = settled.next.tries, settled.next.waits
            given.inquiries, given.absences = settled.next.inquiries, settled.next.absences
        elif settled.state is not Request.AWAITING_CITIZEN:
            break
    assert confirmations_that_count <= 1

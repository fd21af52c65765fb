"""Walks by chance through a service whose institution asks, quotes and changes its price, and whose result is posted."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit import errors
from connectors.kit.contract import Asked, Effect, Operation, Outcome, Quote, Status
from gateway import settle
from gateway.asking import ends
from gateway.catalogue import Fee, Service, Step
from gateway.following import follow
from gateway.payments.fee_orders import due_minor, paid_of, refund_minor, take_on
from gateway.service_actions import CitizenAction
from gateway.steps import ACT, PICKUP, Route
from gateway.verdict import Interrupted
from gateway.work import OpenAttempt, Settlement, Work
from mappings.status import FINAL, UNSETTLED, Attempt, Intent, Request, move
from tests.unit.gateway.test_settle import POLICY

FORM: dict[str, Any] = {"type": "object", "properties": {"slot": {"type": "string"}, "consent": {"type": "boolean"}}}


def action(kind: str, *, operation: str | None = None, goes_on: str | None = None) -> CitizenAction:
    return CitizenAction(kind, {"ar": "{why}", "en": "{why}"}, FORM, {}, operation, goes_on, {"consent": False}, 24)


def connector(name: str, *operations: Operation) -> SimpleNamespace:
    return SimpleNamespace(name=name, version="1", operations={operation.name: operation for operation in operations})


CONNECTORS = {
    "office": connector(
        "office",
        Operation("quote", "quote", Effect.SAFE),
        Operation("submit", "submit", Effect.INQUIRABLE, inquire="look"),
        Operation("photo", "submit", Effect.INQUIRABLE, inquire="look"),
        Operation("book", "submit", Effect.IDEMPOTENT),
        Operation("look", "inquire", Effect.SAFE),
    ),
    "wallet": connector(
        "wallet",
        Operation("initiate", "initiate", Effect.IDEMPOTENT),
        Operation("confirm", "confirm", Effect.NONE, secrets=("otp",)),
        Operation("resend", "resend", Effect.IDEMPOTENT),
    ),
    "post": connector(
        "post",
        Operation("ship", "submit", Effect.IDEMPOTENT, inquire="track"),
        Operation("track", "inquire", Effect.SAFE),
    ),
}
SERVICE = Service(
    id="a.policy",
    institution="office",
    name={"ar": "بوليصة", "en": "Policy"},
    turnaround_hours=1,
    required_documents=(),
    minimum_assurance="low",
    pay_within_hours=2,
    fee=Fee(None, ("wallet",), example=True),
    delivery=("electronic", "post", "centre"),
    steps=(
        Step("quote", "office", "quote"),
        Step("pay"),
        Step("submit", "office", "submit"),
        Step("await", "office", "look"),
        Step("deliver"),
    ),
    schema={},
    actions={
        "photo": action("photo", operation="photo"),
        "slot": action("slot", operation="book"),
        "consent_price": action("consent_price", goes_on="pay"),
    },
)
ROUTE = Route(SERVICE, CONNECTORS)
QUOTES = st.builds(Quote, st.just("Q"), st.integers(1, 500), st.just("SYP"), st.just("SYP-new"))
ASKED = st.builds(
    Asked,
    st.sampled_from(["photo", "slot", "consent_price", "unheard_of"]),
    choices=st.sampled_from([{}, {"slot": ({"value": "monday"},)}, {"slot": ()}]),
)
ERRORS = st.sampled_from([errors.TimedOut, errors.NotSent, errors.Unreadable, errors.MappingFailed, Interrupted])


def outcomes(step_kind: str) -> st.SearchStrategy[Outcome]:
    """What that step's institution may answer."""
    plain = st.builds(Outcome, st.sampled_from(list(Status)), st.just("x"))
    if step_kind == "quote":
        good = st.builds(Outcome, st.just(Status.SUCCEEDED), quote=QUOTES)
        return st.one_of(good, good, good, plain)
    if step_kind in ("pay", "deliver"):
        good = st.just(Outcome(Status.SUCCEEDED))
        return st.one_of(good, good, good, good, plain)
    asking = st.sampled_from([Status.PENDING, Status.REFUSED])
    changed = st.builds(Outcome, st.just(Status.REFUSED), st.just("price_changed"), asked=st.just(Asked("consent_price")), quote=QUOTES)  # fmt: skip
    return st.one_of(plain, st.builds(Outcome, asking, st.just("x"), asked=ASKED), changed)


class Walk:
    """One request, its attempts and its money, as store and worker would keep them."""

    def __init__(self, delivery: str) -> None:
        progress: dict[str, Any] = {"payment": {"method": "wallet", "payer": None, "number": 1}}
        if delivery != "electronic":
            progress["delivery"] = delivery
        content = {"payment": {"method": "wallet"}, "delivery": {"method": delivery}}
        self.work = Work("0198-aa", SERVICE.id, "ar", "", None, 2, Request.ACCEPTED, 0, "", 1, 0, None, content, progress, "", 1)  # fmt: skip
        self.attempts: dict[str, OpenAttempt] = {}
        self.received = 0
        self.asked: dict[str, Any] | None = None

    def exchange(self, draw: Any, role: str | None) -> Settlement:
        """The next exchange of the work, answered or failed by chance."""
        work = self.work
        work.open_attempt = next((each for each in reversed(self.attempts.values()) if each.state in UNSETTLED), None)
        plan = ROUTE.payment(work, role) if role else ROUTE.plan(work)
        if plan.subject:
            assert plan.subject.state in UNSETTLED
            assert plan.step_kind == "pay" or f"-{work.step}" in plan.subject.operation_id
        elif plan.step_kind == "pay":
            assert due_minor(work) > 0, "nobody is asked to pay nothing"
        if draw(st.integers(0, 5)):
            answer = draw(outcomes(plan.step_kind))
            if role == "confirm" and answer.status is Status.SUCCEEDED:
                self.received += due_minor(work)
            decide = settle.on_inquiry if plan.subject else settle.on_outcome
            settled = decide(work, plan, ROUTE, answer, POLICY)
        else:
            error = draw(ERRORS)("x")
            if plan.subject:
                settled = settle.on_inquiry_error(work, plan, ROUTE, error, POLICY)
            else:
                settled = settle.on_error(work, plan, ROUTE, error, POLICY, age_ms=0)
        if settled.attempt_state is not None and plan.operation.effect is not Effect.SAFE and not plan.subject:
            row = OpenAttempt("t", plan.operation_id, plan.connector.name, plan.operation.name, plan.operation.role, settled.attempt_state, "", 10**9)  # fmt: skip
            self.attempts.pop(plan.operation_id, None)
            self.attempts[plan.operation_id] = row
        elif plan.subject and settled.attempt_state is not None:
            known = self.attempts[plan.subject.operation_id]
            self.attempts[plan.subject.operation_id] = OpenAttempt("t", known.operation_id, known.connector, known.operation, known.role, settled.attempt_state, "", 10**9)  # fmt: skip
        return settled

    def take(self, settled: Settlement) -> None:
        """What the store would hold after the settlement."""
        work, following = self.work, settled.next
        if settled.fee_order is not None:
            take_on(work, settled.fee_order)
        work.state, work.step, work.phase = settled.state, settled.step, settled.phase
        work.progress, work.intent_state = settled.progress, settled.intent_state
        self.asked = settled.next_action
        if following is not None:
            work.tries, work.waits = following.tries, following.waits
            work.inquiries, work.absences = following.inquiries, following.absences

    def answer(self, draw: Any) -> str | None:
        """The citizen answers; the role of the payment's exchange that follows, "ended" when the request is over."""
        work, asked = self.work, self.asked
        assert asked is not None
        work.tries = work.waits = work.inquiries = work.absences = 0
        if "then" not in asked:
            work.state = move(work.state, "answered")
            if asked["kind"] == "choose_payment":
                number = work.progress["payment"]["number"] + 1
                work.progress = {**work.progress, "payment": {**work.progress["payment"], "number": number}}
                work.phase = "initiate"
                return None
            if work.intent_state is not None:
                work.intent_state = move(work.intent_state, "initiated")
            return "confirm"
        said = {"consent": draw(st.booleans())}
        if ends(asked, said):
            work.state = move(work.state, "cancelled")
            return "ended"
        work.state = move(work.state, "answered")
        follow(work, asked, said, ROUTE)
        assert (work.phase == ACT) is ("step" not in asked["then"])
        return None


@given(st.data(), st.sampled_from(["electronic", "post", "centre"]))
def test_whatever_is_asked_and_answered_the_request_stands_in_a_named_state_and_the_money_adds_up(data, delivery):
    walk = Walk(delivery)
    role: str | None = None
    for _ in range(60):
        settled = walk.exchange(data.draw, role)
        walk.take(settled)
        work, role = walk.work, None
        if work.state is Request.AWAITING_CITIZEN:
            assert walk.asked is not None
            role = walk.answer(data.draw)
            if role == "ended":
                break
            continue
        assert walk.asked is None
        if work.state in FINAL or settled.next is None:
            waits = work.state in (Request.IN_DOUBT, Request.PARKED, Request.WITH_INSTITUTION)
            assert waits or work.state in FINAL or work.phase == PICKUP
            break
        if work.state is Request.COMPLETED:
            assert delivery == "electronic" or work.step == len(SERVICE.steps) - 1
    work = walk.work
    if work.intent_state is not None and work.intent_state is not Intent.IN_DOUBT:
        paid = paid_of(work.intent_state, work.amount_minor, work.paid_minor)
        assert paid == walk.received
        if work.state in (Request.REFUSED, Request.CANCELLED):
            assert refund_minor(work.state, work.intent_state, work.amount_minor, work.paid_minor) == walk.received
        if work.state is Request.COMPLETED:
            assert paid >= work.amount_minor
    assert all(attempt.state is not Attempt.SENDING for attempt in walk.attempts.values())

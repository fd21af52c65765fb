"""Turns what an exchange brought into what one transaction writes: states, timeline, next job, evidence. Pure."""

import random
from collections.abc import Callable
from dataclasses import replace

from connectors.kit.contract import Effect, Outcome, Status
from connectors.kit.errors import Closed, ConnectorError
from gateway import next_action
from gateway.draft import Draft, milliseconds
from gateway.payments.fee_orders import take_on
from gateway.settings import DispatchSettings
from gateway.steps import ACT, Plan, Route
from gateway.verdict import Verdict, judge
from gateway.work import RESTORED, Evidence, Next, Settlement, Work
from mappings.status import Attempt, Request

#: Refusals of a payment that leave the same payment open: the payer may answer again.
_ASK_AGAIN = frozenset({"otp_wrong", "otp_expired"})
_ATTEMPT_OF = {
    Status.SUCCEEDED: Attempt.SUCCEEDED,
    Status.PENDING: Attempt.PENDING,
    Status.REFUSED: Attempt.DECLINED,
    Status.IN_DOUBT: Attempt.IN_DOUBT,
}


def backoff_ms(policy: DispatchSettings, count: int, jitter: Callable[[], float] = random.random) -> int:
    """The delay before repeat `count` (from 0): doubled each time, capped, its upper half drawn by chance."""
    seconds = min(policy.backoff_max_seconds, policy.backoff_first_seconds * 2.0 ** min(count, 30))
    return int(1000 * seconds * (0.5 + 0.5 * jitter()))


def inquiry_ms(policy: DispatchSettings, count: int) -> int:
    """The delay before inquiry `count` (from 0); the last one of the schedule repeats."""
    return int(1000 * policy.inquiry_seconds[min(count, len(policy.inquiry_seconds) - 1)])


def _wished_ms(policy: DispatchSettings, outcome: Outcome, count: int) -> int:
    """When to ask again: as the institution wishes, within what is set; else by the schedule."""
    wish = outcome.next_inquiry_seconds
    return int(1000 * min(wish, policy.inquiry_wish_max_seconds)) if wish else inquiry_ms(policy, count)


def on_outcome(
    work: Work, plan: Plan, route: Route, outcome: Outcome, policy: DispatchSettings, *, source: str = "answer"
) -> Settlement:
    """After a readable answer to an exchange that was made (not an inquiry)."""
    draft = Draft(work, plan, route)
    draft.saw(_ATTEMPT_OF.get(outcome.status, Attempt.IN_DOUBT), _answer(source, outcome), reference=outcome.reference)
    _keep(draft, outcome)
    if plan.step_kind == "pay":
        _paid(draft, outcome, policy)
    else:
        _served(draft, outcome, policy)
    return draft.settlement


def _served(draft: Draft, outcome: Outcome, policy: DispatchSettings) -> None:
    plan = draft.plan
    if outcome.status is Status.PENDING and draft.work.phase == ACT and plan.operation.inquire is None:
        # it has the answer; what comes of it the act that asked tells
        draft.settlement.attempt_state = Attempt.SUCCEEDED
    if outcome.asked is not None:
        draft.ask_for(outcome.asked, outcome.quote, outcome.code, still_open=outcome.status is Status.PENDING)
    elif outcome.status is Status.SUCCEEDED and plan.step_kind == "quote":
        draft.quoted(outcome)
    elif outcome.status is Status.SUCCEEDED:
        draft.advance(milliseconds=milliseconds(outcome))
    elif outcome.status is Status.REFUSED:
        draft.refuse(outcome.code, outcome.institution_code)
    elif plan.operation.effect is Effect.SAFE:
        # A read that says neither yes nor no: nothing was done by it, so it may simply be read again, later.
        _again(draft, outcome.code or "unlisted_code", policy)
    else:
        _leave_open(draft, outcome, policy)


def _leave_open(draft: Draft, outcome: Outcome, policy: DispatchSettings) -> None:
    """The institution has it, or does not say what it did: only an inquiry may follow."""
    lane = draft.route.inquiry_lane(draft.plan.connector.name, draft.plan.operation)
    pending = outcome.status is Status.PENDING
    if pending and lane is None and draft.work.phase == ACT:
        draft.settlement.phase = ""
        lane = draft.route.resumed_lane(draft.work)
    if pending:
        draft.received(outcome.code, outcome.reference)
    else:
        draft.settlement.reason = outcome.code or "unlisted_code"
        draft.go("answer_lost", code=outcome.code, reference=outcome.reference)
    if lane is not None:
        draft.settlement.next = Next(lane, _wished_ms(policy, outcome, 0))


def _paid(draft: Draft, outcome: Outcome, policy: DispatchSettings) -> None:
    role, settlement = draft.plan.operation.role, draft.settlement
    settlement.provider = draft.plan.connector.name
    if role == "confirm":
        _confirmed(draft, outcome, policy)
    elif outcome.status is Status.SUCCEEDED:
        draft.ask(next_action.CONFIRM_OTP, reason=None)
    elif outcome.status is Status.REFUSED and role == "resend" and outcome.code in _ASK_AGAIN:
        draft.ask(next_action.CONFIRM_OTP, reason=outcome.code)
    else:
        draft.ask(next_action.CHOOSE_PAYMENT, reason=outcome.code or "unlisted_code")


def _confirmed(draft: Draft, outcome: Outcome, policy: DispatchSettings) -> None:
    settlement = draft.settlement
    if outcome.status is Status.SUCCEEDED:
        draft.intent("succeeded")
        draft.advance(milliseconds=milliseconds(outcome))
    elif outcome.status is Status.REFUSED:
        wrong = int(settlement.progress.get("otp_tries", 0)) + 1
        again = outcome.code in _ASK_AGAIN and wrong < policy.otp_tries
        settlement.progress["otp_tries"] = wrong if again else 0
        draft.ask(next_action.CONFIRM_OTP if again else next_action.CHOOSE_PAYMENT, reason=outcome.code)
    else:
        _money_in_doubt(draft, outcome.code or "payment_in_doubt")


def _money_in_doubt(draft: Draft, code: str) -> None:
    draft.settlement.reason = code
    draft.settlement.attempt_state = Attempt.IN_DOUBT
    draft.intent("answer_lost")
    draft.go("answer_lost", code=code)


def on_error(
    work: Work, plan: Plan, route: Route, error: ConnectorError, policy: DispatchSettings, *, age_ms: int
) -> Settlement:
    """After an exchange that brought no readable answer; `age_ms` is the request's age."""
    draft = Draft(work, plan, route)
    verdict = judge(error, plan.operation, attempts_left=policy.max_tries - work.tries - 1)
    if verdict is Verdict.WAIT and age_ms > policy.max_wait_hours * 3_600_000:
        verdict = Verdict.PARK
    seen = Attempt.IN_DOUBT if error.maybe_delivered else Attempt.NOT_SENT
    draft.saw(seen, _failure(error))
    if plan.step_kind == "pay" and verdict is not Verdict.HOLD:
        _unpaid(draft, error, verdict, policy)
    elif verdict in (Verdict.WAIT, Verdict.RETRY):
        _again(draft, error.code, policy, waited=verdict is Verdict.WAIT, after_seconds=error.retry_after_seconds)
    elif verdict is Verdict.INQUIRE:
        lane = route.inquiry_lane(plan.connector.name, plan.operation)
        draft.settlement.reason = error.code
        draft.go("answer_lost", code=error.code)
        draft.settlement.next = Next(str(lane), inquiry_ms(policy, 0))
    elif verdict is Verdict.HOLD and plan.moves_money:
        _money_in_doubt(draft, "payment_in_doubt")
    elif verdict is Verdict.HOLD:
        draft.settlement.reason = error.code
        draft.go("answer_lost", code=error.code)
    else:
        draft.park(error.code)
    return draft.settlement


def _unpaid(draft: Draft, error: ConnectorError, verdict: Verdict, policy: DispatchSettings) -> None:
    """Nothing was debited. What carries an OTP is never repeated by the machine: the citizen is asked again."""
    if draft.plan.operation.role in ("confirm", "resend"):
        draft.ask(next_action.CONFIRM_OTP, reason=error.code)
    elif verdict is Verdict.PARK:
        draft.otherwise_paid("payment_provider_unavailable")
    else:
        _again(draft, error.code, policy, waited=verdict is Verdict.WAIT, after_seconds=error.retry_after_seconds)


def _again(
    draft: Draft, code: str, policy: DispatchSettings, *, waited: bool = False, after_seconds: float | None = None
) -> None:
    """The same exchange later."""
    work = draft.work
    tries, waits = (work.tries, work.waits + 1) if waited else (work.tries + 1, work.waits)
    if tries >= policy.max_tries:
        draft.park(code)
        return
    delay = int(after_seconds * 1000) if after_seconds else backoff_ms(policy, waits if waited else tries - 1)
    draft.settlement.reason = code
    draft.go("delayed", code=code, seconds=round(delay / 1000, 1), attempt=tries + waits)
    draft.settlement.next = Next(draft.plan.lane, delay, tries=tries, waits=waits)


def on_inquiry(work: Work, plan: Plan, route: Route, outcome: Outcome, policy: DispatchSettings) -> Settlement:
    """After a readable answer to the question what became of `plan.subject`."""
    subject = plan.subject
    assert subject is not None
    draft = Draft(work, plan, route)
    evidence = _answer("inquiry", outcome)
    _keep(draft, outcome)
    if outcome.asked is not None:
        pending = outcome.status is Status.PENDING
        draft.saw(Attempt.PENDING if pending else Attempt.DECLINED, evidence, reference=outcome.reference)
        draft.ask_for(outcome.asked, outcome.quote, outcome.code, still_open=pending)
    elif outcome.status is Status.SUCCEEDED:
        draft.saw(Attempt.SUCCEEDED, evidence, reference=outcome.reference)
        draft.advance(milliseconds=milliseconds(outcome))
    elif outcome.status is Status.REFUSED:
        draft.saw(Attempt.DECLINED, evidence, reference=outcome.reference)
        draft.refuse(outcome.code, outcome.institution_code)
    elif outcome.status is Status.PENDING:
        draft.saw(Attempt.PENDING, evidence, reference=outcome.reference)
        draft.received(outcome.code, outcome.reference)
        delay = _wished_ms(policy, outcome, work.inquiries)
        draft.settlement.next = Next(plan.lane, delay, inquiries=work.inquiries + 1)
    elif outcome.status is Status.ABSENT:
        _absent(draft, evidence, policy)
    else:
        _still_unknown(draft, evidence, policy)
    return draft.settlement


def _absent(draft: Draft, evidence: Evidence, policy: DispatchSettings) -> None:
    """ "Not found" counts only when it is said often enough, late enough: then the same act may be sent again."""
    work, subject = draft.work, draft.plan.subject
    assert subject is not None
    operation = draft.route.operation_of(subject)
    visible_ms = 1000 * (policy.lease_seconds + policy.send_window_seconds + operation.visibility_delay_seconds)
    absences = work.absences + 1
    listed = work.progress.get("listed") == subject.operation_id  # a statement outranks what an inquiry says
    if absences < policy.absences_needed or subject.age_ms < visible_ms or listed:
        _still_unknown(draft, evidence, policy, absences=absences)
        return
    draft.saw(Attempt.ABSENT, evidence)
    draft.settlement.progress.pop(RESTORED, None)  # what was not done had no next step either
    draft.settlement.reason = None
    draft.go("advanced", code="absent")
    draft.settlement.next = Next(f"{subject.connector}.{subject.operation}", tries=work.tries)


def _still_unknown(
    draft: Draft,
    evidence: Evidence,
    policy: DispatchSettings,
    *,
    absences: int = 0,
    closed_seconds: float | None = None,
) -> None:
    work, subject = draft.work, draft.plan.subject
    assert subject is not None
    delivering = draft.settlement.state is Request.DELIVERING
    # also while the request goes on about something else: the act that asked the citizen stands open meanwhile
    open_since_asked = draft.settlement.state is Request.IN_PROGRESS and subject.state is Attempt.PENDING
    with_institution = draft.settlement.state is Request.WITH_INSTITUTION or open_since_asked
    on_its_way = delivering and subject.state is Attempt.PENDING
    asked = work.inquiries if closed_seconds else work.inquiries + 1
    if not (with_institution or on_its_way) and asked >= len(policy.inquiry_seconds):
        draft.saw(Attempt.REVIEW, evidence)
        draft.park("inquiry_exhausted")
        return
    draft.saw(subject.state, evidence)
    draft.settlement.reason = "with_institution" if with_institution else (evidence.code or "inquiry_unclear")
    draft.go("received" if with_institution else "still_unknown", code=evidence.code)
    delay = int(closed_seconds * 1000) if closed_seconds else inquiry_ms(policy, work.inquiries)
    draft.settlement.next = Next(draft.plan.lane, delay, inquiries=asked, absences=absences)


def on_inquiry_error(
    work: Work, plan: Plan, route: Route, error: ConnectorError, policy: DispatchSettings
) -> Settlement:
    """After an inquiry that brought no readable answer: it says nothing about the attempt.

    An institution that is closed is asked when it opens, and that spends no inquiry.
    """
    draft = Draft(work, plan, route)
    closed_seconds = error.retry_after_seconds if isinstance(error, Closed) else None
    _still_unknown(draft, _failure(error), policy, absences=work.absences, closed_seconds=closed_seconds)
    return draft.settlement


def _keep(draft: Draft, outcome: Outcome) -> None:
    """What later steps may read: the data and the reference of this one, and its documents."""
    settlement = draft.settlement
    progress = settlement.progress
    settlement.documents, settlement.issuer = outcome.documents, draft.plan.connector.name
    if outcome.documents:  # those of an earlier step keep their numbers
        settlement.first_document = progress.get("documents", 0) + 1
        progress["documents"] = progress.get("documents", 0) + len(outcome.documents)
    if draft.plan.step_kind == "deliver":
        draft.track(outcome)
        return
    if outcome.data:
        progress["steps"] = {**progress.get("steps", {}), draft.plan.step_kind: dict(outcome.data)}
    if outcome.reference and draft.plan.step_kind != "pay":
        progress["reference"] = outcome.reference


def _answer(source: str, outcome: Outcome) -> Evidence:
    return Evidence(
        source, outcome.status.value, outcome.code, outcome.institution_code, outcome.message, outcome.exchange
    )


def _failure(error: ConnectorError) -> Evidence:
    return Evidence("error", "none", error.code, message=str(error), exchange=error.exchange)


def moved_on(work: Work, settlement: Settlement) -> Work:
    """The worker's own copy after `settlement` was committed with its next job kept under the same claim."""
    following = settlement.next
    assert following is not None
    if settlement.fee_order is not None:
        take_on(work, settlement.fee_order)
    return replace(
        work,
        state=settlement.state,
        step=settlement.step,
        phase=settlement.phase,
        progress=settlement.progress,
        version=work.version + 1,
        lane=following.lane,
        tries=following.tries,
        waits=following.waits,
        inquiries=following.inquiries,
        absences=following.absences,
        intent_state=settlement.intent_state,
        open_attempt=None,
    )

"""Turns an approved decision into what one transaction writes, by the settlement that every answer goes through."""

from connectors.kit.contract import Outcome, Status
from gateway.callbacks.settlement import on_told, told_by, unparked
from gateway.decisions.doubts import Action, Decision
from gateway.draft import Draft
from gateway.settings import DispatchSettings
from gateway.steps import Plan, Route
from gateway.work import RESTORED, Evidence, Next, OpenAttempt, Settlement, Work
from mappings.status import Attempt

SOURCE = "operator"
#: A payment of which two people said that it was not made: the citizen may choose another way to pay.
NOT_MADE = "payment_not_made_by_decision"
#: An act of which two people said that it was not done.
NOT_DONE = "not_done_by_decision"
#: A request that was given up, with nothing standing open, and that two people ended.
ENDED = "ended_by_decision"
#: The institution is held to have done it; the result is fetched by asking.
DONE = "done_by_decision"
#: It is sent once more.
SENT_AGAIN = "sent_again_by_decision"
_AT_ONCE_SECONDS = 0.1


def settlement_of(
    work: Work, decision: Decision, attempt: OpenAttempt | None, route: Route, policy: DispatchSettings
) -> Settlement:
    """What the decision brings about; `attempt` is what stands open."""
    if attempt is None:
        return _ended(work, route.plan(work), route, decision)
    plan = route.plan_of(work, attempt)
    if decision.action is Action.RESEND:
        return _sent_again(work, plan, route, decision)
    outcome = _outcome(decision, plan.step_kind, inquirable=plan.operation.inquire is not None)
    settlement = on_told(work, plan, route, outcome, policy, source=SOURCE)
    if decision.action is Action.NOT_DONE:
        settlement.progress.pop(RESTORED, None)  # what was not done had no next step either
    if outcome.status is Status.PENDING:
        settlement.progress["listed"] = attempt.operation_id  # "not found" never leads to sending it again
    return told_by(settlement, [], decision=decision.id)


def _outcome(decision: Decision, kind: str, *, inquirable: bool) -> Outcome:
    """What people decided, as if the institution had answered it."""
    message, reference = _message(decision), decision.reference
    if decision.action is Action.NOT_DONE:
        return Outcome(Status.REFUSED, NOT_MADE if kind == "pay" else NOT_DONE, message=message, reference=reference)
    if inquirable and kind not in ("pay", "deliver"):
        return Outcome(
            Status.PENDING, DONE, message=message, reference=reference, next_inquiry_seconds=_AT_ONCE_SECONDS
        )
    return Outcome(Status.SUCCEEDED, DONE, message=message, reference=reference)


def _sent_again(work: Work, plan: Plan, route: Route, decision: Decision) -> Settlement:
    """The old attempt is closed before there is a new one; what its answer says later is kept beside it."""
    going, before = unparked(work, plan)
    draft = Draft(going, plan, route)
    draft.saw(Attempt.ABSENT, Evidence(SOURCE, Status.ABSENT.value, SENT_AGAIN, message=_message(decision)))
    draft.settlement.reason = None
    draft.settlement.progress.pop(RESTORED, None)  # people know more than the backup
    draft.go("advanced", code=SENT_AGAIN)
    draft.settlement.next = Next(plan.lane, tries=work.tries)
    return told_by(draft.settlement, before, source=SOURCE, decision=decision.id)


def _ended(work: Work, plan: Plan, route: Route, decision: Decision) -> Settlement:
    going, before = unparked(work, plan)
    draft = Draft(going, plan, route)
    draft.refuse(ENDED, "")
    return told_by(draft.settlement, before, source=SOURCE, decision=decision.id)


def _message(decision: Decision) -> str:
    """What stands in the sealed evidence: who said it, and why."""
    words = f"{decision.action.value}, proposed by {decision.proposer}, decision {decision.id}: {decision.reason}"
    return f"{words} ({decision.evidence})" if decision.evidence else words

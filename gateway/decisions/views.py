"""How doubts and decisions look to operators; nothing personal but what they wrote themselves."""

from collections.abc import Sequence
from typing import Any

from gateway.decisions.desk import Case
from gateway.decisions.doubts import Decision, Doubt, Subject, Told
from gateway.decisions.options import Option
from gateway.moments import iso
from gateway.representation import money, reason
from mappings.money import Money


def case_view(case: Case, now: int, decisions: Sequence[Decision] | None = None) -> dict[str, Any]:
    """A doubt; with `decisions` also what was said about it and every decision so far."""
    doubt = case.doubt
    view = {
        "id": doubt.request_id,
        "service": doubt.service,
        "channel": doubt.channel_id,
        "test": doubt.test,
        "state": doubt.state.value,
        "since": iso(doubt.since),
        "age_seconds": max(0, now - doubt.since) // 1000,
        "reason": reason(doubt.reason),
        "payment": _payment(doubt),
        "attempt": _attempt(doubt.subject) if doubt.subject else None,
        "actions": [_option(each) for each in case.options.values()],
        "proposal": decision_view(doubt.proposal) if doubt.proposal else None,
        "links": {"self": f"/v1/admin/doubts/{doubt.request_id}", "request": f"/v1/requests/{doubt.request_id}"},
    }
    if decisions is not None:
        told = doubt.subject.told if doubt.subject else ()
        view |= {"told": [_told(each) for each in told], "decisions": [decision_view(each) for each in decisions]}
    return view


def _payment(doubt: Doubt) -> dict[str, Any] | None:
    work = doubt.work
    if work is None or work.intent_state is None:
        return None
    owed = Money(work.amount_minor, work.currency, work.denomination)
    return {"state": work.intent_state.value, "amount": money(owed)}


def _attempt(subject: Subject) -> dict[str, Any]:
    attempt = subject.attempt
    return {
        "id": attempt.id,
        "connector": attempt.connector,
        "operation": attempt.operation,
        "operation_id": attempt.operation_id,
        "number": subject.number,
        "state": attempt.state.value,
        "reference": attempt.reference or None,
        "sent_at": iso(subject.sending_at),
        "moves_money": subject.moves_money,
    }


def _option(option: Option) -> dict[str, Any]:
    return {"action": str(option.action), "people": option.people, **option.told}


def _told(told: Told) -> dict[str, Any]:
    return {
        "source": told.source,
        "status": told.status,
        "code": told.code or None,
        "fenced": told.fenced,
        "at": iso(told.at),
    }


def decision_view(decision: Decision) -> dict[str, Any]:
    """A decision; whoever approves it names its digest."""
    return {
        "id": decision.id,
        "request": decision.request_id,
        "attempt": decision.attempt_id,
        "action": decision.action.value,
        "people": decision.people,
        **decision.told,
        "reason": decision.reason,
        "evidence": decision.evidence or None,
        "reference": decision.reference or None,
        "digest": decision.digest,
        "state": decision.state.value,
        "proposed_by": decision.proposer,
        "proposed_at": iso(decision.proposed_at),
        "expires_at": iso(decision.expires_at),
        "decided_by": decision.decider,
        "decided_at": iso(decision.decided_at),
        "answer": decision.answer or None,
        "contradicted": _told(decision.contradicted) if decision.contradicted else None,
        "links": {
            "self": f"/v1/admin/decisions/{decision.id}",
            "doubt": f"/v1/admin/doubts/{decision.request_id}",
        },
    }

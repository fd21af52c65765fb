"""Turns what an institution said by itself into what one transaction writes: the same as for any other answer."""

from dataclasses import replace

from connectors.kit.contract import Outcome
from gateway.settings import DispatchSettings
from gateway.settle import on_outcome
from gateway.steps import Plan, Route
from gateway.work import Happened, Settlement, Work
from mappings.status import Request, move


def on_told(
    work: Work, plan: Plan, route: Route, outcome: Outcome, policy: DispatchSettings, *, source: str
) -> Settlement:
    """After the institution said clearly, by a signed message or a statement, what became of an act still open.

    The act is `plan.subject`; `source` (callback, statement, operator) stands in the evidence and in the timeline.
    """
    work, happened = unparked(work, plan)
    settlement = on_outcome(work, plan, route, outcome, policy, source=source)
    return told_by(settlement, happened, source=source)


def unparked(work: Work, plan: Plan) -> tuple[Work, list[Happened]]:
    """The work as it goes on now that the truth is known: a request that was given up is no longer parked."""
    if work.state is not Request.PARKED:
        return work, []
    work = replace(work, state=move(work.state, "advanced"))
    return work, [Happened("advanced", work.state, {"connector": plan.connector.name})]


def told_by(settlement: Settlement, before: list[Happened], **facts: str) -> Settlement:
    """The settlement with what happened before it, each line of the timeline with these facts."""
    happened = [*before, *settlement.happened]
    settlement.happened = [Happened(each.kind, each.state, each.facts | facts) for each in happened]
    return settlement

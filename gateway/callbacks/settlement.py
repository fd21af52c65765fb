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

    The act is `plan.subject`; `source` ("callback", "statement") stands in the evidence and in the timeline.
    """
    happened = []
    if work.state is Request.PARKED:  # its inquiries were exhausted; now the truth is known
        work = replace(work, state=move(work.state, "advanced"))
        happened.append(Happened("advanced", work.state, {"connector": plan.connector.name}))
    settlement = on_outcome(work, plan, route, outcome, policy, source=source)
    happened += settlement.happened
    settlement.happened = [Happened(each.kind, each.state, each.facts | {"source": source}) for each in happened]
    return settlement

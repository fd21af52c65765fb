"""What a request out of a backup would do next may have been done since: it is asked about, never simply done. Pure.

The backup does not know how far the request came afterwards. So each of its acts, in turn, is put into doubt before it
is sent: an inquiry answers for it, a statement or people, and the first act that turns out not to have been made ends
the doubt, because no later one can have been made either. Payments have no such end by inquiry: a citizen may have
chosen another way to pay since, which has another number.
"""

from dataclasses import replace

from connectors.kit.contract import Effect
from gateway.draft import Draft
from gateway.exchange import new_attempt
from gateway.steps import Plan, Route
from gateway.work import RESTORED, Evidence, NewAttempt, Next, Settlement, Work
from mappings.status import Attempt, Request, move

_WHY = "a backup was restored: whether this was done after it was taken is not known"


def doubtful(work: Work, route: Route, *, over: bool) -> Plan | None:
    """The act of a restored request that must not be made now; None when what follows only reads, or may be repeated.

    `over` says that restore mode has ended: then an act whose key is honoured may be made (again).
    """
    plan = route.plan(work)
    if plan.subject is not None or plan.operation.effect is Effect.SAFE:
        return None
    if plan.step_kind == "pay":
        return route.payment(work, "confirm")
    return None if over and plan.operation.effect is Effect.IDEMPOTENT else plan


def in_doubt(work: Work, plan: Plan, route: Route) -> Settlement:
    """The act is in doubt, as if it had been sent and the answer lost; nothing was sent."""
    draft = Draft(work, plan, route)
    draft.saw(Attempt.IN_DOUBT, Evidence("error", "none", RESTORED, message=_WHY))
    draft.settlement.reason = RESTORED
    if plan.moves_money:
        draft.settlement.provider = plan.connector.name
        draft.intent("restored")
    draft.go("restored", code=RESTORED)
    if plan.operation.effect is Effect.INQUIRABLE:
        draft.settlement.next = Next(str(route.inquiry_lane(plan.connector.name, plan.operation)))
    return draft.settlement


def attempt_of(work: Work, plan: Plan) -> NewAttempt | None:
    """The attempt that stands for the act; None when the backup has one, `work.open_attempt`."""
    known = work.open_attempt
    if known is not None and (known.operation_id, known.operation) == (plan.operation_id, plan.operation.name):
        return None
    return new_attempt(plan, "", number=work.tries + work.waits + 1)


def going_on(work: Work) -> Work:
    """The work as it is judged when it goes on with a read, or with an act that may be repeated."""
    if work.state is not Request.IN_DOUBT or work.open_attempt is not None:
        return work
    return replace(work, state=move(work.state, "advanced"))

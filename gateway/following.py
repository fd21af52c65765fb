"""Where a request goes on after its citizen answered what an institution asked."""

from collections.abc import Mapping
from typing import Any

from gateway.payments.fee_orders import owe, take_on
from gateway.steps import ACT, Route
from gateway.work import FeeOrder, Work
from mappings.status import Intent


def follow(work: Work, action: Mapping[str, Any], answer: Mapping[str, Any], route: Route) -> FeeOrder | None:
    """Bring the worker's own copy to what is done next; the price that is in force by the answer, if it names one."""
    then = action["then"]
    if "step" not in then:
        given = {"id": action["id"], "kind": action["kind"], "answer": dict(answer)}
        work.progress, work.phase = {**work.progress, "act": {**then, **given}}, ACT
        return None
    order = _consented(work)
    if order is not None:
        take_on(work, order)
    step, steps = int(then["step"]), route.service.steps
    if steps[step].kind == "pay" and work.intent_state is Intent.SUCCEEDED:
        step += 1  # nothing is due
    landing = route.land(step, work.progress)
    work.step, work.phase = landing.step, landing.phase
    work.progress = {**work.progress, "round": int(work.progress.get("round", 0)) + 1}
    return order


def _consented(work: Work) -> FeeOrder | None:
    """The price that was offered is in force; whoever has paid before pays the difference under a number of its own."""
    offer = work.progress.get("offer")
    if offer is None:
        return None
    progress = {key: value for key, value in work.progress.items() if key != "offer"} | {"quote": offer}
    payment = progress.get("payment")
    if payment and work.intent_id is not None:
        progress |= {"payment": {**payment, "number": int(payment["number"]) + 1}, "otp_tries": 0}
    work.progress = progress
    return owe(work, offer) if payment else None

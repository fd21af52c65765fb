"""Asks what a request would cost before it is made: the step `quote` of its service, and nothing is stored."""

from collections.abc import Mapping
from typing import Any

from connectors.kit.contract import Effect, Outcome, Quote, Status
from connectors.kit.outcome_file import moment
from gateway.dispatch import Dispatcher
from gateway.draft import AMOUNT_NOT_PAYABLE
from gateway.lanes.bulkhead import Lanes, lane_of
from gateway.representation import money, reason
from gateway.steps import Route
from gateway.work import Work
from mappings.money import Money

_BUSY = "upstream_busy"


class Quoter:
    """Asks for prices in the operations' own places, so that a pre-flight never overtakes a request."""

    def __init__(self, lanes: Lanes, dispatcher: Dispatcher) -> None:
        self._lanes, self._dispatcher = lanes, dispatcher

    async def quote(self, work: Work, route: Route) -> Mapping[str, Any] | None:
        """What the institution says of `work`, which is not stored; None for a service without a safe step `quote`.

        `{"quote": {"amount", "valid_until"} | None, "refused": whether it would be, "reason": why}`, and where there
        is a price that is to be paid `methods`: the ways by which it can be.
        """
        step = next((number for number, each in enumerate(route.service.steps) if each.kind == "quote"), None)
        if step is None:
            return None
        work.step, work.phase = step, ""
        plan = route.plan(work)
        if plan.operation.effect is not Effect.SAFE:
            return None
        lane = lane_of(plan.connector.name, plan.operation.name)
        if not await self._dispatcher.claims.enter(lane):
            return _told(None, _BUSY)
        try:
            exchange = self._dispatcher.ask_early(work)
            answer = await exchange.asked if exchange is not None and exchange.asked is not None else None
        finally:
            self._lanes.leave(lane)
        if isinstance(answer, Outcome):
            quote = answer.quote if answer.status is Status.SUCCEEDED else None
            code = answer.code or "unlisted_code"
            told = _told(quote, None if quote else code, refused=answer.status is Status.REFUSED)
            return told if quote is None else told | _ways(quote, route)
        return _told(None, answer.code if answer is not None else _BUSY)


def _ways(quote: Quote, route: Route) -> dict[str, Any]:
    """By which ways the price can be paid; a request that could be paid by none would be refused."""
    if route.service.fee is None:
        return {}
    methods = route.payable(Money(quote.amount_minor, quote.currency, quote.denomination))
    return {"methods": list(methods)} | ({} if methods else {"refused": True, "reason": reason(AMOUNT_NOT_PAYABLE)})


def _told(quote: Quote | None, code: str | None, *, refused: bool = False) -> dict[str, Any]:
    shown = None
    if quote is not None:
        amount = money(Money(quote.amount_minor, quote.currency, quote.denomination))
        shown = {"amount": amount, "valid_until": moment(quote.valid_until) if quote.valid_until else None}
    return {"quote": shown, "refused": refused, "reason": reason(code)}

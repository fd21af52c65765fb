"""A settlement in the making: every state change goes through the table of moves. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.contract import Asked, Effect, Outcome, Quote
from connectors.kit.outcome_file import quote_of
from gateway import asking, next_action
from gateway.payments.fee_orders import due_of, owe, paid_of, price_details, same_money, shown_amount
from gateway.steps import INITIATE, PICKUP, Landing, Plan, Route
from gateway.work import RESTORED, Evidence, Happened, Next, Settlement, Work
from mappings.money import Money
from mappings.status import Attempt, Intent, Request, move

#: No way to pay that the service offers can say the amount: it has a rest in what they count in.
AMOUNT_NOT_PAYABLE = "amount_not_payable"


class Draft:
    """A settlement in the making: every state change goes through the table of moves."""

    def __init__(self, work: Work, plan: Plan, route: Route) -> None:
        self.work, self.plan, self.route = work, plan, route
        self.settlement = Settlement(
            work.state, work.step, work.phase, dict(work.progress), intent_state=work.intent_state
        )
        self._facts = {"step": plan.step_kind, "connector": plan.connector.name, "operation": plan.operation.name}
        if work.state is Request.ACCEPTED:
            self.settlement.state = move(work.state, "started")  # a safe exchange has no SENDING of its own

    def go(self, event: str, /, **facts: Any) -> None:
        """Move, and tell it in the timeline."""
        settlement = self.settlement
        settlement.state = move(settlement.state, event)
        known = {key: value for key, value in facts.items() if value not in (None, "")}
        settlement.happened.append(Happened(event, settlement.state, self._facts | known))

    def intent(self, *happenings: str) -> None:
        """What happens to the fee order, if there is one."""
        state = self.settlement.intent_state
        if state is None:
            return
        for event in happenings:
            state = move(state, event)
        self.settlement.intent_state = state

    def saw(self, state: Attempt, evidence: Evidence, *, reference: str = "") -> None:
        """What was learnt about the attempt."""
        settlement = self.settlement
        settlement.attempt_state, settlement.attempt_code = state, evidence.code
        settlement.attempt_reference, settlement.evidence = reference, evidence

    def advance(self, *, milliseconds: int) -> None:
        """To the next step that needs an exchange, or to the end."""
        settlement = self.settlement
        landing = self.route.land(self.work.step + 1, settlement.progress)
        settlement.step, settlement.phase, settlement.reason = landing.step, landing.phase, None
        if landing.phase == INITIATE and self.otherwise_paid():
            return
        if settlement.state is Request.DELIVERING:
            self.go("delivered", milliseconds=milliseconds)
            return
        if landing.phase == PICKUP or (landing.lane and self.route.service.steps[landing.step].kind == "deliver"):
            self._deliver(landing, milliseconds=milliseconds)
            return
        if landing.lane is None:
            self.go("completed", milliseconds=milliseconds, documents=len(settlement.documents))
        else:
            self.go("advanced", milliseconds=milliseconds)
            settlement.next = Next(landing.lane)

    def _deliver(self, landing: Landing, *, milliseconds: int) -> None:
        """Done; what came of it goes to the citizen by post, or to a centre."""
        settlement = self.settlement
        method = str(settlement.progress["delivery"])
        settlement.reason = "waiting_at_centre" if landing.lane is None else "handed_to_post"
        centre = self.work.content["delivery"].get("centre")
        documents = len(settlement.documents)
        self.go("delivery_started", method=method, centre=centre, milliseconds=milliseconds, documents=documents)
        settlement.next = Next(landing.lane) if landing.lane else None

    def track(self, outcome: Outcome) -> None:
        """What the post says of the parcel: each of its events that is new is a line of the timeline."""
        settlement = self.settlement
        events = [event for event in outcome.data.get("events") or () if isinstance(event, Mapping)]
        told = list(settlement.progress.get("tracked", ()))
        for event in events:
            facts = {name: event.get(name) for name in ("event", "at", "place")}
            if (seen := list(facts.values())) not in told:
                told.append(seen)
                self.go("tracked", **facts, reference=outcome.reference)
        settlement.progress["tracked"] = told

    def received(self, code: str, reference: str) -> None:
        """The institution has it and has not decided; the post has it and has not delivered."""
        if self.settlement.state is Request.DELIVERING:
            self.settlement.reason = code or "handed_to_post"
        else:
            self.settlement.reason = "with_institution"
            self.go("received", code=code, reference=reference)

    def otherwise_paid(self, reason: str = AMOUNT_NOT_PAYABLE) -> bool:
        """Whether what is due cannot be paid as the citizen chose: then there is another choice, or an end to it.

        `reason` is told where the chosen way could have paid it. Nothing was sent.
        """
        methods = self.route.payable(due_of(self.work, self.settlement.fee_order))
        chosen = self.settlement.progress["payment"]["method"] in methods
        if not methods:
            self.unpayable()
        elif not chosen or reason != AMOUNT_NOT_PAYABLE:
            self.ask(next_action.CHOOSE_PAYMENT, reason=reason if chosen else AMOUNT_NOT_PAYABLE)
        else:
            return False
        return True

    def unpayable(self) -> None:
        """No way to pay can say the amount: refused while nothing is paid, else people decide."""
        work, settlement = self.work, self.settlement
        if work.intent_state is not None and paid_of(work.intent_state, work.amount_minor, work.paid_minor):
            self.park(AMOUNT_NOT_PAYABLE)
            return
        if work.intent_id is None:  # nothing is owed for what ends here
            settlement.fee_order, settlement.intent_state = None, None
        self.refuse(AMOUNT_NOT_PAYABLE, "")

    def ask(self, kind: str, *, reason: str | None) -> None:
        """Wait for the citizen."""
        settlement, service = self.settlement, self.route.service
        methods = self.route.payable(due_of(self.work, settlement.fee_order))
        settlement.next_action, settlement.progress = next_action.ask(kind, settlement.progress, methods)
        settlement.phase, settlement.reason = kind, reason
        settlement.expires_in_ms = int(service.pay_within_hours * 3_600_000)
        quote = settlement.progress.get("quote")
        settlement.expires_at = asking.milliseconds(quote["valid_until"]) if quote else None
        self.go("needs_citizen", kind=kind, code=reason)
        self.intent(*(["initiated"] if self.work.intent_state is Intent.CREATED else []))
        if settlement.intent_state in (Intent.IN_PROGRESS, Intent.PAYER_ACTION, Intent.IN_DOUBT):
            self.intent("payer_asked")

    def ask_for(self, asked: Asked, quote: Quote | None, code: str, *, still_open: bool) -> None:
        """Wait for what the institution wants of the citizen. What its service does not declare, people must decide."""
        settlement, work = self.settlement, self.work
        if quote is not None and not same_money(work, quote_of(quote)):
            self.park("quote_unusable")
            return
        if quote is not None:
            settlement.progress["offer"] = quote_of(quote)
            order = owe(work, settlement.progress["offer"])
            if order.state is not Intent.SUCCEEDED and not self.route.payable(due_of(work, order)):
                self.unpayable()
                return
            asked = replace(asked, details={**asked.details, **price_details(work, settlement.progress["offer"])})
        action = asking.stored(work, self.plan, self.route.service, asked, still_open=still_open)
        if action is None:
            self.park("action_undeclared")
            return
        settlement.next_action, settlement.progress = next_action.ask_for(action, settlement.progress)
        settlement.phase, settlement.reason = "", code or "institution_asks"
        hours = self.route.service.actions[asked.kind].answer_within_hours
        seconds = asked.expires_in_seconds
        settlement.expires_in_ms = int(seconds * 1000) if seconds is not None else None
        ends_at = asking.milliseconds(asked.expires_at)
        if seconds is None and ends_at is None:
            settlement.expires_in_ms = hours * 3_600_000
        settlement.expires_at = asking.earliest(ends_at, asking.milliseconds(quote.valid_until) if quote else None)
        self.go("needs_citizen", kind=asked.kind, code=code)

    def refuse(self, code: str, institution_code: str) -> None:
        """The institution said no. A parcel that comes back is no refusal of the service: people decide."""
        if self.settlement.state is Request.DELIVERING:
            self.park(code)
            return
        if RESTORED in self.work.progress and self.plan.subject is None and self.plan.operation.effect is Effect.SAFE:
            self.park(RESTORED)  # a check may say no because what it checks for was done since the backup
            return
        self.settlement.reason = code
        self.go("refused", code=code, institution_code=institution_code)
        if self.settlement.intent_state in (Intent.CREATED, Intent.PAYER_ACTION, Intent.IN_PROGRESS):
            self.intent("cancelled")

    def park(self, code: str) -> None:
        """People decide."""
        self.settlement.reason = code
        self.go("parked", code=code)

    def quoted(self, outcome: Outcome) -> None:
        """The price is known: it is owed, unless the citizen was shown another one and has not consented to this."""
        work, service, settlement, quote = self.work, self.route.service, self.settlement, outcome.quote
        if quote is None or not same_money(work, quote_of(quote)):
            self.park("quote_unusable")
            return
        price, shown = quote_of(quote), shown_amount(work)
        if (
            shown not in (None, Money(quote.amount_minor, quote.currency, quote.denomination))
            and asking.CONSENT_PRICE in service.actions
        ):
            self.ask_for(Asked(asking.CONSENT_PRICE), quote, "price_changed", still_open=False)
            return
        settlement.progress["quote"] = price
        if service.fee is not None and service.fee.money is None:
            settlement.fee_order = owe(work, price)
            settlement.intent_state = settlement.fee_order.state
        self.advance(milliseconds=milliseconds(outcome))


def milliseconds(outcome: Outcome) -> int:
    """How long the exchange took."""
    return outcome.exchange.milliseconds if outcome.exchange else 0

"""What a citizen owes for one request when the price is named on the way: what is paid, due, or to be given back."""

from collections.abc import Mapping
from typing import Any

from gateway.ids import new_id
from gateway.work import FeeOrder, Work
from mappings.money import Money, format_amount, parse_amount
from mappings.status import Intent, Request, move


def owe(work: Work, price: Mapping[str, Any]) -> FeeOrder:
    """The fee order at a price that is in force from now on.

    Raises ValueError for a price in another money than the one that was paid in: nothing is converted by guess.
    """
    amount, currency, denomination = price["amount_minor"], price["currency"], price["denomination"]
    if work.intent_id is None or work.intent_state is None:
        return FeeOrder(new_id(), Intent.CREATED, amount, currency, denomination, 0)
    if not same_money(work, price):
        raise ValueError("the new price is in another money than the old one")
    paid = paid_of(work.intent_state, work.amount_minor, work.paid_minor)
    state = work.intent_state
    if state is Intent.SUCCEEDED and amount > paid:
        state = move(state, "more_owed")
    elif state is Intent.CREATED and amount <= paid:
        state = move(state, "covered")  # it fell again before the difference was paid
    return FeeOrder(work.intent_id, state, amount, currency, denomination, paid)


def take_on(work: Work, order: FeeOrder) -> None:
    """Put the order into the worker's own copy."""
    work.intent_id, work.intent_state = order.id, order.state
    work.amount_minor, work.paid_minor = order.amount_minor, order.paid_minor
    work.currency, work.denomination = order.currency, order.denomination


def paid_of(state: Intent, amount_minor: int, paid_minor: int) -> int:
    """What was paid in all."""
    return max(paid_minor, amount_minor if state is Intent.SUCCEEDED else 0)


def due_of(work: Work, order: FeeOrder | None) -> Money:
    """What the next payment is for, as money: of `order` where it names a price that is not written yet."""
    if order is not None:
        return Money(order.amount_minor - order.paid_minor, order.currency, order.denomination)
    return Money(due_minor(work), work.currency, work.denomination)


def due_minor(work: Work) -> int:
    """What the next payment is for: the whole amount, less what was paid before it was named."""
    return work.amount_minor - work.paid_minor


def refund_minor(request: Request, state: Intent, amount_minor: int, paid_minor: int) -> int:
    """What is to be given back: all of it when the request ended without its result, else what was paid too much."""
    paid = paid_of(state, amount_minor, paid_minor)
    if request in (Request.REFUSED, Request.CANCELLED, Request.EXPIRED):
        return paid
    return max(0, paid - amount_minor)


def price_details(work: Work, price: Mapping[str, Any]) -> dict[str, str]:
    """What a citizen who is asked to consent to a price must see: old and new amount, what is due, what comes back."""

    def text(minor: int) -> str:
        return format_amount(Money(minor, price["currency"], price["denomination"]))

    paid = paid_of(work.intent_state, work.amount_minor, work.paid_minor) if work.intent_state else 0
    amount = price["amount_minor"]
    details = {"amount": text(amount), "due": text(max(0, amount - paid)), "refund": text(max(0, paid - amount))}
    if work.intent_id is not None:
        details["amount_before"] = text(work.amount_minor)
    return details


def shown_amount(work: Work) -> Money | None:
    """The amount that the channel showed the citizen before the request was made, if it said so."""
    amount = (work.content.get("payment") or {}).get("amount")
    return parse_amount(amount["value"], amount["currency"], amount["denomination"]) if amount else None


def same_money(work: Work, price: Mapping[str, Any]) -> bool:
    """Whether a price is in the money that the request is paid in so far."""
    return work.intent_id is None or (price["currency"], price["denomination"]) == (work.currency, work.denomination)


def facts_of(order: FeeOrder, request: Request) -> dict[str, Any]:
    """What the timeline tells of a price that the citizen consented to, in minor units."""
    refund = refund_minor(request, order.state, order.amount_minor, order.paid_minor)
    due = max(0, order.amount_minor - paid_of(order.state, order.amount_minor, order.paid_minor))
    return {"amount_minor": order.amount_minor, "denomination": order.denomination, "due_minor": due} | (
        {"refund_minor": refund} if refund else {}
    )

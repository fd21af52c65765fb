"""A price that changes never loses a payment: paid, due and refund always add up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.payments.fee_orders import due_minor, owe, paid_of, refund_minor, take_on
from mappings.status import Intent, Request
from tests.unit.gateway.test_settle import PAY, work

PRICES = st.lists(st.tuples(st.integers(1, 10**9), st.booleans()), min_size=1, max_size=8)


def price(minor: int, denomination: str = "SYP-new") -> dict[str, object]:
    return {"amount_minor": minor, "currency": "SYP", "denomination": denomination}


@given(PRICES)
def test_whatever_the_prices_are_what_was_paid_is_what_was_due_and_the_rest_comes_back(prices):
    """Each price is paid at once or not at all before the next one is named."""
    mine = work(PAY, intent_id=None, intent_state=None)
    received = 0
    for minor, pays in prices:
        take_on(mine, owe(mine, price(minor)))
        assert mine.intent_state is not None
        owed = mine.intent_state is not Intent.SUCCEEDED
        assert owed is (minor > received)
        if owed and pays:
            received += due_minor(mine)
            mine.intent_state = Intent.SUCCEEDED
        paid = paid_of(mine.intent_state, mine.amount_minor, mine.paid_minor)
        assert paid == received
        args = mine.intent_state, mine.amount_minor, mine.paid_minor
        assert refund_minor(Request.IN_PROGRESS, *args) == max(0, received - minor)
        for ended in (Request.REFUSED, Request.CANCELLED, Request.EXPIRED):
            assert refund_minor(ended, *args) == received


def test_a_price_in_another_money_is_not_converted():
    mine = replace(work(PAY), amount_minor=2500, currency="SYP", denomination="SYP-new")
    with pytest.raises(ValueError, match="another money"):
        owe(mine, price(250_000, "SYP-old"))

"""An amount that a way to pay cannot say: nothing is sent to it, and the citizen gets another choice or a true answer."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.kit.contract import Asked, Effect, Operation, Outcome, PaysIn, Quote, Status
from connectors.kit.errors import MappingFailed
from gateway import settings as settings_module
from gateway import settle
from gateway.catalogue import Catalogue, Fee
from gateway.settings import BUILTIN_SERVICES, SettingsError
from gateway.steps import Route
from gateway.work import Work
from jisr.app import _check_fee
from mappings.money import Money
from mappings.status import Intent, Request

POLICY = settings_module.load(environment={}).dispatch
WHOLE = PaysIn("SYP-new", "whole")
INSURANCE = Catalogue.load([BUILTIN_SERVICES]).get("insurance.compulsory-motor")
QUOTE, PAY, SUBMIT = range(3)


def connector(name, *operations):
    return SimpleNamespace(name=name, version="1", operations={operation.name: operation for operation in operations})


CONNECTORS = {
    "insurance": connector(
        "insurance",
        Operation("quote", "quote", Effect.SAFE),
        Operation("bind", "submit", Effect.INQUIRABLE, inquire="inquire"),
        Operation("inquire", "inquire", Effect.SAFE),
    ),
    "wallet": connector("wallet", Operation("initiate", "initiate", Effect.IDEMPOTENT, pays_in=WHOLE)),
    "bank": connector("bank", Operation("initiate", "initiate", Effect.IDEMPOTENT)),
}


def route(*methods, money=None):
    assert INSURANCE is not None
    return Route(replace(INSURANCE, fee=Fee(money, methods, example=True)), CONNECTORS)


def work(step, **more):
    progress = {"payment": {"method": "wallet", "payer": None, "number": 1}}
    content = {"payment": {"method": "wallet"}, "delivery": {"method": "electronic"}}
    state = Request.ACCEPTED if step == QUOTE else Request.IN_PROGRESS
    return Work(
        "0198-aa", "a.service", "ar", "", None, 2, state, step, "", 1, 0, None, content, progress, "", 1, **more
    )


def price(minor):
    return Quote("Q", minor, "SYP", "SYP-new")


def quoted(by, minor):
    given = work(QUOTE)
    return settle.on_outcome(given, by.plan(given), by, Outcome(Status.SUCCEEDED, quote=price(minor)), POLICY)


def dearer(by, minor):
    """180.00 was paid, and now the price is another one."""
    paid = {"amount_minor": 18_000, "currency": "SYP", "denomination": "SYP-new"}
    given = work(SUBMIT, intent_id="i", intent_state=Intent.SUCCEEDED, **paid)
    changed = Outcome(Status.REFUSED, "price_changed", asked=Asked("consent_price"), quote=price(minor))
    return settle.on_outcome(given, by.plan(given), by, changed, POLICY)


@pytest.mark.parametrize(
    ("amount", "denomination", "unit", "fits"),
    [
        (18_000, "SYP-new", "whole", True),
        (18_050, "SYP-new", "whole", False),
        (18_050, "SYP-new", "major", True),
        (18_050, "SYP-new", "minor", True),
        (18_050, "SYP-old", "whole", True),
    ],
)
def test_an_amount_fits_what_it_is_counted_in_or_not(amount, denomination, unit, fits):
    assert PaysIn(denomination, unit).fits(Money(amount, "SYP", "SYP-new")) is fits


def test_a_price_that_no_way_to_pay_can_say_ends_the_request_before_anything_is_owed():
    settled = quoted(route("wallet"), 18_050)

    assert (settled.state, settled.reason) == (Request.REFUSED, "amount_not_payable")
    assert (settled.fee_order, settled.intent_state, settled.next) == (None, None, None)


def test_a_price_that_another_way_can_say_asks_for_that_way_and_offers_no_other():
    settled = quoted(route("wallet", "bank"), 18_050)

    assert (settled.state, settled.step, settled.reason) == (Request.AWAITING_CITIZEN, PAY, "amount_not_payable")
    assert settled.next_action is not None
    assert (settled.next_action["kind"], settled.next_action["methods"]) == ("choose_payment", ["bank"])
    assert settled.fee_order is not None
    assert settled.fee_order.amount_minor == 18_050


def test_a_price_that_the_chosen_way_can_say_is_paid_by_it():
    settled = quoted(route("wallet", "bank"), 18_000)

    assert (settled.state, settled.phase) == (Request.IN_PROGRESS, "initiate")


@pytest.mark.parametrize(
    ("methods", "minor", "state", "reason"),
    [
        (("wallet",), 19_550, Request.PARKED, "amount_not_payable"),
        (("wallet", "bank"), 19_550, Request.AWAITING_CITIZEN, "price_changed"),
        (("wallet",), 19_500, Request.AWAITING_CITIZEN, "price_changed"),
        (("wallet",), 17_050, Request.AWAITING_CITIZEN, "price_changed"),  # nothing is due: a refund is no payment
    ],
)
def test_a_difference_that_nobody_can_pay_is_for_people_and_no_consent_is_asked_for(methods, minor, state, reason):
    settled = dearer(route(*methods), minor)

    assert (settled.state, settled.reason) == (state, reason)


@pytest.mark.parametrize(
    ("minor", "reason"), [(18_050, "amount_not_payable"), (18_000, "payment_provider_unavailable")]
)
def test_a_payment_that_could_not_be_written_tells_why(minor, reason):
    by = route("wallet", "bank")
    owed = {"amount_minor": minor, "currency": "SYP", "denomination": "SYP-new"}
    given: Work = work(PAY, intent_id="i", intent_state=Intent.CREATED, **owed)
    settled = settle.on_error(given, by.plan(given), by, MappingFailed("x"), POLICY, age_ms=0)

    assert (settled.state, settled.reason) == (Request.AWAITING_CITIZEN, reason)


def test_a_fee_that_its_own_way_to_pay_cannot_say_is_one_sentence_at_the_start():
    _check_fee(route("wallet", money=Money(2_500, "SYP", "SYP-new")))
    with pytest.raises(SettingsError, match=r"costs 25\.50 SYP-new, which wallet cannot be told exactly"):
        _check_fee(route("wallet", "bank", money=Money(2_550, "SYP", "SYP-new")))

"""This file checks the payment part of a body: the exact fee, and a payer whom the chosen wallet knows."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import FieldError, field_error
from mappings.money import Money, denominations, format_amount, parse_amount
from mappings.person import OPERATORS, mobile_operator

_AMOUNT = "/payment/amount"
_MOBILE = "/payment/payer/mobile"


def amount_errors(amount: object, fee: Money | None) -> list[FieldError]:
    """What is wrong with the amount that the citizen was shown; it may be left out. Nothing is rounded.

    Without a `fee` the institution's quote will say it; then the amount must only be one.
    """
    if not isinstance(amount, dict):
        return []
    if fee is None:
        return _unreadable(amount)
    errors = [
        field_error(f"{_AMOUNT}/{key}", f"{key}_mismatch", expected=expected)
        for key, expected in (("currency", fee.currency), ("denomination", fee.denomination))
        if isinstance(amount.get(key), str) and amount[key] != expected
    ]
    value = amount.get("value")
    if not isinstance(value, str):
        return errors
    try:
        given = parse_amount(value, fee.currency, fee.denomination)
    except ValueError:
        return [*errors, field_error(f"{_AMOUNT}/value", "amount_not_exact")]
    if given != fee:
        expected = f"{format_amount(fee)} {fee.denomination}"
        errors.append(field_error(f"{_AMOUNT}/value", "amount_mismatch", expected=expected))
    return errors


def _unreadable(amount: Mapping[str, Any]) -> list[FieldError]:
    value, currency, denomination = amount.get("value"), amount.get("currency"), amount.get("denomination")
    if not (isinstance(value, str) and isinstance(currency, str) and isinstance(denomination, str)):
        return []  # the schema says so already
    known = denominations().get(denomination)
    if known is None or known.currency != currency:
        return [field_error(f"{_AMOUNT}/denomination", "denomination_mismatch", expected=", ".join(denominations()))]
    try:
        parse_amount(value, currency, denomination)
    except ValueError:
        return [field_error(f"{_AMOUNT}/value", "amount_not_exact")]
    return []


def payer_errors(payment: Mapping[str, Any], operator: str | None) -> list[FieldError]:
    """What is wrong with the payer's mobile for a wallet of `operator`; None is a method that needs no mobile."""
    if operator is None:
        return []
    payer = payment.get("payer", {})
    given = payer.get("mobile") if isinstance(payer, dict) else None
    if given is None:
        return [field_error(_MOBILE, "payer_mobile_required")]
    if not isinstance(given, str):
        return []
    try:
        found = mobile_operator(given)
    except ValueError:
        return []  # the schema says so already
    if found == operator:
        return []
    prefixes = ", ".join(sorted(f"0{prefix}" for prefix, owner in OPERATORS.items() if owner == operator))
    return [field_error(_MOBILE, "payer_mobile_foreign", allowed=prefixes)]

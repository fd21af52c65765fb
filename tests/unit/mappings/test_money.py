"""Money is exact or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.money import Money, amount_as, format_amount, parse_amount

AMOUNTS = st.integers(min_value=1, max_value=10**16)


def _parse(amount):
    return parse_amount(amount, "SYP", "SYP-new")


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("25", 2500),
        ("25.5", 2550),
        ("25.50", 2550),
        ("0.01", 1),
        (25, 2500),
        (Decimal("25.10"), 2510),
        ("٢٥.٥٠", 2550),
        ("۲۵", 2500),
        ("999999999999999.99", 99999999999999999),
    ],
)
def test_a10_an_exact_amount_is_read(written, minor):
    assert _parse(written) == Money(minor, "SYP", "SYP-new")


@pytest.mark.parametrize(
    "written",
    ["0", "0.00", "-1", "+1", "1e3", "1E3", "0.1e1", "NaN", "Infinity", "1.005", "25.", ".5", "", " 25", "25 ", "1,000", "1_000", "007", "0x10", "25\n", "1" * 16, "1" * 5000,
     0, -1, 10**30, True, 25.0, 0.1 + 0.2, None, b"25", Decimal("NaN"), Decimal("1E+3"), Decimal(-1), Decimal("1.005"), "٢٥٫٥", "²5"],
)  # fmt: skip
def test_a10_anything_else_is_refused(written):
    with pytest.raises(ValueError):
        _parse(written)


@pytest.mark.parametrize(
    ("currency", "denomination"), [("USD", "SYP-new"), ("SYP", "SYP"), ("syp", "SYP-new"), ("SYP", "")]
)
def test_a10_a_currency_without_that_denomination_is_refused(currency, denomination):
    with pytest.raises(ValueError):
        parse_amount("1", currency, denomination)


@given(AMOUNTS)
def test_what_is_written_is_read_back(minor):
    money = Money(minor, "SYP", "SYP-new")
    assert parse_amount(format_amount(money), "SYP", "SYP-new") == money
    assert parse_amount(Decimal(format_amount(money)), "SYP", "SYP-new") == money


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False))
def test_no_amount_is_ever_rounded(value):
    try:
        money = _parse(str(value))
    except ValueError:
        return
    assert Decimal(money.amount_minor) / 100 == value


@given(AMOUNTS)
def test_a_hundred_old_pounds_are_a_new_one(minor):
    old = Money(minor, "SYP", "SYP-new").converted("SYP-old")
    assert old.amount_minor == minor * 100
    assert old.converted("SYP-new") == Money(minor, "SYP", "SYP-new")


def test_a_conversion_that_would_round_is_refused():
    with pytest.raises(ValueError):
        Money(150, "SYP", "SYP-old").converted("SYP-new")


def test_wires_count_in_three_units():
    money = Money(2500, "SYP", "SYP-new")
    assert [amount_as(money, unit) for unit in ("minor", "major", "whole")] == ["2500", "25.00", "25"]
    with pytest.raises(ValueError):
        amount_as(Money(2550, "SYP", "SYP-new"), "whole")
    with pytest.raises(ValueError):
        amount_as(money, "dozen")  # type: ignore[arg-type]


@pytest.mark.parametrize("minor", [2500.0, "2500", True, Decimal(2500)])
def test_minor_units_are_integers(minor):
    with pytest.raises(ValueError):
        Money(minor, "SYP", "SYP-new")


def test_a_small_amount_keeps_its_zeros():
    assert format_amount(Money(5, "SYP", "SYP-new")) == "0.05"
    assert format_amount(Money(-5, "SYP", "SYP-new")) == "-0.05"

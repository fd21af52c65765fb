"""Money: integer minor units with a currency and a denomination, read exactly or refused.

The Syrian pound has been redenominated, so an amount without its denomination (`SYP-old`, `SYP-new`) may be wrong by a
factor of 100. Nothing here rounds, and there is no float.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from mappings.arabic import fold_digits

MoneyUnit = Literal["minor", "major", "whole"]
_ARABIC_POINT = "\u066b"

#: No amount has more digits before the point: it fits a 64-bit integer column in minor units.
_MAX_DIGITS = 15
_AMOUNT = re.compile(rf"(0|[1-9][0-9]{{0,{_MAX_DIGITS - 1}}})(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Denomination:
    """How one denomination of a currency counts."""

    currency: str
    exponent: int  #: Decimals of the major unit.
    per_base: int  #: Units that make one unit of the currency's base denomination.


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount."""

    amount_minor: int
    currency: str  #: ISO 4217.
    denomination: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise ValueError("an amount is an integer of minor units")
        denomination_of(self.currency, self.denomination)

    def converted(self, denomination: str) -> "Money":
        """The same amount counted in another denomination of its currency. Raises ValueError when that is not exact."""
        source = denomination_of(self.currency, self.denomination)
        target = denomination_of(self.currency, denomination)
        numerator = self.amount_minor * target.per_base * int(10**target.exponent)
        amount, rest = divmod(numerator, source.per_base * int(10**source.exponent))
        if rest:
            raise ValueError(f"the amount is not a whole number of {denomination} minor units")
        return Money(amount, self.currency, denomination)


@cache
def denominations() -> Mapping[str, Denomination]:
    """Every known denomination by its name."""
    tables = tomllib.loads((Path(__file__).parent / "codes" / "currencies.toml").read_text("utf-8"))
    return {
        name: Denomination(currency, row["exponent"], row["per_base"])
        for currency, table in tables.items()
        for name, row in table["denominations"].items()
    }


def denomination_of(currency: str, denomination: str) -> Denomination:
    """The denomination of that currency. Raises ValueError when it is not known or belongs to another currency."""
    known = denominations().get(denomination)
    if known is None or known.currency != currency:
        raise ValueError(f"unknown denomination {denomination!r} of currency {currency!r}")
    return known


def parse_amount(amount: str | int | Decimal, currency: str, denomination: str) -> Money:
    """The exact money of a positive amount in major units; text, an integer, or a Decimal as JSON readers give it.

    Arabic-Indic and Persian digits are folded. Raises ValueError for zero and below, for exponents (`1e3`), NaN, signs,
    spaces, separators, leading zeros, more decimals than the denomination has, and above 15 digits before the point.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise ValueError("an amount is text or an integer, never a float")  # noqa: TRY004  # one kind of refusal
    exponent = denomination_of(currency, denomination).exponent
    text = fold_digits(amount) if isinstance(amount, str) else str(amount) if _is_short(amount) else ""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("an amount is written as digits with an optional decimal point")
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > exponent:
        raise ValueError(f"{denomination} has {exponent} decimals")
    amount_minor = int(whole + fraction.ljust(exponent, "0"))
    if amount_minor == 0:
        raise ValueError("an amount is more than zero")
    return Money(amount_minor, currency, denomination)


def _is_short(amount: int | Decimal) -> bool:
    """Whether the number may be turned into text: Python refuses to print an integer of more than 4,300 digits."""
    return isinstance(amount, Decimal) or abs(amount) < 10**_MAX_DIGITS


def format_amount(money: Money) -> str:
    """The amount in major units with all decimals (`25.00`); `parse_amount` reads it back."""
    exponent = denomination_of(money.currency, money.denomination).exponent
    sign, digits = ("-" if money.amount_minor < 0 else ""), str(abs(money.amount_minor)).rjust(exponent + 1, "0")
    if exponent == 0:
        return sign + digits
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def amount_as(money: Money, unit: MoneyUnit) -> str:
    """The amount as a wire counts it: `minor` 2500, `major` 25.00 or `whole` 25. Raises ValueError when not exact."""
    match unit:
        case "minor":
            return str(money.amount_minor)
        case "major":
            return format_amount(money)
        case "whole":
            whole, rest = divmod(money.amount_minor, 10 ** denomination_of(money.currency, money.denomination).exponent)
            if rest:
                raise ValueError("the amount is not a whole number of major units")
            return str(whole)
    raise ValueError(f"unknown unit of money: {unit}")


def money_from(amount: str | int | Decimal, currency: str, denomination: str, unit: MoneyUnit) -> Money:
    """The exact money of a positive amount as a wire counts it; the other way of `amount_as`. Raises ValueError."""
    if isinstance(amount, str):
        amount = amount.replace(_ARABIC_POINT, ".")
    match unit:
        case "major":
            return parse_amount(amount, currency, denomination)
        case "minor" | "whole":
            read = parse_amount(amount, currency, denomination)
            whole, rest = divmod(read.amount_minor, 10 ** denomination_of(currency, denomination).exponent)
            if rest or "." in str(amount):
                raise ValueError("the amount is not a whole number")
            return Money(whole, currency, denomination) if unit == "minor" else read
    raise ValueError(f"unknown unit of money: {unit}")


def money_reader(denomination: str, unit: MoneyUnit) -> Callable[[Any], int]:
    """The minor units that `money_from` reads, denomination and unit known beforehand. Raises ValueError for those."""
    known = denominations().get(denomination)
    if known is None:
        raise ValueError("money_of() wants a denomination that is known")
    if unit not in {"minor", "major", "whole"}:
        raise ValueError(f"unknown unit of money: {unit}")
    currency, exponent = known.currency, known.exponent
    factor = 1 if unit == "minor" else int(10**exponent)

    def read(amount: str | int | Decimal) -> int:
        match = _AMOUNT.fullmatch(amount) if amount.__class__ is str else None
        if match is not None:
            whole, fraction = match.groups()
            if fraction is None:
                minor = int(whole) * factor
            elif unit == "major" and len(fraction) <= exponent:
                minor = int(whole + fraction.ljust(exponent, "0"))
            else:
                minor = 0
            if minor > 0:
                return minor
        return money_from(amount, currency, denomination, unit).amount_minor

    return read

"""Money as a statement's cells write it: exact, zero only where it may be, nothing rounded."""

import re

from connectors.kit.manifest.statements import StatementMoney
from mappings.money import Money, MoneyUnit, amount_as, money_from

_ZERO = re.compile(r"0(?:\.0{1,2})?")


def minor_of(text: str, money: StatementMoney, *, unit: MoneyUnit | None = None, zero: bool = False) -> int:
    """The minor units of a cell. Raises ValueError."""
    if zero and _ZERO.fullmatch(text):
        return 0
    return money_from(text, money.currency, money.denomination, unit or money.unit).amount_minor


def cell_of(amount_minor: int, money: StatementMoney, *, unit: MoneyUnit | None = None) -> str:
    """The cell of an amount; `minor_of` reads it back. Raises ValueError for what the unit cannot say."""
    return amount_as(Money(amount_minor, money.currency, money.denomination), unit or money.unit)

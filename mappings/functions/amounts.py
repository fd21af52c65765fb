"""Functions of money: exact, in the denomination that the wire counts in, or refused."""

from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from mappings.compiled.node import Evaluate
from mappings.functions.registry import function
from mappings.money import Money, MoneyUnit, amount_as, denominations, money_from, money_reader


@lru_cache(maxsize=4096, typed=True)  # the fees of services are few
def _written(amount_minor: int, currency: str, denomination: str, target: str, unit: str) -> str:
    return amount_as(Money(amount_minor, currency, denomination).converted(target), cast(MoneyUnit, unit))


def _money_of(denomination: str, unit: str) -> Evaluate:
    """`money_of` with both constants."""
    read = money_reader(denomination, cast(MoneyUnit, unit))
    currency = denominations()[denomination].currency
    return lambda amount: {"amount_minor": read(amount), "currency": currency, "denomination": denomination}


class AmountFunctions:
    """Mixed into `MappingFunctions`."""

    @function(
        "fee: object", "denomination: text", "unit: text",
        says="Money as the wire's text: `'minor'` 2500, `'major'` 25.00 or `'whole'` 25, converted exactly to the "
        "denomination that the wire counts in; what has a rest is refused.",
        examples=(
            ("money({amount_minor: `2500`, currency: 'SYP', denomination: 'SYP-new'}, 'SYP-new', 'whole')", "25"),
            ("money({amount_minor: `2500`, currency: 'SYP', denomination: 'SYP-new'}, 'SYP-old', 'major')", "2500.00"),
        ),
    )  # fmt: skip
    def _func_money(self, fee: dict[str, Any], denomination: str, unit: str) -> str:
        try:
            return _written(fee["amount_minor"], fee["currency"], fee["denomination"], denomination, unit)
        except (KeyError, TypeError):
            raise ValueError("money() wants amount_minor, currency and denomination") from None

    @function(
        "amount: number or text", "denomination: text", "unit: text",
        prepare=_money_of,
        says="The canonical money (whole minor units) of an amount on the wire; digits are folded. Zero, signs, "
        "separators, too many decimals and floats are refused.",
        examples=(
            (
                "money_of('٢٥٫٠٠', 'SYP-new', 'major')",
                {"amount_minor": 2500, "currency": "SYP", "denomination": "SYP-new"},
            ),
            ("money_of(`2500`, 'SYP-old', 'whole').amount_minor", 250000),
        ),
    )  # fmt: skip
    def _func_money_of(self, amount: str | int | Decimal, denomination: str, unit: str) -> dict[str, Any]:
        known = denominations().get(denomination)
        if known is None:
            raise ValueError("money_of() wants a denomination that is known")
        money = money_from(amount, known.currency, denomination, cast(MoneyUnit, unit))
        return {"amount_minor": money.amount_minor, "currency": money.currency, "denomination": money.denomination}

"""The functions that mapping expressions have beside JMESPath's. Null in, null out; what does not fit is a ValueError.

The messages name what was wanted and never the value, which may be personal.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar, cast

from jmespath.functions import Functions, signature

from mappings import codes
from mappings.arabic import fold, fold_digits
from mappings.codes import CodeTable
from mappings.money import Money, MoneyUnit, amount_as
from mappings.person import MobileForm, mobile_as

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_Method = TypeVar("_Method", bound=Callable[..., Any])


def _takes(count: int) -> Callable[[_Method], _Method]:
    """Registers a function of so many arguments with jmespath; it checks their types itself, without showing values."""
    return cast("Callable[[_Method], _Method]", signature(*({"types": []} for _ in range(count))))


def _text(value: object, function: str) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{function}() wants text")


class MappingFunctions(Functions):  # type: ignore[misc]  # jmespath has no types
    """JMESPath's functions and ours, bound to the connector's own code tables."""

    def __init__(self, tables: Mapping[str, CodeTable]) -> None:
        self._tables = tables

    def table(self, name: str) -> tuple[CodeTable, str]:
        """The table and column that `name` or `name.column` means; the connector's own win. Raises UnknownCode."""
        stem, _, column = name.partition(".")
        return self._tables.get(stem) or codes.table(stem), column or "code"

    @_takes(1)
    def _func_digits(self, value: Any) -> str | None:
        return None if value is None else fold_digits(_text(value, "digits"))

    @_takes(1)
    def _func_fold(self, value: Any) -> str | None:
        return None if value is None else fold(_text(value, "fold"))

    @_takes(1)
    def _func_upper(self, value: Any) -> str | None:
        return None if value is None else _text(value, "upper").upper()

    @_takes(1)
    def _func_lower(self, value: Any) -> str | None:
        return None if value is None else _text(value, "lower").lower()

    @_takes(1)
    def _func_trim(self, value: Any) -> str | None:
        return None if value is None else _text(value, "trim").strip()

    @_takes(2)
    def _func_code(self, table: Any, value: Any) -> str | None:
        if value is None:
            return None
        rows, column = self.table(_text(table, "code"))
        return rows.code(_text(value, "code"), column)

    @_takes(2)
    def _func_uncode(self, table: Any, value: Any) -> str | None:
        if value is None:
            return None
        rows, column = self.table(_text(table, "uncode"))
        return rows.value(_text(value, "uncode"), column)

    @_takes(2)
    def _func_date(self, value: Any, form: Any) -> str | None:
        if value is None:
            return None
        try:
            day = date.fromisoformat(_text(value, "date"))
        except ValueError:
            raise ValueError("date() wants a date as YYYY-MM-DD") from None
        return day.strftime(_text(form, "date"))

    @_takes(2)
    def _func_iso_date(self, value: Any, form: Any) -> str | None:
        if value is None:
            return None
        try:
            moment = datetime.strptime(fold_digits(_text(value, "iso_date")), _text(form, "iso_date"))  # noqa: DTZ007
            return moment.date().isoformat()
        except ValueError:
            raise ValueError("iso_date() wants a date in the given format") from None

    @_takes(3)
    def _func_money(self, fee: Any, denomination: Any, unit: Any) -> str | None:
        if fee is None:
            return None
        try:
            money = Money(fee["amount_minor"], fee["currency"], fee["denomination"])
        except (KeyError, TypeError):
            raise ValueError("money() wants amount_minor, currency and denomination") from None
        return amount_as(money.converted(_text(denomination, "money")), cast(MoneyUnit, unit))

    @_takes(2)
    def _func_mobile(self, value: Any, form: Any) -> str | None:
        return None if value is None else mobile_as(_text(value, "mobile"), cast(MobileForm, form))

    @_takes(1)
    def _func_base64(self, value: Any) -> str | None:
        return None if value is None else base64.b64encode(_text(value, "base64").encode()).decode()

    @_takes(1)
    def _func_unbase64(self, value: Any) -> str | None:
        if value is None:
            return None
        try:
            return base64.b64decode(_text(value, "unbase64"), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError("unbase64() wants base64 of UTF-8 text") from None

    @_takes(1)
    def _func_sha256(self, value: Any) -> str | None:
        return None if value is None else hashlib.sha256(_text(value, "sha256").encode()).hexdigest()

    @_takes(1)
    def _func_integer(self, value: Any) -> int | None:
        if value is None or type(value) is int:
            return value
        text = fold_digits(_text(value, "integer"))
        if not _INTEGER.fullmatch(text):
            raise ValueError("integer() wants an integer")
        return int(text)

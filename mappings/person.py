"""Facts about a person as the canonical model writes them: national number and mobile number."""

import re
from typing import Literal

from mappings.arabic import fold_digits

MobileForm = Literal["e164", "international", "local"]

_NATIONAL_NUMBER = re.compile(r"[0-9]{11}")
_MOBILE = re.compile(r"(?:\+963|00963|963|0)?(9[0-9]{8})")
_SEPARATORS = re.compile(r"[ \u00a0\-()./\u200e\u200f\u202a-\u202c\u2066-\u2069]")

#: The operator that issued a mobile prefix (contracts of the two wallets); a number may since have been ported.
OPERATORS = {"93": "syriatel", "98": "syriatel", "99": "syriatel", "94": "mtn", "95": "mtn", "96": "mtn"}


def national_number(text: str) -> str:
    """The 11 digits of a national number, Arabic-Indic and Persian digits folded. Raises ValueError."""
    if len(text) == 11 and text.isascii() and text.isdigit():
        return text
    digits = fold_digits(text).strip()
    if not _NATIONAL_NUMBER.fullmatch(digits):
        raise ValueError("a national number has 11 digits")
    return digits


def mobile(text: str) -> str:
    """A Syrian mobile number as E.164 (`+9639XXXXXXXX`), from any usual way of writing it. Raises ValueError."""
    if len(text) == 13 and text.startswith("+9639") and text.isascii() and text[5:].isdigit():
        return text  # as accept stores it
    match = _MOBILE.fullmatch(_SEPARATORS.sub("", fold_digits(text)))
    if match is None:
        raise ValueError("a mobile number is +963 and nine digits that begin with 9")
    return "+963" + match[1]


def mobile_as(text: str, form: MobileForm) -> str:
    """A mobile number in one of the forms that wires want: `+9639…`, `9639…` or `09…`. Raises ValueError."""
    number = mobile(text)
    match form:
        case "e164":
            return number
        case "international":
            return number[1:]
        case "local":
            return "0" + number[4:]
    raise ValueError(f"unknown form of a mobile number: {form}")


def mobile_operator(text: str) -> str | None:
    """The operator that issued the number's prefix (`syriatel`, `mtn`), or None. Raises ValueError."""
    return OPERATORS.get(mobile(text)[4:6])

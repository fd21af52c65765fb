"""This file gives every text of a body one spelling before its schema is checked: digits folded, NFC, nothing hidden.

Arabic-Indic and Persian digits become ASCII ones everywhere but in names and in the channel's own words (`reference`,
`applicant.account`), which are kept as they were typed. Invisible direction marks that keyboards insert are dropped;
control characters and direction overrides, which can make a text read differently from what it is, are refused.
"""

import re
import unicodedata
from typing import Any

from gateway.errors import FieldError, field_error
from mappings.arabic import fold_digits

_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c\ufeff"))
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: A raw body without any of these (and in NFC) has nothing to fold, drop or refuse.
_NOTABLE = re.compile(
    "[\\\\\u0660-\u0669\u06f0-\u06f9\u200e\u200f\u061c\ufeff\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
_KEPT_AS_TYPED = frozenset(
    {("applicant", "name"), ("applicant", "latin_name"), ("applicant", "account"), ("reference",)}
)
MAX_POINTER_LENGTH = 200


def is_plain(raw: bytes) -> bool:
    """Whether a JSON text surely has nothing for `canonicalise` to do: the quick way past the walk."""
    if raw.isascii():
        return b"\\" not in raw and b"\x7f" not in raw
    text = raw.decode("utf-8", "replace")
    return _NOTABLE.search(text) is None and unicodedata.is_normalized("NFC", text)


def canonicalise(value: Any) -> tuple[Any, list[FieldError]]:
    """The value with every text in its one spelling, and the errors of the texts that are refused."""
    errors: list[FieldError] = []
    return _walk(value, (), errors, fold=True), errors


def pointer(path: tuple[str | int, ...]) -> str:
    """The JSON pointer (RFC 6901) of a path, cut at MAX_POINTER_LENGTH."""
    text = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return text if len(text) <= MAX_POINTER_LENGTH else text[:MAX_POINTER_LENGTH] + "…"


def _walk(value: Any, path: tuple[str | int, ...], errors: list[FieldError], *, fold: bool) -> Any:
    if isinstance(value, str):
        return _text(value, path, errors, fold=fold)
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            if code := _fault(key):  # the key itself cannot stand in a pointer
                errors.append(field_error(pointer(path), code))
                continue
            inner = (*path, key)
            result[key] = _walk(item, inner, errors, fold=fold and inner not in _KEPT_AS_TYPED)
        return result
    if isinstance(value, list):
        return [_walk(item, (*path, index), errors, fold=fold) for index, item in enumerate(value)]
    return value


def _text(text: str, path: tuple[str | int, ...], errors: list[FieldError], *, fold: bool) -> str:
    if code := _fault(text):
        errors.append(field_error(pointer(path), code))
        return ""
    text = unicodedata.normalize("NFC", text.translate(_MARKS))
    return fold_digits(text) if fold else text


def _fault(text: str) -> str | None:
    if _SURROGATE.search(text):
        return "bad_unicode"
    return "bad_characters" if _REFUSED.search(text) else None

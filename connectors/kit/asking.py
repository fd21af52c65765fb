"""Reads what an answer wants of the citizen, and the price that it names; what does not fit is refused."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.kit.contract import Asked, Quote

_KIND = re.compile(r"[a-z][a-z0-9_]{0,40}")
_MAX_CHOICES = 200
_MAX_SECONDS = 366 * 86400.0
_ASKED_KEYS = frozenset({"kind", "details", "choices", "expires_in_seconds", "expires_at"})
_QUOTE_KEYS = frozenset({"id", "amount", "valid_until"})
_CHOICE_KEYS = frozenset({"value", "ar", "en"})


def read_asked(raw: Any) -> Asked | None:
    """The section `next_action` of an answer; None when it is left out. Raises ValueError."""
    if raw is None:
        return None
    table = _table(raw, "next_action", _ASKED_KEYS)
    kind = table.get("kind")
    if not isinstance(kind, str) or _KIND.fullmatch(kind) is None:
        raise ValueError("next_action.kind must be a name of small letters, digits and underscores")
    details = _table(table.get("details") or {}, "next_action.details", None)
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in details.values()):
        raise ValueError("next_action.details may have texts and whole numbers only")
    choices = _table(table.get("choices") or {}, "next_action.choices", None)
    return Asked(
        kind,
        dict(details),
        {name: _choices(given) for name, given in choices.items()},
        _seconds(table.get("expires_in_seconds")),
        _moment(table.get("expires_at"), "next_action.expires_at"),
    )


def read_quote(raw: Any) -> Quote | None:
    """The section `quote` of an answer; None when it is left out. Raises ValueError."""
    if raw is None:
        return None
    table = _table(raw, "quote", _QUOTE_KEYS)
    number, amount = table.get("id"), table.get("amount")
    if not isinstance(number, str) or not number:
        raise ValueError("quote.id must be text")
    match amount:
        case {"amount_minor": int(minor), "currency": str(currency), "denomination": str(denomination)} if minor > 0:
            until = _moment(table.get("valid_until"), "quote.valid_until")
            return Quote(number, minor, currency, denomination, until)
    raise ValueError("quote.amount must be money above zero, as money_of() gives it")


def _choices(raw: Any) -> tuple[Mapping[str, str], ...]:
    """Each a text, or a value with its words."""
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > _MAX_CHOICES:
        raise ValueError(f"next_action.choices needs lists of at most {_MAX_CHOICES}")
    chosen = [{"value": choice} if isinstance(choice, str) else choice for choice in raw]
    for choice in chosen:
        table = _table(choice, "next_action.choices", _CHOICE_KEYS)
        if not table.get("value") or not all(isinstance(value, str) for value in table.values()):
            raise ValueError("a choice is a text, or has value, ar and en as texts")
    return tuple(chosen)


def _table(raw: Any, where: str, known: frozenset[str] | None) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{where} must be a mapping")  # noqa: TRY004  # a mapping document's fault
    if known is not None and set(raw) - known:
        raise ValueError(f"{where} may have {', '.join(sorted(known))} only")
    return raw


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError("next_action.expires_in_seconds must be a number above zero")
    return min(float(value), _MAX_SECONDS)


def _moment(value: Any, where: str) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{where} must be a moment as RFC 3339 has it") from None
    if moment.tzinfo is None:
        raise ValueError(f"{where} must have its time zone")
    return moment

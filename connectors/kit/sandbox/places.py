"""Finds where an operation's request carries the operation id, the act that it refers to, and the person.

The package's own mapping is rendered with values that stand nowhere else; where they come out is the place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.errors import MappingError
from mappings.language import Template

Path = tuple[str | int, ...]

_ID = "7d2f6a51-0c3e-4b8a-9f14-1b5e8c90aa01"
_SUBJECT = "7d2f6a51-0c3e-4b8a-9f14-1b5e8c90aa02"
_NUMBER = "99831746205"
_MOBILE = "+963938317462"
_OTP = "831746"
_TOKEN = "sandbox-place-of-the-token"
_MOBILE_DIGITS = 9  #: The end of a mobile number is the same in all its forms.


@dataclass(frozen=True, slots=True)
class Places:
    """Paths into a request (`path`, `query`, `headers` in lower case, `body`); None: it is not on the wire."""

    operation_id: Path | None = None
    subject: Path | None = None
    person: Path | None = None
    payer: Path | None = None


def places_of(request: Template, document: Mapping[str, Any], settings: Mapping[str, Any]) -> Places:
    """The places of one operation; `document` is the canonical document of one of its samples."""
    applicant = {**(document.get("applicant") or {}), "national_number": _NUMBER}
    marked = {
        **document,
        "operation_id": _ID,
        "subject_operation_id": _SUBJECT,
        "applicant": applicant,
        "payer": {**(document.get("payer") or {}), "mobile": _MOBILE},
        "settings": settings,
        "secrets": {"otp": _OTP},
        "token": _TOKEN,
    }
    try:
        rendered = request(marked) or {}
    except MappingError:
        return Places()
    leaves = list(_leaves(rendered, ()))
    return Places(
        _where(leaves, _ID),
        _where(leaves, _SUBJECT),
        _where(leaves, _NUMBER),
        _where(leaves, _MOBILE[-_MOBILE_DIGITS:]),
    )


def at(path: Path | None, request: Mapping[str, Any]) -> str:
    """The text at that place of a request; empty when there is none."""
    value: Any = request
    for step in path or ("",):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return value if isinstance(value, str) else ""


def _where(leaves: list[tuple[Path, Any]], marker: str) -> Path | None:
    exact = (path for path, value in leaves if value == marker)
    around = (path for path, value in leaves if isinstance(value, str) and marker in value)
    return next(exact, None) or next(around, None)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _leaves(child, (*path, key.lower() if path == ("headers",) else key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _leaves(child, (*path, number))
    else:
        yield path, value

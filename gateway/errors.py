"""This file turns every error code of the house into words: one catalogue, three audiences, two languages.

The texts stand in errors.toml. Code raises `Problem("code")`; a code that the catalogue lacks cannot be raised, and a
house test finds such codes before they run. HTTP status codes live in `gateway/api/` alone.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

LANGUAGES = ("ar", "en")
AUDIENCES = ("citizen", "clerk", "technician")

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages; `{name}` stands for a fact, which may be a Text too."""

    ar: str
    en: str

    def in_language(self, language: str) -> str:
        """The sentence in Arabic or English; any other language reads Arabic."""
        return self.en if language == "en" else self.ar

    def filled(self, facts: Mapping[str, object]) -> "Text":
        """The same sentence with its facts put in, in each language; a fact that is not known becomes an ellipsis."""
        if "{" not in self.ar and "{" not in self.en:
            return self
        return Text(*(_put(self.in_language(language), facts, language) for language in LANGUAGES))

    def keys(self) -> tuple[str, str]:
        """The languages; with `[]` this lets `dict(text)` give `{"ar": …, "en": …}`."""
        return LANGUAGES

    def __getitem__(self, language: str) -> str:
        if language not in LANGUAGES:
            raise KeyError(language)
        return self.in_language(language)


def _put(sentence: str, facts: Mapping[str, object], language: str) -> str:
    def fact(match: re.Match[str]) -> str:
        value = facts.get(match[1], "…")
        return value.in_language(language) if isinstance(value, Text) else str(value)

    return _PLACEHOLDER.sub(fact, sentence)


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of the catalogue. `safe_to_retry`: the same call with the same key may be repeated as it is."""

    code: str
    citizen: Text
    clerk: Text
    technician: Text
    safe_to_retry: bool
    field: bool  #: It describes one field of a body and stands inside `errors`.


class CatalogueFault(ValueError):
    """errors.toml is not of its form; the message names the code and the key."""


def _text(code: str, audience: str, raw: object) -> Text:
    match raw:
        case {"ar": str(ar), "en": str(en), **rest} if not rest and ar.strip() and en.strip():
            return Text(ar, en)
    raise CatalogueFault(f"errors.toml: {code}.{audience} must have the texts ar and en, and nothing else")


def _entry(code: str, raw: Mapping[str, Any]) -> Entry:
    field = raw.get("field", False)
    safe = raw.get("safe_to_retry", False if field else None)
    unknown = set(raw) - {*AUDIENCES, "field", "safe_to_retry"}
    if unknown:
        raise CatalogueFault(f"errors.toml: {code} has the unknown key {min(unknown)!r}")
    if not isinstance(safe, bool) or not isinstance(field, bool):
        raise CatalogueFault(f"errors.toml: {code} must say safe_to_retry = true or false")
    citizen = _text(code, "citizen", raw.get("citizen"))
    if field:  # one sentence about one field serves all three readers
        return Entry(code, citizen, citizen, citizen, safe, field)
    texts = [_text(code, audience, raw.get(audience)) for audience in ("clerk", "technician")]
    return Entry(code, citizen, texts[0], texts[1], safe, field)


def load(text: str) -> dict[str, Entry]:
    """The catalogue that `text` (TOML) describes; CatalogueFault when it is not of its form."""
    return {code: _entry(code, raw) for code, raw in tomllib.loads(text).items()}


CATALOGUE: Mapping[str, Entry] = load(resources.files(__package__).joinpath("errors.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a body: where (JSON pointer), which code, and the sentence. Never the value itself."""

    pointer: str
    code: str
    message: Text


def field_error(pointer: str, code: str, **facts: object) -> FieldError:
    """A FieldError with the catalogue's sentence; KeyError when the catalogue lacks the code."""
    return FieldError(pointer, code, CATALOGUE[code].citizen.filled(facts))


class Problem(Exception):
    """A refusal that the caller is told: a code of the catalogue, and what goes with it."""

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: float | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.entry = CATALOGUE[code]
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds
        self.facts: Mapping[str, object] = dict(facts or {})

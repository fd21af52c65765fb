"""What a rule finds: a sentence in both languages, and where."""

from dataclasses import dataclass
from typing import Literal

from mappings.documents import Place

Severity = Literal["wrong", "doubtful"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    rule: str
    severity: Severity  #: wrong: it cannot do what is meant; doubtful: look at it.
    place: Place
    key: str
    ar: str
    en: str

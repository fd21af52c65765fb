"""Arabic text: digits as 0-9, names folded for matching, and a score that tells how alike two names are.

Folding serves matching only. The original spelling of a name is what is stored, shown and sent.
"""

import unicodedata
from collections.abc import Mapping

#: Arabic-Indic (U+0660-0669) and Extended Arabic-Indic, "Persian" (U+06F0-06F9), to ASCII.
_DIGITS = {start + digit: ord("0") + digit for start in (0x0660, 0x06F0) for digit in range(10)}
_ARABIC_DIGITS = {ord("0") + digit: 0x0660 + digit for digit in range(10)}

_ALEF, _YEH, _HEH, _KAF, _WAW = "\u0627", "\u064a", "\u0647", "\u0643", "\u0648"

#: What NFKD and the removal of marks do not reach.
_LETTERS = {
    0x0671: _ALEF,  # alef wasla
    0x0672: _ALEF,
    0x0673: _ALEF,
    0x0675: _ALEF,
    0x0649: _YEH,  # alef maksura
    0x06CC: _YEH,  # Farsi yeh
    0x06D2: _YEH,  # yeh barree
    0x0629: _HEH,  # teh marbuta
    0x06C0: _HEH,  # heh with yeh above
    0x06C1: _HEH,  # heh goal
    0x06D5: _HEH,  # ae
    0x06A9: _KAF,  # keheh
    0x06AA: _KAF,  # swash kaf
    0x0624: _WAW,
    0x0621: None,  # a hamza on its own is written or left out at will
    0x0640: None,  # tatweel
}
_FOLD: Mapping[int, str | int | None] = {**_LETTERS, **_DIGITS}


def fold_digits(text: str) -> str:
    """`text` with Arabic-Indic and Persian digits as 0-9; everything else as it was."""
    return text if text.isascii() else text.translate(_DIGITS)


def arabic_digits(text: str) -> str:
    """`text` with 0-9 as Arabic-Indic digits; everything else as it was."""
    return text.translate(_ARABIC_DIGITS)


def fold(text: str) -> str:
    """The matching form of a name: two usual spellings of one name give one text.

    Hamza seats, alef forms, teh marbuta and heh, alef maksura and yeh, Persian kaf and yeh, tatweel and diacritics no
    longer differ; digits are ASCII; spaces are single; Latin letters are lower case. Folding twice changes nothing.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not _is_mark(c)).translate(_FOLD)
    return " ".join(plain.casefold().split())


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Me", "Cf"}


def likeness(left: str, right: str) -> float:
    """How alike two names are, from 0.0 to 1.0; 1.0 exactly when their folded forms are equal.

    It is 1 minus the edit distance of the folded forms over the longer length.
    """
    a, b = fold(left), fold(right)
    if a == b:
        return 1.0
    return 1.0 - _distance(a, b) / max(len(a), len(b))


def _distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]

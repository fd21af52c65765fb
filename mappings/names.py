"""A person's name as one text, and in its parts. No spelling is ever changed."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_PARTS = re.compile(r"[a-z_]+(?: [a-z_]+)*\+?")
#: Words that make one name with the word after them.
_BEFORE = frozenset(
    {"عبد", "أبو", "ابو", "أم", "ام", "آل", "ابن", "بن", "ذو", "abd", "abdul", "abu", "abou", "al", "el"}
)
#: Words that make one name with the word before them.
_AFTER = frozenset({"الله", "الدين", "الإسلام", "الاسلام"})


def join_name(name: Mapping[str, Any], parts: str) -> str:
    """The parts of `name` in the order of `parts` ("given father family"), a space between. Raises ValueError."""
    return name_joiner(parts)(name)


@lru_cache(maxsize=256)  # the constants of mappings
def name_joiner(parts: str) -> Callable[[Mapping[str, Any]], str]:
    """`join_name` with the parts known beforehand. Raises ValueError for parts that cannot be read."""
    wanted = _parts(parts)[0]

    def join(name: Mapping[str, Any]) -> str:
        texts = [text for part in wanted if (text := name.get(part)) is not None]
        try:
            return " ".join(" ".join(texts).split())
        except TypeError:
            raise ValueError("the parts of a name are text") from None

    return join


def split_name(text: str, parts: str) -> dict[str, str]:
    """The parts of a name in `text`. Raises ValueError when their number is another: nothing is guessed."""
    names, rest = _parts(parts)
    found = _names(text.split())
    if len(found) < len(names) or (len(found) > len(names) and not rest):
        raise ValueError(f"split_name() wants a name of {len(names)} parts{' or more' if rest else ''}")
    last = len(names) - 1
    return {**dict(zip(names[:last], found, strict=False)), names[last]: " ".join(found[last:])}


def _parts(parts: str) -> tuple[list[str], bool]:
    if not _PARTS.fullmatch(parts):
        raise ValueError("the parts of a name are words with single spaces between them, + after the last at most")
    names = parts.removesuffix("+").split(" ")
    if len(set(names)) != len(names):
        raise ValueError("a part of a name stands twice")
    return names, parts.endswith("+")


def _names(words: list[str]) -> list[str]:
    """The words, those together that make one name."""
    found: list[str] = []
    open_ended = False
    for word in words:
        if found and (open_ended or word in _AFTER):
            found[-1] = f"{found[-1]} {word}"
        else:
            found.append(word)
        open_ended = word.lower() in _BEFORE
    if open_ended:
        raise ValueError("split_name() wants a name that does not end in the middle of a compound")
    return found

"""This file gives the Arabic of what errors say in English: one table, sentences.toml, for all of them.

An error is raised with its English sentence alone, beside the rule that it explains; whoever shows it to people asks
here. tests/house holds that every sentence of the kit and of the service files stands in the table.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("sentences.toml")
_FILE = re.compile(r"\.[a-z]{2,5}(:[0-9]+)?$")
_PLACE = re.compile(r"\{([a-z_]+)\}")
#: What stands in these places is said in words too; elsewhere it is a name or a number.
_SPOKEN = frozenset({"why", "what", "place", "wanted"})
_MOST_LETTERS = 4000
_DEEPEST = 6


def in_arabic(sentence: str) -> str:
    """The sentence in Arabic; what stands before a colon (file, line, key) stays. As it is when it is not known."""
    return _found(sentence, 0) or sentence


def arabic_of(error: BaseException) -> str:
    """An error's message in Arabic; file, line and key, which it may name before its `problem`, stay."""
    text, problem = str(error), str(getattr(error, "problem", error))
    return f"{text[: -len(problem)]}{in_arabic(problem)}" if problem and text.endswith(problem) else in_arabic(text)


def knows(sentence: str) -> bool:
    """Whether the table has it."""
    return _found(sentence, 0) is not None


def _found(sentence: str, level: int) -> str | None:
    if len(sentence) > _MOST_LETTERS or level > _DEEPEST:
        return None
    body = sentence.removesuffix(".")
    for pattern, arabic in _sentences():
        found = pattern.fullmatch(body)
        if found is not None:
            return _filled(arabic, found.groupdict(), level) + sentence[len(body) :]
    before, colon, after = sentence.partition(": ")
    inner = _found(after, level + 1) if colon and (" " not in before or _FILE.search(before)) else None
    return f"{before}: {inner}" if inner is not None else None


def _filled(arabic: str, values: Mapping[str, str], level: int) -> str:
    said = {name: (_found(value, level + 1) if name in _SPOKEN else None) or value for name, value in values.items()}
    return _PLACE.sub(lambda place: said[place[1]], arabic)


@cache
def _sentences() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns with their Arabic; those with the most letters of their own first."""
    rows = [row for table in tomllib.loads(_TABLE.read_text("utf-8")).values() for row in table.items()]
    rows.sort(key=lambda row: -len(_PLACE.sub("", row[0])))
    return tuple((_pattern(english), arabic) for english, arabic in rows)


def _pattern(english: str) -> re.Pattern[str]:
    parts = _PLACE.split(english)
    text = "".join(re.escape(part) if number % 2 == 0 else f"(?P<{part}>.+?)" for number, part in enumerate(parts))
    return re.compile(text, re.DOTALL | re.IGNORECASE)

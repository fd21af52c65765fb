"""Texts that match a regular expression: the shortest choices first, longer ones on demand."""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from elementpath.regex import RegexError, translate_pattern

from connectors.kit.sample_values.errors import NoSample

_parser: Any = importlib.import_module("re._parser")  # the standard library's own; its old name is deprecated
_MORE = (0, 1, 2, 3, 5, 8, 12, 20, 40, 80)
_FAVOURITES = "a1A0 -_.,:/@bcdefghijklmnopqrstuvwxyz23456789BCDEFGHIJKLMNOPQRSTUVWXYZ"
_CATEGORIES = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " ",
               "CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_WORD": "-", "CATEGORY_NOT_SPACE": "a"}  # fmt: skip


@lru_cache(maxsize=512)
def xsd_regex(pattern: str) -> re.Pattern[str]:
    """An XSD pattern as a Python one that matches the whole text. Raises NoSample."""
    try:
        return re.compile(translate_pattern(pattern, back_references=False, lazy_quantifiers=False, anchors=False))
    except (RegexError, re.error, RecursionError, OverflowError) as error:
        raise NoSample(f"the pattern {pattern[:60]!r} is not understood") from error


@lru_cache(maxsize=512)
def json_regex(pattern: str) -> re.Pattern[str]:
    """A pattern of JSON Schema, which need not match the whole text. Raises NoSample."""
    try:
        return re.compile(_python_form(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise NoSample(f"the pattern {pattern[:60]!r} is not understood") from error


def _python_form(pattern: str) -> str:
    r"""ECMA's named groups and `\/`, `\d` of ASCII alone, Unicode properties as the letters that matter here."""
    text = pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    text = re.sub(r"\\[pP]\{(?:L|Letter|Alphabetic)\}", r"[A-Za-z\\u0621-\\u064A]", text)
    text = re.sub(r"\\u\{([0-9A-Fa-f]{1,6})\}", lambda found: re.escape(chr(int(found[1], 16))), text)
    return f"(?a:{text})"


def texts(regex: re.Pattern[str]) -> Iterator[str]:
    """Texts that the pattern allows, short ones first; nothing when its construction is beyond this generator."""
    tree = _parser.parse(regex.pattern, regex.flags)
    seen = set()
    for more in _MORE:
        try:
            text = "".join(_Writer(more).sequence(tree))
        except NoSample:
            return
        if text not in seen and regex.search(text):
            yield text
        seen.add(text)


class _Writer:
    """Writes one text; every repetition is taken `more` times beyond its least."""

    def __init__(self, more: int) -> None:
        self._more = more
        self._groups: dict[int, str] = {}

    def sequence(self, nodes: Any) -> Iterator[str]:
        for operation, argument in nodes:
            write = getattr(self, f"_{str(operation).lower()}", None)
            if write is None:
                raise NoSample(f"a pattern with {operation}")
            yield write(argument)

    def _literal(self, code: int) -> str:
        return chr(code)

    def _not_literal(self, code: int) -> str:
        return "a" if code != ord("a") else "b"

    def _any(self, _: Any) -> str:
        return "a"

    def _in(self, items: Any) -> str:
        for candidate in _FAVOURITES:
            if _member(items, candidate):
                return candidate
        for operation, argument in items:
            if str(operation) == "LITERAL":
                return chr(argument)
            if str(operation) == "RANGE":
                return chr(argument[0])
        raise NoSample("a pattern with an empty class")

    def _category(self, category: Any) -> str:
        return _CATEGORIES[str(category)]

    def _branch(self, argument: Any) -> str:
        return "".join(self.sequence(argument[1][0]))

    def _subpattern(self, argument: Any) -> str:
        text = "".join(self.sequence(argument[-1]))
        if argument[0] is not None:
            self._groups[argument[0]] = text
        return text

    def _max_repeat(self, argument: Any) -> str:
        least, most, body = argument
        times = min(int(most), int(least) + self._more)
        if times > 100_000:
            raise NoSample("a pattern that repeats too often")
        return "".join("".join(self.sequence(body)) for _ in range(times))

    _min_repeat = _possessive_repeat = _max_repeat

    def _atomic_group(self, body: Any) -> str:
        return "".join(self.sequence(body))

    def _groupref(self, number: int) -> str:
        return self._groups.get(number, "")

    def _at(self, _: Any) -> str:
        return ""

    _assert = _assert_not = _at  # whether they hold is seen when the whole text is tried


def _member(items: Any, character: str) -> bool:
    negated = False
    found = False
    for operation, argument in items:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found |= ord(character) == argument
            case "RANGE":
                found |= argument[0] <= ord(character) <= argument[1]
            case "CATEGORY":
                found |= _in_category(str(argument), character)
    return found is not negated


def _in_category(name: str, character: str) -> bool:
    positive = {
        "DIGIT": character.isdigit(),
        "SPACE": character.isspace(),
        "WORD": character.isalnum() or character == "_",
    }
    kind = name.removeprefix("CATEGORY_").removeprefix("NOT_")
    return positive.get(kind, False) is not ("NOT_" in name)

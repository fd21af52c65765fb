"""Everything that a wrong file or a command that cannot go on says stands in the one table of sentences, in Arabic."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.sentences import in_arabic, knows

ROOT = Path(__file__).parents[2]
#: Errors of people's files and of commands, and which argument is the sentence.
SAYING = {"ManifestError": 2, "MappingError": 2, "Wrong": 0, "NoSample": 0, "PathEscapes": 0, "SettingError": 0}
SAYING |= {
    "CatalogueError": 0,
    "CentresError": 0,
    "CalendarError": 0,
    "WsdlError": 0,
    "UnsupportedSchema": 0,
    "ToolError": 0,
}
SAYING |= {"SandboxError": 0, "_WrongPerson": 1, "CodeTableFault": 0, "CommandError": 0}
#: Files whose pairs (key, problem) are sentences, and whose ValueErrors are said of a file.
PAIRS = (
    "connectors/kit/manifest/checks.py",
    "connectors/kit/manifest/statement_checks.py",
    "connectors/kit/sandbox/document.py",
)
VALUES = ("mappings", "connectors/kit")


def sentence(node: ast.expr) -> str | None:
    """The sentence of a literal, with a word in place of each value; None for what is no literal."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else value(part) for part in node.values)
        return None if text.replace("/samples/", "").strip("x7 :.") == "" else text
    return None


def value(part: ast.expr) -> str:
    """What may stand in a place: a word, or the first of two that are written there."""
    given = part.value if isinstance(part, ast.FormattedValue) else part
    return str(given.body.value) if isinstance(given, ast.IfExp) and isinstance(given.body, ast.Constant) else "x7"


def said() -> Iterator[tuple[str, str]]:
    """Where each sentence stands, and the sentence."""
    for area in ("connectors", "mappings", "gateway", "jisr"):
        for file in sorted((ROOT / area).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                found: ast.expr | None = None
                if isinstance(node, ast.Call):
                    kind = getattr(node.func, "id", "")
                    known = {**SAYING, "ValueError": 0} if name.startswith(VALUES) else SAYING
                    found = node.args[known[kind]] if kind in known and len(node.args) > known[kind] else None
                elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and name in PAIRS:
                    found = node.value.elts[1]
                text = None if found is None else sentence(found)
                if found is not None and text:
                    yield f"{name}:{found.lineno}", text


SAID = list(said())


def test_every_sentence_has_its_arabic() -> None:
    missing = [f"{place}: {text}" for place, text in SAID if not knows(text)]

    assert len(SAID) > 150
    assert missing == [], "add them to mappings/sentences.toml"


def test_the_table_has_the_same_places_on_both_sides_and_arabic_on_one() -> None:
    table = tomllib.loads((ROOT / "mappings/sentences.toml").read_text(encoding="utf-8"))
    for rows in table.values():
        for english, arabic in rows.items():
            places = [sorted(re.findall(r"\{[a-z_]+\}", text)) for text in (english, arabic)]
            assert places[0] == places[1], english
            assert re.search("[\u0600-\u06ff]", arabic), english
            assert not english.endswith("."), english


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        (
            "registry/manifest.toml:12: operations.check.effect: the key is missing",
            "registry/manifest.toml:12: operations.check.effect: المفتاح ناقص",
        ),
        ("setting registry.age: an integer is expected.", "الإعداد registry.age: المتوقع عدد صحيح."),
        (
            "setting registry.age: it is not well-formed XML (line 3)",
            "الإعداد registry.age: ليس XML سليم البناء (السطر 3)",
        ),
        ("not TOML: unterminated string", "ليس TOML صحيحاً: النص بلا علامة في نهايته"),
        ("a sentence that nobody wrote", "a sentence that nobody wrote"),
    ],
)
def test_what_stands_before_a_sentence_stays_and_what_is_in_it_is_translated_too(english: str, arabic: str) -> None:
    assert in_arabic(english) == arabic

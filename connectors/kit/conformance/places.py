"""Finds the line of a key in a package's TOML, YAML or JSON file, so that a sentence can say where to mend."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from connectors.kit.conformance.case import Place
from connectors.kit.lines import Lines
from connectors.kit.manifest.places import line_of

_MOST_BYTES = 1 << 20
_STEPS = re.compile(r'"([^"]*)"|([^."\[\]]+)|\[(\d+)\]')


def place_of(file: Path, key: str = "") -> Place:
    """The file and the line at which the dotted `key` stands, or the nearest of its parents; no line if none does."""
    return place_of_steps(file, [quoted or plain or number for quoted, plain, number in _STEPS.findall(key)], key)


def place_of_steps(file: Path, steps: Sequence[str | int], key: str = "") -> Place:
    """The same for a key in its steps, which may have dots in them."""
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size <= _MOST_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return Place(file)
    if not text or not steps:
        return Place(file)
    if file.suffix == ".toml":
        return Place(file, line_of(text, key))
    return Place(file, _lines(text).of(steps))


def place_of_text(file: Path, wanted: str) -> Place:
    """The file and the first line that contains `wanted`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return Place(file)
    return Place(file, next((number for number, line in enumerate(lines, 1) if wanted in line), None))


@lru_cache(maxsize=64)  # a case names its place before each of hundreds of answers
def _lines(text: str) -> Lines:
    return Lines(text)

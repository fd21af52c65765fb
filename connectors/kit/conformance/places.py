"""Finds the line of a key in a package's TOML, YAML or JSON file, so that a sentence can say where to mend."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from connectors.kit.conformance.case import Place
from connectors.kit.manifest.places import line_of

_MOST_BYTES = 1 << 20
_STEPS = re.compile(r'"([^"]*)"|([^."\[\]]+)|\[(\d+)\]')


def place_of(file: Path, key: str = "") -> Place:
    """The file and the line at which the dotted `key` stands, or the nearest of its parents; no line if none does."""
    steps = [quoted or plain or number for quoted, plain, number in _STEPS.findall(key)]
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size <= _MOST_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return Place(file)
    if not text or not steps:
        return Place(file)
    if file.suffix == ".toml":
        return Place(file, line_of(text, key))
    return Place(file, _yaml_line(text, tuple(steps)))


def place_of_text(file: Path, wanted: str) -> Place:
    """The file and the first line that contains `wanted`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return Place(file)
    return Place(file, next((number for number, line in enumerate(lines, 1) if wanted in line), None))


@lru_cache(maxsize=256)  # a case names its place before each of hundreds of answers
def _yaml_line(text: str, wanted: tuple[str, ...]) -> int | None:
    """JSON is YAML here: the line of the deepest key of `wanted` that stands there."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    line = None
    for step in wanted:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def _child(node: Any, step: str) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        child = node.value[int(step)]
        return child.start_mark.line + 1, child
    return None

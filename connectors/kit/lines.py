"""Finds the line at which a key stands in a YAML or JSON file."""

from collections.abc import Sequence
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lines:
    """The lines of one text; it is read when the first line is asked for."""

    def __init__(self, text: str | bytes) -> None:
        self._text = text
        self._root: Any = None

    def of(self, steps: Sequence[str | int]) -> int | None:
        """The line of the deepest of these keys (or places in lists, from 0) that is there; None when none is."""
        if self._root is None:
            try:
                self._root = yaml.compose(self._text, Loader=_Loader)
            except (yaml.YAMLError, RecursionError, ValueError):
                self._root = False
        node, line = self._root, None
        for step in steps:
            found = _child(node, str(step))
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

"""What an institution lists in its daily files after a call, as sandbox.toml says: when, once per what, which cells."""

from typing import Any

from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.sandbox.said import Statement as Declared
from connectors.kit.sandbox.words import Words


class Entry:
    """One `[statements.NAME]`, compiled."""

    def __init__(self, name: str, declared: Declared, words: Words) -> None:
        """Raises ManifestError for an expression that is wrong."""
        key = f"statements.{name}"
        self._name = name
        self._row = words.template(dict(declared.row), f"{key}.row")
        self._if = words.template(f"!!({declared.if_})", f"{key}.if") if declared.if_ is not None else None
        self._key = words.template(declared.key, f"{key}.key") if declared.key is not None else None
        parts = (self._row, self._if, self._key)
        self.mentions: frozenset[str] = frozenset().union(*(part.fields for part in parts if part is not None))

    def enter(self, context: dict[str, Any], ledger: Ledger, at: str, *, done: bool) -> None:
        """Write the row into the ledger's book, unless nothing is to be listed or its key stands there."""
        if not (done if self._if is None else self._if(context)):
            return
        key = self._key(context) if self._key is not None else None
        ledger.enter(self._name, at, {name: str(cell) for name, cell in (self._row(context) or {}).items()}, key)

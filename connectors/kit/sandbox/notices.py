"""What an institution sends by itself after a call, as sandbox.toml says: when, what, and how for whom."""

from typing import Any

import msgspec

from connectors.kit.sandbox.faults import CALLBACK_MODES
from connectors.kit.sandbox.institution import Callback
from connectors.kit.sandbox.said import Callback as Declared
from connectors.kit.sandbox.words import Words

_PREFIX = "callback_"


class Notice:
    """One `[callbacks.NAME]`, compiled."""

    def __init__(self, name: str, declared: Declared, words: Words) -> None:
        """Raises ManifestError for an expression that is wrong."""
        key = f"callbacks.{name}"
        self._name = declared.sends or name
        self._seconds = declared.seconds
        self._body = words.template(dict(declared.body), f"{key}.body")
        self._if = words.template(f"!!({declared.if_})", f"{key}.if") if declared.if_ is not None else None
        self._modes = words.template(declared.modes, f"{key}.modes") if declared.modes is not None else None
        parts = (self._body, self._if, self._modes)
        self.mentions: frozenset[str] = frozenset().union(*(part.fields for part in parts if part is not None))

    def due(self, context: dict[str, Any], operation: str, *, done: bool) -> Callback | None:
        """What is to be sent after this call of the operation; None for nothing. Raises ValueError for odd modes."""
        if not (done if self._if is None else self._if(context)):
            return None
        said = (self._modes(context) if self._modes is not None else None) or []
        modes = {f"{_PREFIX}{word}": 0 for word in said}
        if unknown := set(modes) - set(CALLBACK_MODES):
            known = ", ".join(mode.removeprefix(_PREFIX) for mode in CALLBACK_MODES)
            raise ValueError(f"callbacks are sent {known}; {min(unknown).removeprefix(_PREFIX)} is none of these")
        body = msgspec.json.encode(self._body(context) or {})
        return Callback(self._name, operation, body, self._seconds, modes)

"""What the demonstration remembers between its runs, so that a run that was cut short is finished by the next one.

An Idempotency-Key is on disk before it is used: whatever is killed, the same key is sent again, and acts once.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jisr.errors import CommandError
from jisr.setup import write_private


@dataclass(slots=True)
class Wish:
    """One request of the demonstration."""

    service: str
    key: str
    body: dict[str, Any]
    id: str = ""
    closed: str = ""  #: How it ended for the demonstration: "document", "left", or "" while it is open.
    documents: list[str] = field(default_factory=list)
    action_keys: dict[str, str] = field(default_factory=dict)


class Record:
    """The wishes of all runs, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.wishes: list[Wish] = []
        if path.is_file():
            try:
                self.wishes = [Wish(**raw) for raw in json.loads(path.read_text(encoding="utf-8"))]
            except (ValueError, TypeError) as error:
                raise CommandError(f"{path} is damaged; remove its folder to begin anew.") from error

    def add(self, service: str, body: Mapping[str, Any]) -> Wish:
        """A new wish, with its key on disk."""
        wish = Wish(service, f"demo-{uuid.uuid4()}", dict(body))
        self.wishes.append(wish)
        self.save()
        return wish

    def open_wishes(self) -> list[Wish]:
        """What an earlier run began and did not finish."""
        return [wish for wish in self.wishes if not wish.closed]

    def action_key(self, wish: Wish, action: str) -> str:
        """The key with which an action is answered: the same after a restart."""
        if action not in wish.action_keys:
            wish.action_keys[action] = f"demo-{uuid.uuid4()}"
            self.save()
        return wish.action_keys[action]

    def save(self) -> None:
        """Write the file in one piece."""
        write_private(self._path, json.dumps([asdict(wish) for wish in self.wishes], ensure_ascii=False, indent=1))

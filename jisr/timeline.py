"""Prints a request's timeline, line by line, as it happens."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from jisr.words import STATES, STEPS

_COLOURS: Mapping[str, str] = {
    "completed": "green",
    "refused": "red",
    "cancelled": "yellow",
    "expired": "yellow",
    "in_doubt": "magenta",
    "parked": "magenta",
    "awaiting_citizen": "cyan",
}
_STATE_WIDTH = 42


def line(event: Mapping[str, Any]) -> Text:
    """One event: time, state in both languages, step, counterparty, code and duration."""
    state = str(event.get("state", ""))
    ar, en = STATES.get(state, (state, state))
    facts = event.get("facts") or {}
    text = Text("  ")
    text.append(_clock(event.get("at")), style="dim")
    text.append(f"  {en} · {ar}".ljust(_STATE_WIDTH), style=_COLOURS.get(state, "blue"))
    text.append(f"  {event.get('kind', '')}".ljust(20).replace("_", " "))
    text.append("  ".join(_details(facts)), style="dim")
    return text


def print_event(console: Console, event: Mapping[str, Any]) -> None:
    """Print one event."""
    console.print(line(event))


def _details(facts: Mapping[str, Any]) -> list[str]:
    details = []
    step = facts.get("step")
    if step:
        details.append(STEPS.get(str(step), (step, step))[1])
    if facts.get("connector"):
        operation = f".{facts['operation']}" if facts.get("operation") else ""
        details.append(f"{facts['connector']}{operation}")
    if facts.get("code"):
        details.append(str(facts["code"]))
    if facts.get("milliseconds"):
        details.append(f"{facts['milliseconds']} ms")
    return details


def _clock(at: object) -> str:
    """The local time of day of an RFC 3339 time or of milliseconds since 1970."""
    if isinstance(at, int):
        return datetime.fromtimestamp(at / 1000).astimezone().strftime("%H:%M:%S.%f")[:12]
    if isinstance(at, str) and at:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S.%f")[:12]
    return " " * 12

"""The table and the file of figures that a run leaves."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.run import Result

#: The longest recovery that is promised with the default settings.
PROMISED_SECONDS = 15.0
_ROWS = (
    ("requests acknowledged", "acknowledged"),
    ("finished", "finished"),
    ("in doubt now", "in_doubt_now"),
    ("in doubt, and resolved", "in_doubt_resolved"),
    ("parked, with a reason", "parked"),
    ("effects in the ledgers", "effects"),
    ("done twice (must be 0)", "duplicates"),
    ("lost (must be 0)", "lost"),
    ("kills", "kills"),
    ("recovery, median, s", "recovery_median_s"),
    ("recovery, maximum, s", "recovery_max_s"),
)


def table(results: Sequence[Result]) -> str:
    """One table in Markdown, a column for each database."""
    figures = [result.figures for result in results]
    names = [f"{each['database']}, {each['minutes']:g} min" for each in figures]
    lines = [f"| seed {figures[0]['seed']} | {' | '.join(names)} |", f"|---|{'---:|' * len(figures)}"]
    lines += [f"| {title} | {' | '.join(str(each[key]) for each in figures)} |" for title, key in _ROWS]
    return "\n".join(lines)


def slow(results: Sequence[Result]) -> str:
    """A sentence about recoveries that took longer than is promised, "" when there were none; a busy machine is slow too."""
    late = [(each.database, each.recovery.most_seconds) for each in results]
    words = [f"{name} {seconds:.1f} s" for name, seconds in late if seconds > PROMISED_SECONDS]
    if not words:
        return ""
    return f"Recovery took longer than the {PROMISED_SECONDS:g} s that are promised: {', '.join(words)}."


def write(results: Sequence[Result], file: Path) -> None:
    """`chaos-report.json`: a list, one object per database."""
    file.write_text(json.dumps([result.figures for result in results], indent=2) + "\n", encoding="utf-8")

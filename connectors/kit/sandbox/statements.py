"""The daily files of an institution's sandbox: made from its ledger, as the manifest says, a file a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from connectors.kit.manifest import Manifest, ManifestError
from connectors.kit.sandbox.document import SandboxDocument, file_of
from connectors.kit.sandbox.institution import Desk
from connectors.kit.statements.writing import day_of, time_cell, write_statement


@dataclass(frozen=True, slots=True)
class DailyFile:
    """One file of one day."""

    statement: str
    day: date
    rows: int
    content: bytes

    @property
    def name(self) -> str:
        """How the institution calls it."""
        return f"{self.statement}-{self.day.isoformat()}.csv"


class StatementBooks:
    """The statements that one institution writes."""

    def __init__(self, manifest: Manifest, document: SandboxDocument, desk: Desk) -> None:
        """Raises ManifestError for a book that the manifest declares no statement for."""
        for name in document.statements:
            if name not in manifest.statements:
                raise ManifestError(file_of(desk.folder), f"statements.{name}", "the manifest has no such statement")
        self._desk = desk
        self._forms = {name: manifest.statements[name] for name in document.statements}
        self._begun = desk.now()

    def __bool__(self) -> bool:
        return bool(self._forms)

    def file(self, statement: str, day: date) -> DailyFile:
        """The file of that day as it stands. Raises KeyError for a statement that the institution does not write."""
        form = self._forms[statement]
        rows = [
            row if "at" not in form.columns else {**row, "at": time_cell(form, at)}
            for at, row in self._entries(statement)
            if day_of(form, at) == day
        ]
        owner = str(self._desk.settings.get(form.owner, "")) if form.owner else ""
        return DailyFile(statement, day, len(rows), write_statement(form, day, rows, owner=owner))

    def shown(self) -> list[dict[str, Any]]:
        """Every day that has rows, and how many."""
        counted: dict[tuple[str, date], int] = {}
        for statement, form in self._forms.items():
            for at, _ in self._entries(statement):
                key = statement, day_of(form, at)
                counted[key] = counted.get(key, 0) + 1
        return [{"name": name, "day": day.isoformat(), "rows": rows} for (name, day), rows in sorted(counted.items())]

    def write(self, folder: Path, day: date) -> list[Path]:
        """Put the files of that day into `folder`/CONNECTOR/STATEMENT, each in one piece; their paths."""
        return [self._put(folder, self.file(statement, day)) for statement in self._forms]

    def write_past(self, folder: Path) -> list[Path]:
        """Write the files of every day that is over by the institution's clock and was not written yet."""
        written = []
        for statement, form in self._forms.items():
            today = day_of(form, self._desk.now())
            days = {day_of(form, at) for at, _ in self._entries(statement)} | {day_of(form, self._begun)}
            for day in sorted(days):
                file = self.file(statement, day)
                if day < today and not _place(folder, self._desk.name, file).exists():
                    written.append(self._put(folder, file))
        return written

    def _put(self, folder: Path, file: DailyFile) -> Path:
        place = _place(folder, self._desk.name, file)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")  # a reader never sees half a file
        part.write_bytes(file.content)
        part.replace(place)
        return place

    def _entries(self, statement: str) -> Iterator[tuple[datetime, dict[str, str]]]:
        for at, row in self._desk.ledger.entries.get(statement, ()):
            yield datetime.fromisoformat(at), row


def _place(folder: Path, institution: str, file: DailyFile) -> Path:
    return folder / institution / file.statement / file.name

"""The results of one run, counted and grouped, and written as JSON or as a page in both languages."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.kit.conformance.case import Place, Result, Text, Verdict
from connectors.kit.conformance.page import Row, render_page

#: What the groups are called, in the order in which people read them.
GROUPS: Mapping[str, Text] = {
    "contract": Text("العقد والحزمة", "contract and package"),
    "mapping": Text("وثائق التحويل", "mapping documents"),
    "samples": Text("العينات في الاتجاهين", "samples, both ways"),
    "codes": Text("الرموز والنتائج", "codes and outcomes"),
    "callbacks": Text("الإشعارات", "callbacks"),
    "persons": Text("أشخاص الاختبار", "test persons"),
    "write-gate": Text("بوابة الكتابة", "write gate"),
    "late": Text("أجوبة متأخرة أو مقطوعة", "late and cut answers"),
    "spoiled": Text("أجوبة خارج العقد", "answers not of the contract"),
    "unsent": Text("ما لم يُرسل", "what was not sent"),
    "tokens": Text("رموز الدخول", "access tokens"),
    "privacy": Text("الخصوصية", "privacy"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one run."""

    folder: Path
    results: tuple[Result, ...]
    at: datetime

    @property
    def name(self) -> str:
        """The package's name."""
        return self.folder.name

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return self.count("failed") == 0

    def count(self, status: str) -> int:
        """How many checks ended so."""
        return sum(result.status == status for result in self.results)

    def by_group(self) -> dict[str, Counter[Verdict]]:
        """How many passed, failed and did not apply, by group."""
        groups = {result.group for result in self.results}
        return {
            group: Counter(result.status for result in self.results if result.group == group)
            for group in GROUPS
            if group in groups
        }

    @staticmethod
    def group_title(group: str) -> Text:
        """What people call the group."""
        return GROUPS[group]

    def where(self, place: Place) -> str:
        """File (within the package, where it lies there) and line."""
        inside = place.file.is_relative_to(self.folder)
        file = place.file.relative_to(self.folder.parent).as_posix() if inside else place.file.as_posix()
        return file if place.line is None else f"{file}:{place.line}"

    def as_json(self) -> str:
        """For machines; docs/reference/conformance.md describes it."""
        content = {
            "package": self.name,
            "at": self.at.isoformat(timespec="seconds"),
            "result": "passed" if self.good else "failed",
            "passed": self.count("passed"),
            "failed": self.count("failed"),
            "skipped": self.count("skipped"),
            "checks": [self._row(result) for result in self.results],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def _row(self, result: Result) -> dict[str, Any]:
        place = result.place
        return {
            "id": result.id,
            "group": result.group,
            "operation": result.operation,
            "case": result.case,
            "variant": result.variant,
            "status": result.status,
            "noted": result.noted,
            "ar": result.text.ar,
            "en": result.text.en,
            "file": None if place is None else self.where(Place(place.file)),
            "line": None if place is None else place.line,
            "milliseconds": round(result.seconds * 1000),
        }

    def as_html(self) -> str:
        """For people: one page that stands alone, right to left, each sentence in both languages."""
        return render_page(self.name, self.at, {group: GROUPS[group] for group in self.by_group()}, self.rows())

    def rows(self) -> list[Row]:
        """Every result, with where in the package it points."""
        return [(result, "" if result.place is None else self.where(result.place)) for result in self.results]

"""Reads a statement, or refuses it: encoding, headings, every cell, and the totals at its end; a line at a time."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from connectors.kit.manifest.statements import DeclaredStatement
from connectors.kit.statements.amounts import minor_of
from connectors.kit.statements.cells import Cells, Line, Places
from connectors.kit.statements.refusal import StatementRefused
from connectors.kit.statements.rows import Row, rows_of

MAX_BYTES = 64 * 1024 * 1024
#: So many further wrong lines are named: an institution mends them all at once, not one a day.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Statement:
    """A file whose totals add up."""

    day: date
    lines: tuple[Line, ...]
    amount_minor: int
    fee_minor: int


@dataclass(slots=True)
class Reading:
    """One pass over a file, which keeps no line.

    Iterating yields the lines; they count only once the end was reached without StatementRefused, and then `day` and
    the totals are known. `owner` is whose file it must be; `headings` are the installation's own names of columns,
    over the package's.
    """

    file: BinaryIO
    form: DeclaredStatement
    owner: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    day: date = date.min
    count: int = 0
    amount_minor: int = 0
    fee_minor: int = 0
    _days: set[date] = field(default_factory=set)
    _wrong: list[StatementRefused] = field(default_factory=list)

    def __iter__(self) -> Iterator[Line]:
        """The lines, once."""
        rows = rows_of(self.file, self.form)
        head = next(rows, None)
        if head is None:
            raise StatementRefused("file_empty")
        cells = Cells(self.form, Places.of(head, self.form.headings(self.headings)))
        last = head.line
        for row in rows:
            if row.cells[0] == self.form.mark:
                self._close(row, next(rows, None))
                return
            if len(row.cells) != len(head.cells):
                raise StatementRefused("row_cut", row.line, cells=len(row.cells), expected=len(head.cells))
            last = row.line
            line = self._line(cells, row)
            if line is not None:
                yield line
        raise StatementRefused("totals_missing", last, mark=self.form.mark)

    def _line(self, cells: Cells, row: Row) -> Line | None:
        """The row's line; None for a wrong one, of which the end tells."""
        try:
            line = cells.line(row)
        except StatementRefused as refusal:
            if len(self._wrong) <= _NAMED:
                self._wrong.append(refusal)
            return None
        self.count += 1
        self.amount_minor += line.amount_minor or 0
        self.fee_minor += line.fee_minor or 0
        self._days.add(line.day)
        return line

    def _close(self, totals: Row, after: Row | None) -> None:
        """The last row agrees with the others. Raises StatementRefused."""
        if after is not None:
            raise StatementRefused("rows_after_totals", after.line)
        said = _totals(totals, self.form)
        if "owner" in said and said["owner"] != self.owner:
            raise StatementRefused("file_of_another", totals.line)
        if self._wrong:
            raise _named(self._wrong)
        self.day = _day(said["day"], totals.line)
        self._require_totals(said, totals.line)
        if self._days and self.day not in self._days:
            first = min(self._days).isoformat()
            raise StatementRefused("day_differs", totals.line, day=self.day.isoformat(), rows=first)

    def _require_totals(self, said: Mapping[str, str], line: int) -> None:
        count = said.get("count", str(self.count))
        if count != str(self.count):
            raise StatementRefused("count_differs", line, said=count[:20], found=self.count)
        for name, found in (("amount", self.amount_minor), ("fee", self.fee_minor)):
            if name not in said or self.form.money is None:
                continue
            try:
                total = minor_of(said[name], self.form.money, unit="major" if name == "fee" else None, zero=True)
            except ValueError as error:
                raise StatementRefused("value_wrong", line, column=name) from error
            if total != found:
                raise StatementRefused(f"{name}_differs", line, said=total, found=found)


def read_statement(
    content: bytes,
    form: DeclaredStatement,
    *,
    owner: str = "",
    headings: Mapping[str, str] | None = None,
) -> Statement:
    """A small file, whole. Raises StatementRefused for what is wrong, and then nothing of it counts."""
    reading = Reading(io.BytesIO(content), form, owner, headings or {})
    lines = tuple(reading)
    return Statement(reading.day, lines, reading.amount_minor, reading.fee_minor)


def _named(wrong: list[StatementRefused]) -> StatementRefused:
    """The first of them, with the lines of the others."""
    first, more = wrong[0], [str(each.line) for each in wrong[1:]]
    if more:
        first.facts["also"] = ", ".join(more[: _NAMED - 1]) + (", …" if len(more) >= _NAMED else "")
    return first


def _totals(row: Row, form: DeclaredStatement) -> dict[str, str]:
    if len(row.cells) != len(form.totals):
        raise StatementRefused("totals_cut", row.line, cells=len(row.cells), expected=len(form.totals))
    said = {}
    for cell, name in zip(row.cells, form.totals, strict=True):
        if name.startswith("'") or not name:
            if cell != name.strip("'"):
                raise StatementRefused("totals_cut", row.line, cells=len(row.cells), expected=len(form.totals))
        else:
            said[name] = cell
    return said


def _day(text: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise StatementRefused("value_wrong", line, column="day") from error

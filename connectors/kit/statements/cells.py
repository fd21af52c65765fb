"""What the cells of a row say: references, amounts, a moment; each exact, or the row is refused by its column."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from connectors.kit.manifest.statements import DeclaredStatement
from connectors.kit.statements.amounts import minor_of
from connectors.kit.statements.refusal import StatementRefused
from connectors.kit.statements.rows import Row

_LONGEST_REFERENCE = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One row: an act as the institution lists it."""

    number: int  #: Of its line in the file, from 1.
    our_reference: str
    their_reference: str
    at: int  #: Milliseconds since 1970 UTC.
    day: date  #: Of `at`, in the file's zone.
    amount_minor: int | None  #: In the file's denomination.
    fee_minor: int | None
    raw: str  #: The row as it stood; may name a person.


@dataclass(frozen=True, slots=True)
class Places:
    """Where each column stands."""

    at: Mapping[str, int]
    headings: Mapping[str, str]

    @classmethod
    def of(cls, head: Row, columns: Mapping[str, str]) -> Self:
        """By the row of headings; a file of another institution or of another form is known by it."""
        cells = [cell.strip() for cell in head.said]
        missing = [heading for heading in columns.values() if heading not in cells]
        unknown = [cell for cell in cells if cell not in columns.values()]
        if missing or unknown or len(set(cells)) != len(cells):
            named = ", ".join(missing) or "-", ", ".join(unknown)[:200] or "-"
            raise StatementRefused("columns_differ", head.line, missing=named[0], unknown=named[1])
        return cls({field: cells.index(heading) for field, heading in columns.items()}, columns)


class Cells:
    """Reads the rows of one file."""

    def __init__(self, form: DeclaredStatement, places: Places) -> None:
        self._form, self._places, self._zone = form, places, ZoneInfo(form.zone)

    def line(self, row: Row) -> Line:
        """The line. Raises StatementRefused with the column's heading."""
        at = self._moment(row)
        return Line(
            number=row.line,
            our_reference=self._reference(row, "our_reference"),
            their_reference=self._reference(row, "their_reference"),
            at=int(at.timestamp() * 1000),
            day=at.date(),
            amount_minor=self._amount(row, "amount"),
            fee_minor=self._amount(row, "fee"),
            raw=self._form.separator.join(cell.strip() for cell in row.said),
        )

    def _reference(self, row: Row, field: str) -> str:
        text = self._cell(row, field)
        if not (0 < len(text) <= _LONGEST_REFERENCE and text.isprintable()):
            raise self._refused(row, field)
        return text

    def _amount(self, row: Row, field: str) -> int | None:
        money = self._form.money
        if money is None or field not in self._places.at:
            return None
        fee = field == "fee"
        try:
            return minor_of(self._cell(row, field), money, unit="major" if fee else None, zero=fee)
        except ValueError as error:
            raise self._refused(row, field) from error

    def _moment(self, row: Row) -> datetime:
        try:
            at = datetime.strptime(self._cell(row, "at"), self._form.time)  # noqa: DTZ007 - the zone follows
            return (at if at.tzinfo is not None else at.replace(tzinfo=self._zone)).astimezone(self._zone)
        except (ValueError, OverflowError) as error:
            raise self._refused(row, "at") from error

    def _cell(self, row: Row, field: str) -> str:
        place = self._places.at.get(field)
        return "" if place is None else row.cells[place]

    def _refused(self, row: Row, field: str) -> StatementRefused:
        return StatementRefused("value_wrong", row.line, column=self._places.headings[field])

"""Reads a statement whole, or refuses it: encoding, headings, every cell, and the totals at its end."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.kit.manifest.statements import DeclaredStatement
from connectors.kit.statements.amounts import minor_of
from connectors.kit.statements.refusal import StatementRefused

MAX_BYTES = 64 * 1024 * 1024
_LONGEST_REFERENCE = 100
_BOM = b"\xef\xbb\xbf"


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
class Statement:
    """A file whose totals add up."""

    day: date
    lines: tuple[Line, ...]
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]


def read_statement(
    content: bytes,
    form: DeclaredStatement,
    *,
    owner: str = "",
    headings: Mapping[str, str] | None = None,
) -> Statement:
    """The statement. Raises StatementRefused for the first thing that is wrong, and then nothing of it counts.

    `owner` is whose file it must be; `headings` are the installation's own names of columns, over the package's.
    """
    if not content.strip():
        raise StatementRefused("file_empty")
    if len(content) > MAX_BYTES:
        raise StatementRefused("file_too_large", bytes=len(content), limit=MAX_BYTES)
    columns = form.headings(headings or {})
    rows = _rows(_text(content, form), form)
    head = next(rows)
    places = _places(head, columns)
    found: list[_Row] = []
    for row in rows:
        if row.cells[0] == form.mark:
            return _closed(found, row, next(rows, None), form, places, owner)
        if len(row.cells) != len(head.cells):
            raise StatementRefused("row_cut", row.line, cells=len(row.cells), expected=len(head.cells))
        found.append(row)
    raise StatementRefused("totals_missing", found[-1].line if found else head.line, mark=form.mark)


def _text(content: bytes, form: DeclaredStatement) -> str:
    if form.encoding == "utf-8":
        content = content.removeprefix(_BOM)
    try:
        text = content.decode(form.encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise StatementRefused("encoding_wrong", line, encoding=form.encoding) from error
    if "\0" in text:
        raise StatementRefused("encoding_wrong", text.count("\n", 0, text.index("\0")) + 1, encoding=form.encoding)
    return text


def _rows(text: str, form: DeclaredStatement) -> Iterator[_Row]:
    """The rows that are not empty, with the line on which each ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.separator, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise StatementRefused("not_csv", reader.line_num) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _Row(reader.line_num, [cell.strip() for cell in cells])


def _places(head: _Row, columns: Mapping[str, str]) -> dict[str, int]:
    """Where each column stands. A file of another institution or of another form is known by its headings."""
    missing = [heading for heading in columns.values() if heading not in head.cells]
    unknown = [cell for cell in head.cells if cell not in columns.values()]
    if missing or unknown or len(set(head.cells)) != len(head.cells):
        raise StatementRefused(
            "columns_differ", head.line, missing=", ".join(missing) or "-", unknown=", ".join(unknown)[:200] or "-"
        )
    return {field: head.cells.index(heading) for field, heading in columns.items()}


def _closed(
    found: Sequence[_Row],
    totals: _Row,
    after: _Row | None,
    form: DeclaredStatement,
    places: Mapping[str, int],
    owner: str,
) -> Statement:
    """The statement, once its last row agrees with the others."""
    if after is not None:
        raise StatementRefused("rows_after_totals", after.line)
    said = _totals(totals, form)
    if "owner" in said and said["owner"] != owner:
        raise StatementRefused("file_of_another", totals.line)
    day = _day(said["day"], totals.line)
    lines = tuple(_line(row, form, places) for row in found)
    statement = Statement(
        day, lines, sum(line.amount_minor or 0 for line in lines), sum(line.fee_minor or 0 for line in lines)
    )
    _require_totals(statement, said, totals.line, form)
    if lines and all(line.day != day for line in lines):
        raise StatementRefused("day_differs", totals.line, day=day.isoformat(), rows=lines[0].day.isoformat())
    return statement


def _totals(row: _Row, form: DeclaredStatement) -> dict[str, str]:
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


def _line(row: _Row, form: DeclaredStatement, places: Mapping[str, int]) -> Line:
    def cell(field: str) -> str:
        return row.cells[places[field]] if field in places else ""

    def refused(field: str) -> StatementRefused:
        return StatementRefused("value_wrong", row.line, column=form.columns[field])  # type: ignore[index]

    references = {}
    for field in ("our_reference", "their_reference"):
        references[field] = cell(field)
        if not (0 < len(references[field]) <= _LONGEST_REFERENCE and references[field].isprintable()):
            raise refused(field)
    amounts: dict[str, int | None] = {"amount": None, "fee": None}
    for field in amounts:
        if field in places and form.money is not None:
            fee = field == "fee"
            try:
                amounts[field] = minor_of(cell(field), form.money, unit="major" if fee else None, zero=fee)
            except ValueError as error:
                raise refused(field) from error
    try:
        at = datetime.strptime(cell("at"), form.time)  # noqa: DTZ007 - the zone follows
    except ValueError as error:
        raise refused("at") from error
    zone = ZoneInfo(form.zone)
    local = (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(zone)
    return Line(
        number=row.line,
        our_reference=references["our_reference"],
        their_reference=references["their_reference"],
        at=int(local.timestamp() * 1000),
        day=local.date(),
        amount_minor=amounts["amount"],
        fee_minor=amounts["fee"],
        raw=form.separator.join(row.cells),
    )


def _require_totals(statement: Statement, said: Mapping[str, str], line: int, form: DeclaredStatement) -> None:
    count = said.get("count", str(len(statement.lines)))
    if count != str(len(statement.lines)):
        raise StatementRefused("count_differs", line, said=count[:20], found=len(statement.lines))
    for name, found in (("amount", statement.amount_minor), ("fee", statement.fee_minor)):
        if name not in said or form.money is None:
            continue
        try:
            total = minor_of(said[name], form.money, unit="major" if name == "fee" else None, zero=True)
        except ValueError as error:
            raise StatementRefused("value_wrong", line, column=name) from error
        if total != found:
            raise StatementRefused(f"{name}_differs", line, said=total, found=found)

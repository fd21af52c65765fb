"""Writes a report for people: CSV for any program, XLSX from right to left; the same report gives the same bytes."""

import csv
import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from gateway.reconciliation.report import text_of
from gateway.reconciliation.tables import Cell, Table, tables_of

#: A cell that begins like this is a formula to a spreadsheet program.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEADING_HEIGHT, _ROW_HEIGHT = 38, 19
_PLAIN = {"font_name": "Arial", "valign": "vcenter", "bottom": 1, "bottom_color": "#D5DDE0"}
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "heading": {
        "bold": True,
        "font_color": "#FFFFFF",
        "bg_color": "#1F4E5F",
        "text_wrap": True,
        "align": "center",
        "border": 1,
        "border_color": "#FFFFFF",
    },
    "text": {"align": "right", "indent": 1, "reading_order": 2},
    "code": {"align": "left", "indent": 1, "reading_order": 1},
    "number": {"num_format": "#,##0", "align": "center"},
    "alarm": {"num_format": "[Red][>0]#,##0;#,##0", "align": "center", "bold": True},
    "money": {"num_format": "#,##0.00;[Red]-#,##0.00", "align": "right", "indent": 1},
    "day": {"num_format": "yyyy-mm-dd", "align": "center"},
}
_TOTAL = {"bold": True, "top": 2, "top_color": "#1F4E5F", "bg_color": "#EEF3F5"}
_NO_ROWS = "لا شيء · none"


def files_of_report(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Name -> content: report.json, a CSV a table, report.xlsx, and SHA256SUMS over them."""
    made = {"report.json": text_of(report).encode()}
    made |= {f"{table.name}.csv": csv_of(table) for table in tables_of(report)}
    made["report.xlsx"] = xlsx_of(report)
    sums = "".join(f"{hashlib.sha256(made[name]).hexdigest()}  {name}\n" for name in sorted(made))
    return made | {"SHA256SUMS": sums.encode()}


def csv_of(table: Table) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheet programs see the Arabic; nothing in it is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([f"{column.ar} · {column.en}" for column in table.columns])
    writer.writerows([[_plain(cell) for cell in row] for row in table.cells()])
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text


def xlsx_of(report: Mapping[str, Any]) -> bytes:
    """A workbook with a sheet a table: from right to left, headings in both languages, real numbers and days."""
    buffer = io.BytesIO()
    day = date.fromisoformat(report["day"])
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # what a workbook says of itself is the end of the day that it is about, not when it was made
    made_at = datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=1)
    book.set_properties({"title": f"تسوية يوم {day} · Reconciliation of {day}", "author": "Jisr", "created": made_at})
    formats = {kind: book.add_format({**_PLAIN, **form}) for kind, form in _FORMATS.items()}
    formats |= {f"{kind}.total": book.add_format({**_PLAIN, **form, **_TOTAL}) for kind, form in _FORMATS.items()}
    for table in tables_of(report):
        _sheet(book.add_worksheet(f"{table.ar} {table.en}"), table, formats, str(day))
    book.close()
    return buffer.getvalue()


def _sheet(sheet: Worksheet, table: Table, formats: Mapping[str, Any], day: str) -> None:
    sheet.right_to_left()
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_header(f"&C&14{table.ar} · {table.en}  ·  {day}")
    sheet.set_footer("&C&P / &N")
    sheet.set_default_row(_ROW_HEIGHT)
    sheet.set_row(0, _HEADING_HEIGHT)
    for number, column in enumerate(table.columns):
        sheet.set_column(number, number, column.width)
        sheet.write_string(0, number, f"{column.ar}\n{column.en}", formats["heading"])
    rows = table.cells()
    for line, row in enumerate(rows, start=1):
        for number, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write(sheet, line, number, cell, formats[column.kind])
    for line, row in enumerate(table.totals(), start=len(rows) + 1):
        for number, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write(sheet, line, number, cell, formats[f"{column.kind if number else 'text'}.total"])
    if rows:
        sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)
    else:
        sheet.write_string(1, 0, _NO_ROWS, formats["text"])


def _write(sheet: Worksheet, line: int, number: int, cell: Cell, form: Any) -> None:
    """A cell of its own kind; text is text, whatever it looks like."""
    match cell:
        case None:
            sheet.write_blank(line, number, None, form)
        case date():
            sheet.write_datetime(line, number, datetime(cell.year, cell.month, cell.day), form)  # noqa: DTZ001 - a day
        case int() | Decimal():
            sheet.write_number(line, number, cell, form)
        case _:
            sheet.write_string(line, number, cell, form)

"""Writes a statement as an institution would, for the sandboxes: headings, rows, totals; `read_statement` reads it."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.kit.manifest.statements import DeclaredStatement
from connectors.kit.statements.amounts import cell_of, minor_of


def write_statement(form: DeclaredStatement, day: date, rows: Sequence[Mapping[str, str]], *, owner: str = "") -> bytes:
    """The file of that day. Each row has the cells of its columns by what they are (`our_reference`, `amount` …).

    Raises ValueError for an amount that the form cannot say, and for a row without a cell.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=form.separator, lineterminator="\r\n")
    writer.writerow(form.columns.values())
    for row in rows:
        if missing := [field for field in form.columns if field not in row]:
            raise ValueError(f"a row has no {missing[0]}")
        writer.writerow([row[field] for field in form.columns])
    writer.writerow([_total(name, form, day, rows, owner) for name in form.totals])
    return text.getvalue().encode(form.encoding)


def time_cell(form: DeclaredStatement, moment: datetime) -> str:
    """How the form writes an aware moment."""
    return moment.astimezone(ZoneInfo(form.zone)).strftime(form.time)


def day_of(form: DeclaredStatement, moment: datetime) -> date:
    """The form's day of an aware moment."""
    return moment.astimezone(ZoneInfo(form.zone)).date()


def _total(name: str, form: DeclaredStatement, day: date, rows: Sequence[Mapping[str, str]], owner: str) -> str:
    match name:
        case "count":
            return str(len(rows))
        case "day":
            return day.isoformat()
        case "owner":
            return owner
        case "amount" | "fee" if form.money is not None:
            unit = "major" if name == "fee" else form.money.unit
            total = sum(minor_of(row[name], form.money, unit=unit, zero=True) for row in rows)
            return cell_of(total, form.money, unit=unit)
    return name.strip("'")

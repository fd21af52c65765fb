"""The report as tables for people, headings in both languages; CSV and XLSX are written from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from gateway.reconciliation.words import DECISIONS, refusal
from mappings.money import denominations

_TOTAL = "المجموع · Total"
Kind = Literal["text", "code", "number", "alarm", "money", "day"]
Cell = str | int | Decimal | date | None
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    ar: str
    en: str
    kind: Kind
    width: int
    value: Callable[[Row], Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet, one CSV file."""

    name: str  #: Of the file.
    ar: str
    en: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    def cells(self) -> list[list[Cell]]:
        """The rows, cell by cell."""
        return [[column.value(row) for column in self.columns] for row in self.rows]

    def totals(self) -> list[list[Cell]]:
        """A row for each money: the sums of its amounts, exactly; none where the table has no amounts."""
        sums: dict[str, dict[int, Decimal]] = {}
        for row in self.rows:
            ours = sums.setdefault(str(row.get("denomination") or ""), {})
            for number, column in enumerate(self.columns):
                if column.kind == "money" and isinstance(amount := column.value(row), Decimal):
                    ours[number] = ours.get(number, Decimal(0)) + amount
        return [self._total(name, ours) for name, ours in sorted(sums.items()) if ours]

    def _total(self, denomination: str, sums: Mapping[int, Decimal]) -> list[Cell]:
        cells: list[Cell] = [sums.get(number) for number in range(len(self.columns))]
        cells[0] = _TOTAL
        return [
            denomination if column is _DENOMINATION else cell for cell, column in zip(cells, self.columns, strict=True)
        ]


def _text(key: str) -> Callable[[Row], Cell]:
    return lambda row: row.get(key)


def _day(key: str = "day") -> Callable[[Row], Cell]:
    return lambda row: date.fromisoformat(row[key]) if row.get(key) else None


def _money(key: str) -> Callable[[Row], Cell]:
    def value(row: Row) -> Cell:
        minor = row.get(key)
        if minor is None:
            return None
        known = denominations().get(row.get("denomination") or "")
        return Decimal(minor).scaleb(-(known.exponent if known else 0))

    return value


def _both(key: str) -> Callable[[Row], Cell]:
    return lambda row: f"{row[key]['ar']} · {row[key]['en']}"


_DAY = Column("اليوم", "Day", "day", 13, _day())
_INSTITUTION = Column("الجهة", "Institution", "text", 40, _both("title"))
_SOURCE = Column("الكشف", "Statement", "code", 25, _text("source"))
_REQUEST = Column("رقم الطلب", "Request", "code", 39, _text("request_id"))
_OURS = Column("مرجعنا", "Our reference", "code", 39, _text("our_reference"))
_THEIRS = Column("مرجعهم", "Their reference", "code", 20, _text("their_reference"))
_FILE = Column("الملف", "File", "code", 28, _text("file"))
_LINE = Column("السطر", "Line", "number", 8, _text("line"))
_DENOMINATION = Column("العملة", "Denomination", "code", 14, _text("denomination"))

SUMMARY = (
    _INSTITUTION,
    _SOURCE,
    _DAY,
    Column("ملفات", "Files", "number", 9, lambda row: len(row["files"])),
    Column("مرفوضة", "Refused", "number", 10, lambda row: len(row["refused"])),
    Column("عدد لديهم", "Theirs", "number", 11, lambda row: row["theirs"]["count"]),
    Column("مبلغهم", "Their amount", "money", 16, _money("theirs_minor")),
    Column("عدد لدينا", "Ours", "number", 11, lambda row: row["ours"]["count"]),
    Column("مبلغنا", "Our amount", "money", 16, _money("ours_minor")),
    Column("متطابق", "Matched", "number", 11, lambda row: row["theirs_matched"]["count"]),
    Column("مبلغ المتطابق", "Matched amount", "money", 17, _money("matched_minor")),
    Column("لم يتم", "Not done", "number", 10, lambda row: row["ours_not_done"]["count"]),
    Column("فروق", "Exceptions", "alarm", 13, lambda row: row["counts"]["exceptions"]),
    Column("منتظر", "Expected", "number", 11, lambda row: row["counts"]["expected"]),
    Column("فرق الحساب", "Difference", "money", 15, _money("difference_minor")),
    _DENOMINATION,
)
BREAKS = (
    Column("الرقم", "Break", "code", 23, _text("id")),
    Column("النوع", "Type (Arabic)", "text", 25, lambda row: row["title"]["ar"]),
    Column("النوع بالإنكليزية", "Type", "code", 25, lambda row: row["title"]["en"]),
    _SOURCE,
    _DAY,
    Column("العمر بأيام العمل", "Age, working days", "number", 18, _text("age_business_days")),
    Column("مبلغنا", "Our amount", "money", 15, _money("ours_minor")),
    Column("مبلغهم", "Their amount", "money", 15, _money("theirs_minor")),
    _DENOMINATION,
    _REQUEST,
    _OURS,
    _THEIRS,
    _FILE,
    _LINE,
)
RESOLVED = (
    Column("القرار", "Decision", "text", 20, lambda row: " · ".join(DECISIONS[row["decision"]])),
    _SOURCE,
    _DAY,
    Column("المبلغ", "Amount", "money", 15, _money("amount_minor")),
    _DENOMINATION,
    _REQUEST,
    _OURS,
    _THEIRS,
    _FILE,
    _LINE,
)
CLOSED = (
    _SOURCE,
    _DAY,
    Column("أيام التأخر", "Days late", "number", 12, _text("days_late")),
    Column("المبلغ", "Amount", "money", 15, _money("amount_minor")),
    _DENOMINATION,
    _REQUEST,
    _OURS,
    _THEIRS,
)
FILES = (
    _SOURCE,
    Column("الملف", "File", "code", 34, _text("name")),
    Column("الحال", "State", "text", 22, _text("state")),
    Column("أسطر", "Rows", "number", 9, _text("lines")),
    Column("المجموع", "Total", "money", 16, _money("amount_minor")),
    Column("العمولة", "Commission", "money", 14, _money("fee_minor")),
    _DENOMINATION,
    Column("سطر الخطأ", "Wrong line", "number", 11, _text("line")),
    Column("السبب", "Reason (ar)", "text", 70, _text("why_ar")),
    Column("السبب", "Reason (en)", "code", 70, _text("why_en")),
    Column("البصمة", "SHA-256", "code", 68, _text("sha256")),
)


def tables_of(report: Mapping[str, Any]) -> tuple[Table, ...]:
    """The tables of a report."""
    sources = {each["source"]: each for each in report["sources"]}

    def with_money(rows: Sequence[Row]) -> list[Row]:
        return [{"denomination": sources[row["source"]]["denomination"], **row} for row in rows]

    return (
        Table("summary", "الملخص", "Summary", SUMMARY, [_summed(each, report["day"]) for each in report["sources"]]),
        Table("breaks", "الفروق", "Breaks", BREAKS, report["breaks"]),
        Table("resolved", "ما حُسم", "Resolved", RESOLVED, with_money(report["resolved"])),
        Table("closed", "ما ورد متأخراً", "Closed", CLOSED, with_money(report["closed"])),
        Table("files", "الملفات", "Files", FILES, [row for each in report["sources"] for row in _files(each)]),
    )


def _summed(source: Row, day: str) -> Row:
    proof = source["proof"]
    differences = ("theirs_difference", "ours_difference", "matched_difference", "control_difference")
    return {
        **source,
        **proof,
        "day": day,
        "theirs_minor": proof["theirs"]["amount_minor"],
        "ours_minor": proof["ours"]["amount_minor"],
        "matched_minor": proof["theirs_matched"]["amount_minor"],
        "difference_minor": sum(abs(proof[name]) for name in differences),
    }


def _files(source: Row) -> list[Row]:
    about = {"source": source["source"], "denomination": source["denomination"]}
    taken: list[Row] = [{**about, **each, "state": "مقبول · accepted"} for each in source["files"]]
    taken += [{**about, **each, "state": "حلّ محله تصحيح · corrected"} for each in source["corrected"]]
    refused: list[Row] = [
        {
            **about,
            **each,
            "state": "مرفوض · refused",
            "line": each["line"] or None,
            "why_ar": refusal(each["code"], each["facts"], "ar"),
            "why_en": refusal(each["code"], each["facts"], "en"),
        }
        for each in source["refused"]
    ]
    return taken + refused

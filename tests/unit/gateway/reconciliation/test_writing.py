"""The report as files: the same bytes each time, from right to left, real numbers, nothing that a spreadsheet would run."""

import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from decimal import Decimal

from gateway.reconciliation.matching import Sides, match
from gateway.reconciliation.report import SourceDay, report_of
from gateway.reconciliation.tables import tables_of
from gateway.reconciliation.words import REFUSALS, refusal
from gateway.reconciliation.writing import files_of_report
from gateway.store.reconciliation.files import KeptFile, Refusal
from tests.unit.gateway.reconciliation.test_matching import DAY, DOUBT, WALLET, act, line

EVIL = '=HYPERLINK("http://127.0.0.1")'


def made():
    source = replace(WALLET, title={"ar": "سيريتل كاش", "en": "Syriatel Cash"})
    lines = (line("a", 1_234_567), replace(line("b", number=3), their_reference=EVIL))
    sides = Sides(DAY.isoformat(), (act("a", DOUBT), act("c")), lines, frozenset({DAY.isoformat()}))
    cut = Refusal("totals_missing", 3, {"mark": "TOTAL"})
    file = KeptFile("s", "cut.csv", "c" * 64, DAY.isoformat(), "refused", 0, None, None, cut)
    part = SourceDay(source, sides, tuple(match(source, sides).breaks), (file,))
    return files_of_report(report_of(DAY, [part], "rules"))


def sheets(workbook: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_same_report_is_the_same_bytes():
    assert made() == made()


def test_the_sums_are_those_of_the_files():
    files = made()
    told = dict(reversed(each.split("  ")) for each in files["SHA256SUMS"].decode().splitlines())
    assert told == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "SHA256SUMS"
    }


def test_every_sheet_runs_from_right_to_left_with_headings_that_stay():
    parts = sheets(made()["report.xlsx"])
    found = [text for name, text in parts.items() if name.startswith("xl/worksheets/sheet")]
    assert len(found) == 5
    for text in found:
        assert 'rightToLeft="1"' in text
        assert re.search(r'<pane ySplit="1"[^>]*state="frozen"', text)
    words = parts["xl/sharedStrings.xml"]
    assert "النوع" in words
    assert "Our amount" in words


def test_amounts_and_days_are_numbers_and_nothing_is_a_formula():
    parts = sheets(made()["report.xlsx"])
    breaks = parts["xl/worksheets/sheet2.xml"]
    assert "<v>12345.67</v>" in breaks, "their amount, in pounds"
    assert "<v>46350</v>" in breaks, "24 November 2026 as a spreadsheet counts days"
    assert all("<f>" not in text and "<hyperlink" not in text for text in parts.values())
    assert EVIL.replace('"', "&quot;") in parts["xl/sharedStrings.xml"] or EVIL in parts["xl/sharedStrings.xml"]


def test_a14_what_an_institution_wrote_is_inert_in_csv_and_the_arabic_is_readable():
    content = made()["breaks.csv"]
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows[1:] for cell in row]
    assert f"'{EVIL}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert "ناقص لدينا" in cells


def test_every_refusal_has_its_words_in_both_languages():
    for code, (ar, en) in REFUSALS.items():
        facts = dict.fromkeys(re.findall(r"\{(\w+)\}", ar + en), "7")
        assert set(re.findall(r"\{(\w+)\}", ar)) == set(re.findall(r"\{(\w+)\}", en)), code
        assert "{" not in refusal(code, facts, "ar") + refusal(code, facts, "en")
        assert any("\u0600" <= letter <= "\u06ff" for letter in ar)


def test_under_the_rows_stand_the_sums_of_each_money_where_sorting_leaves_them():
    breaks = tables_of(json.loads(made()["report.json"]))[1]
    (total,) = breaks.totals()
    told = dict(zip([column.en for column in breaks.columns], total, strict=True))
    assert told["Break"] == "المجموع · Total"
    assert (told["Our amount"], told["Their amount"], told["Denomination"]) == (50, Decimal("12370.67"), "SYP-new")
    sheet = sheets(made()["report.xlsx"])["xl/worksheets/sheet2.xml"]
    assert '<autoFilter ref="A1:N4"/>' in sheet
    assert re.search(r'<c r="H5" s="\d+"><v>12370.67</v>', sheet)

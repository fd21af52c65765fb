"""A statement is read whole or refused by name, with the line; whatever is done to a good one, nothing else is read from it."""

import tempfile
import tracemalloc
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox.server import find_folder
from connectors.kit.statements.reading import Reading, read_statement
from connectors.kit.statements.refusal import StatementRefused
from connectors.kit.statements.writing import write_statement
from gateway.reconciliation.words import refusal
from mappings.arabic import arabic_digits

DAY = date(2026, 11, 24)
WALLET = load_manifest(find_folder("syriatel_cash")).statements["settlement"]
MINISTRY = load_manifest(find_folder("education")).statements["issued"]
OWNER = "963930000900"


def row(number: int, amount: str = "25", fee: str = "0.25", **more: str) -> dict[str, str]:
    return {
        "their_reference": f"SC-{number}",
        "our_reference": f"{number:032x}-p1",
        "payer": "9639*****001",
        "amount": amount,
        "fee": fee,
        "at": "2026-11-24 10:00:00",
    } | more


def wallet(*rows: dict[str, str], day: date = DAY, owner: str = OWNER) -> bytes:
    return write_statement(WALLET, day, rows or (row(1), row(2, "1500", "15.00")), owner=owner)


def read(content: bytes, **more: object):
    return read_statement(content, WALLET, owner=OWNER, **more)  # type: ignore[arg-type]


def refused(content: bytes, **more: object) -> tuple[str, int]:
    with pytest.raises(StatementRefused) as caught:
        read(content, **more)
    return caught.value.code, caught.value.line


def test_what_an_institution_writes_is_read_in_whole_minor_units():
    statement = read(wallet())
    assert (statement.day, statement.amount_minor, statement.fee_minor) == (DAY, 152_500, 1_525)
    assert [(line.number, line.our_reference, line.amount_minor, line.fee_minor) for line in statement.lines] == [
        (2, f"{1:032x}-p1", 2_500, 25),
        (3, f"{2:032x}-p1", 150_000, 1_500),
    ]
    assert {line.day for line in statement.lines} == {DAY}
    assert statement.lines[0].at == 1_795_503_600_000, "ten o'clock in Damascus is seven o'clock UTC"


def test_a_day_without_an_act_is_a_file_with_its_totals_alone():
    empty = write_statement(WALLET, DAY, (), owner=OWNER)
    assert read(empty).lines == ()


GOOD = wallet()
DAMAGED = {
    "file_empty": (b"  \r\n", "file_empty", 0),
    "cut_before_the_totals": (GOOD[: GOOD.index(b"TOTAL")], "totals_missing", 3),
    "cut_within_the_totals": (GOOD[:-20], "totals_cut", 4),
    "cut_within_a_row": (GOOD[: GOOD.index(b"9639*****001,1500")], "row_cut", 3),
    "doubled": (GOOD + GOOD, "rows_after_totals", 5),
    "encoded_otherwise": (GOOD.replace(b"SC-2", "س-2".encode("windows-1256")), "encoding_wrong", 3),
    "utf_16": (GOOD.decode().encode("utf-16-le"), "encoding_wrong", 1),
    "quote_left_open": (GOOD.replace(b"SC-1", b'"SC-1'), "not_csv", 4),
    "another_institution_s": (
        write_statement(MINISTRY, DAY, ()),
        "columns_differ",
        1,
    ),
    "another_merchant_s": (wallet(owner="963930000901"), "file_of_another", 4),
    "count_wrong": (GOOD.replace(b"TOTAL,2", b"TOTAL,3"), "count_differs", 4),
    "amount_wrong": (GOOD.replace(b"1525,", b"1526,"), "amount_differs", 4),
    "row_changed": (GOOD.replace(b",1500,", b",1501,"), "amount_differs", 4),
    "row_left_out": (GOOD.replace(GOOD.splitlines(keepends=True)[1], b""), "count_differs", 3),
    "fee_wrong": (GOOD.replace(b"15.25", b"15.26"), "fee_differs", 4),
    "amount_with_a_fraction": (GOOD.replace(b",1500,", b",1500.5,"), "value_wrong", 3),
    "amount_zero": (GOOD.replace(b",1500,", b",0,"), "value_wrong", 3),
    "amount_negative": (GOOD.replace(b",1500,", b",-1500,"), "value_wrong", 3),
    "amount_as_a_float": (GOOD.replace(b",1500,", b",1.5e3,"), "value_wrong", 3),
    "time_unreadable": (GOOD.replace(b"2026-11-24 10:00:00", b"24/11/2026", 1), "value_wrong", 2),
    "reference_empty": (GOOD.replace(f"{2:032x}-p1".encode(), b""), "value_wrong", 3),
    "without_line_ends": (b"x" * 20_000, "line_too_long", 1),
    "day_of_another": (GOOD.replace(b"2026-11-24\r\n", b"2026-11-23\r\n"), "day_differs", 4),
}


@pytest.mark.parametrize(("content", "code", "line"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_is_refused_by_name_and_line(content, code, line):
    assert refused(content) == (code, line)


def test_a_byte_order_mark_and_other_line_ends_change_nothing():
    assert read(b"\xef\xbb\xbf" + GOOD).lines == read(GOOD).lines
    assert read(GOOD.replace(b"\r\n", b"\n")).lines == read(GOOD).lines


def test_arabic_and_persian_digits_are_read_and_the_row_is_kept_as_it_stood():
    arabic = arabic_digits(GOOD.decode()).encode()
    line = read(arabic).lines[1]
    assert read(arabic).amount_minor == 152_500
    assert (line.our_reference, line.amount_minor, line.at) == (f"{2:032x}-p1", 150_000, read(GOOD).lines[1].at)
    assert "١٥٠٠" in line.raw
    assert read(GOOD.replace(b"15.00", "۱۵٫۰۰".encode())).lines[1].fee_minor == 1_500


def test_every_line_that_is_wrong_is_named_at_once():
    rows = [row(number) for number in range(1, 40)]
    spoiled = wallet(*rows)
    for number in range(10, 36):
        spoiled = spoiled.replace(f"{number:032x}-p1".encode(), b"")
    with pytest.raises(StatementRefused) as caught:
        read(spoiled)
    assert (caught.value.code, caught.value.line) == ("value_wrong", 11)
    named = caught.value.facts["also"].split(", ")
    assert named[:2] == ["12", "13"]
    assert named[-1] == "…"
    facts = {**caught.value.facts}
    assert "So are lines 12, 13" in refusal("value_wrong", facts, "en")
    assert "وكذلك الأسطر: 12, 13" in refusal("value_wrong", facts, "ar")


def test_a_large_file_is_read_line_by_line_and_its_memory_stays_flat():
    line = b"SC-%d,%032x-p1,9639*****001,25,0.25,2026-11-24 10:00:00\r\n"
    count, head = 20_000, GOOD.splitlines(keepends=True)[0]
    with tempfile.TemporaryFile() as file:
        file.write(head)
        file.writelines(line % (number, number) for number in range(count))
        file.write(f"TOTAL,{count},{OWNER},{25 * count},{count / 4:.2f},2026-11-24\r\n".encode())
        reading = Reading(file, WALLET, OWNER)
        tracemalloc.start()
        try:
            assert sum(1 for _ in reading) == count
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        size = file.tell()
    assert reading.amount_minor == 2_500 * count
    assert size > 1_500_000
    assert peak < 200_000, "no line is kept"


def test_headings_that_the_institution_renamed_are_a_setting():
    renamed = GOOD.replace(b"AMOUNT", b"VALUE", 1)
    assert refused(renamed) == ("columns_differ", 1)
    assert read(renamed, headings={"amount": "VALUE"}).lines == read(GOOD).lines


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(1, len(GOOD) - 1))
def test_n5_a_file_that_was_cut_off_anywhere_is_never_read(cut):
    whole = GOOD[:-cut]
    if whole.rstrip() == GOOD.rstrip():  # only the end of the last line is gone
        assert read(whole).lines == read(GOOD).lines
    else:
        refused(whole)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)).map(
            lambda pair: (str(pair[0]), f"{pair[1] // 100}.{pair[1] % 100:02}")
        ),
        max_size=20,
    )
)
def test_whatever_is_written_is_read_back_exactly(rows):
    written = wallet(*(row(number, amount, fee) for number, (amount, fee) in enumerate(rows))) if rows else GOOD
    statement = read(written)
    if rows:
        assert [line.amount_minor for line in statement.lines] == [int(amount) * 100 for amount, _ in rows]
        assert statement.amount_minor == sum(int(amount) * 100 for amount, _ in rows)

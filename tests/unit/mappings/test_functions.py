"""The functions of the mapping language: the documented examples, and what is refused."""

import json
from decimal import Decimal

import pytest

from mappings.dates import MONTHS, date_text, moment_text, read_date, read_moment
from mappings.expression import Expression
from mappings.functions import MappingFunctions, documented
from mappings.money import amount_as, money_from
from mappings.names import join_name, split_name

FUNCTIONS = MappingFunctions({})
DOCUMENTED = documented(MappingFunctions)


@pytest.mark.parametrize(
    ("text", "result"),
    [pytest.param(text, result, id=text) for entry in DOCUMENTED for text, result in entry.examples],
)
def test_a_documented_example_is_so(text, result):
    found = Expression(text, FUNCTIONS)({})

    assert json.dumps(found, ensure_ascii=False) == json.dumps(result, ensure_ascii=False)


def test_every_function_of_ours_is_documented_with_an_example():
    ours = {
        name for name in FUNCTIONS.FUNCTION_TABLE if hasattr(FUNCTIONS.FUNCTION_TABLE[name]["function"], "documented")
    }

    assert len(ours) > 25
    assert {entry.name for entry in DOCUMENTED} == ours
    assert [entry.name for entry in DOCUMENTED if not entry.examples or not entry.says.endswith(".")] == []
    assert [entry.name for entry in DOCUMENTED if not any(entry.name in text for text, _ in entry.examples)] == []


@pytest.mark.parametrize("entry", DOCUMENTED, ids=lambda entry: entry.name)
def test_null_in_is_null_out_and_another_type_is_refused_without_showing_it(entry):
    if entry.name == "if":
        return
    table = entry.arguments[0] == "table"
    constants = ["'governorates'"] if table else []
    constants += {"date": ["'dd/MM/yyyy'"], "iso_date": ["'dd/MM/yyyy'"]}.get(entry.name, [])
    rest = len(entry.arguments) - 1 - len(constants)
    arguments = ([*constants, "v"] if table else ["v", *constants]) + ["'x'"] * rest
    if entry.name in {"datetime", "iso_datetime"}:
        arguments = ["v", "'yyyy-MM-dd'", "'UTC'"]
    expression = Expression(f"{entry.name}({', '.join(arguments)})", FUNCTIONS)

    assert expression({}) is None
    if entry.name != "listed":
        for value in ({"secret": ["99000000500"]}, b"\xff99000000500"):
            try:
                expression({"v": value})
            except ValueError as error:
                assert "99000000500" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    ["pad('12345', `3`, '0')", "pad('1', `3`, '00')", "pad('1', `101`, '0')", "substring('abc', `2`, `2`)", "substring('abc', `-1`, `1`)", "integer('1.0')", "integer('007')", "integer('1e3')", "integer(`1.0`)", "text(`1.5`)", "text(`[]`)",
     "split('a', '')", "unique([['a']])", "first('a')", "flag('Y', 'Y', 'N')", "unflag('X', 'Y', 'N')", "from_base64('%')", "from_hex('0')", "utf8(from_hex('ff'))", "national_number('123')", "mobile('0930000555', 'other')",
     "money({amount_minor: `1`, currency: 'SYP', denomination: 'SYP-new'}, 'SYP-new', 'whole')", "money_of('0', 'SYP-new', 'major')", "money_of('1.5', 'SYP-new', 'whole')", "money_of('1', 'XXX', 'major')", "money_of(`1.5`, 'SYP-new', 'major')", "money_of('1', 'SYP-new', 'pennies')",
     "money({amount_minor: `1`}, 'SYP-new', 'minor')", "money({amount_minor: 'a', currency: 'SYP', denomination: 'SYP-new'}, 'SYP-new', 'minor')", "uncode('governorates', '99')", "code('governorates', 'atlantis')", "split_name('سامر', 'given father')", "join_name({given: `1`}, 'given')", "join_name({given: 'a'}, 'Given!')"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(text):
    expression = Expression(text, FUNCTIONS)
    with pytest.raises(ValueError, match=r"\w"):
        expression({})


def test_only_the_chosen_side_of_a_condition_is_evaluated():
    assert (
        Expression("if(has_code('governorates', c), uncode('governorates', c), 'unknown')", FUNCTIONS)({"c": "99"})
        == "unknown"
    )


@pytest.mark.parametrize(
    "form", ["dd/MM/yyyy", "yyyyMMdd", "yyyy-MM-dd", "d.M.yyyy", "d MMMM yyyy", "MMMM dd، yyyy", "%Y/%m/%d"]
)
@pytest.mark.parametrize("day", ["1990-05-17", "2000-02-29", "0990-01-01", "2026-12-31"])
def test_a_date_is_read_back_from_what_is_written(form, day):
    assert read_date(date_text(day, form), form) == day


@pytest.mark.parametrize(
    ("text", "form"),
    [("31/02/2020", "dd/MM/yyyy"), ("17/05/90", "dd/MM/yyyy"), ("1/1/2020", "dd/MM/yyyy"), ("20201301", "yyyyMMdd"), ("17 Mai 1990", "d MMMM yyyy"), ("17/05/1990 ", "yyyyMMdd"), ("00/00/0000", "dd/MM/yyyy")],
)  # fmt: skip
def test_a_date_that_does_not_exist_or_fit_is_refused(text, form):
    with pytest.raises(ValueError, match=r"the (day|text|month)"):
        read_date(text, form)


@pytest.mark.parametrize(
    "form",
    [
        "dd/MM/yy",
        "dd/MM",
        "yyyy-MM-dd HH",
        "dd/MM/yyyy/dd",
        "hello",
        "%c",
        "%s",
        "",
        "yyyy-MM-MMMM-dd",
        "dd/MM/yyyy" + "/" * 60,
    ],
)
def test_a_format_of_dates_that_cannot_be_read_is_refused_at_load(form):
    for function in ("date", "iso_date"):
        with pytest.raises(ValueError, match=r"format|date has no time"):
            Expression(f"{function}(a, '{form}')", FUNCTIONS)


DATE_TIME = "yyyy-MM-ddTHH:mm:ss[.S][XXX]"  # all that XML Schema allows, but for the hour 24


@pytest.mark.parametrize("text", ["1990-05-17", "1990-05-17Z", "1990-05-17+03:00"])
def test_a_date_of_xml_schema_is_the_same_day_with_its_zone(text):
    assert read_date(text, "yyyy-MM-dd[XXX]") == "1990-05-17"
    assert date_text("1990-05-17", "yyyy-MM-dd[XXX]") == "1990-05-17"


@pytest.mark.parametrize(("moment", "text"), [("2026-03-01T08:00:00Z", "2026-03-01T11:00:00+03:00"), ("2026-03-01T08:00:00.25Z", "2026-03-01T11:00:00.250+03:00")])  # fmt: skip
def test_a_moment_is_written_with_a_fraction_only_where_it_has_one(moment, text):
    assert moment_text(moment, DATE_TIME, "+03:00") == text


@pytest.mark.parametrize(
    ("text", "form", "zone", "moment"),
    [
        ("01/03/2026 11:00", "dd/MM/yyyy HH:mm", "+03:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T11:00:00.250+0300", "yyyy-MM-ddTHH:mm:ss.SSSXX", "UTC", "2026-03-01T08:00:00.250Z"),
        ("2026-03-01T08:00:00Z", "yyyy-MM-ddTHH:mm:ssXXX", "+03:00", "2026-03-01T08:00:00Z"),
        ("٢٠٢٦٠٣٠١", "yyyyMMdd", "UTC", "2026-03-01T00:00:00Z"),
        ("2026-03-01T11:00:00.2501239+03:00", DATE_TIME, "UTC", "2026-03-01T08:00:00.250Z"),
        ("2026-03-01T08:00:00.5Z", DATE_TIME, "+03:00", "2026-03-01T08:00:00.500Z"),
        ("2026-03-01T11:00:00", DATE_TIME, "+03:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T08:00:00Z", DATE_TIME, "+03:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01 11:00:00", "%Y-%m-%d %H:%M:%S", "Asia/Damascus", "2026-03-01T08:00:00Z"),
        ("2021-07-01 11:00:00", "%Y-%m-%d %H:%M:%S", "Asia/Damascus", "2021-07-01T08:00:00Z"),
        ("2021-12-01 11:00:00", "%Y-%m-%d %H:%M:%S", "Asia/Damascus", "2021-12-01T09:00:00Z"),
    ],
)  # fmt: skip
def test_a_time_is_read_in_its_zone(text, form, zone, moment):
    assert read_moment(text, form, zone) == moment


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2021-03-26 00:30:00", "Asia/Damascus"), ("2021-10-28 23:30:00", "Asia/Damascus"), ("2021-10-28 24:30:00", "UTC"), ("2021-10-28 10:30:00", "Asia/Nowhere"), ("2021-10-28 10:30:00", "+99:00"), ("2021-10-28 10:30:00", "../etc/passwd")],
)  # fmt: skip
def test_a_time_that_is_no_moment_is_refused(text, zone):
    """Clocks went forward at midnight in March 2021 and back in October: one is skipped, the other shown twice."""
    with pytest.raises(ValueError, match=r"clocks|exist|zone|offset"):
        read_moment(text, "yyyy-MM-dd HH:mm:ss", zone)


def test_a_moment_without_its_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        moment_text("2026-03-01T08:00:00", "dd/MM/yyyy", "UTC")
    with pytest.raises(ValueError, match="moment"):
        moment_text("yesterday", "dd/MM/yyyy", "UTC")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("later_date('2024-02-29', `12`, `0`)", "2025-02-28"),
        ("later_date('2026-01-01', `-1`, `0`)", "2025-12-01"),
        ("later_date('2026-12-31', `0`, `1`)", "2027-01-01"),
    ],
)
def test_a_date_is_moved_by_months_and_days(text, found):
    assert Expression(text, FUNCTIONS)({}) == found


@pytest.mark.parametrize(
    "text",
    ["later_date('2026-02-30', `1`, `0`)", "later_date('9999-12-31', `0`, `1`)", "later_date('0001-01-01', `-1`, `0`)",
     "later_date('2026-01-01', `0`, `99999999999`)"],
)  # fmt: skip
def test_a_date_that_leaves_the_calendar_is_refused(text):
    with pytest.raises(ValueError, match=r"day does not exist|outside of the calendar"):
        Expression(text, FUNCTIONS)({})


def test_months_have_twelve_different_names():
    assert len(set(MONTHS)) == 12


@pytest.mark.parametrize("unit", ["minor", "major", "whole"])
@pytest.mark.parametrize("denomination", ["SYP-new", "SYP-old"])
def test_money_is_read_back_from_what_is_written(denomination, unit):
    money = money_from("123400", "SYP", denomination, unit)

    assert money_from(amount_as(money, unit), "SYP", denomination, unit) == money
    assert money_from(123400, "SYP", denomination, unit) == money


def test_money_of_a_decimal_is_exact():
    assert money_from(Decimal("25.50"), "SYP", "SYP-new", "major").amount_minor == 2550


@pytest.mark.parametrize(
    ("text", "parts", "found"),
    [
        ("سامر خليل العينة", "given father family", ["سامر", "خليل", "العينة"]),
        ("  عبد   الرحمن نور الدين آل الأسعد ", "given father family", ["عبد الرحمن", "نور الدين", "آل الأسعد"]),
        ("أبو بكر عطا الله الحلبي", "given father family", ["أبو بكر", "عطا الله", "الحلبي"]),
        ("Abdul Rahman Khalil Al Aswad", "given father family", ["Abdul Rahman", "Khalil", "Al Aswad"]),
        ("a b c d", "given family+", ["a", "b c d"]),
    ],
)
def test_a_name_is_taken_apart_with_its_compounds_together(text, parts, found):
    assert list(split_name(text, parts).values()) == found
    assert join_name(split_name(text, parts), parts.rstrip("+")) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "parts"),
    [("سامر العينة", "given father family"), ("a b c d", "given father family"), ("سامر خليل عبد", "given father family"), ("", "given"), ("a b", "given given"), ("a", "Given"), ("a", "given+ family")],
)  # fmt: skip
def test_a_name_of_another_number_of_parts_is_refused_not_guessed(text, parts):
    with pytest.raises(ValueError, match=r"part|compound"):
        split_name(text, parts)

"""Calls that are prepared at load: they give and refuse what the same call gives and refuses that is not."""

from decimal import Decimal

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.visitor import Options

from mappings.date_forms import date_reader, date_writer, moment_reader
from mappings.dates import date_text, moment_text, read_date, read_moment
from mappings.expression import UNFIT, Expression, unfit
from mappings.functions import MappingFunctions, documented
from mappings.money import denominations, money_from, money_reader
from mappings.names import join_name

FUNCTIONS = MappingFunctions({})
DOCUMENTED = {entry.name: entry for entry in documented(MappingFunctions)}

FEE = {"amount_minor": 2500, "currency": "SYP", "denomination": "SYP-new"}
VALUES = [
    None, True, False, 0, 7, -3, 1.5, Decimal("1.0"), Decimal(2500), 10**15, "", " ", "x", "aleppo", "02", "٠٢", "Y", "N", b"%PDF",
    "1990-05-17", "1990-02-30", "19900517", "17/05/1990", "١٧/٠٥/١٩٩٠", "31/02/1990", " 17/05/1990", "17/05/1990 ", "17-05/1990",
    "2026-03-01T08:00:00Z", "2026-03-01T11:00:00+03:00", "2026-03-01T24:00:00Z", "2026-03-01T08:00:00", "2026-03-01T08:00:00.25+03:00", "2026-03-01T08:00:00.5", "1990-05-17+03:00",
    "99000000500", "٩٩٠٠٠٠٠٠٥٠٠", " 99000000500 ", "9900000050", "+963930000555", "+96393000055٥", "0930 000 555", "963930000555", "+963830000555",
    "25", "25.0", "25.00", "25.000", "٢٥٫٠٠", "025", "0", "0.00", "-1", "1e3", "1234567890123456", "2PLYs9mE2YU=", "سامر خليل العينة", "عبد الله خليل العينة",
    [], ["a", "b"], [["a"]], {}, {"given": "سامر", "father": " خليل  ", "family": "آل\u00a0العينة"}, {"given": "سامر", "family": 1}, {"given": ""}, FEE, {**FEE, "amount_minor": "1"}, {**FEE, "currency": "USD"},
]  # fmt: skip
#: The constants that a function is called with, where its own example does not show enough.
CONSTANTS: dict[str, list[tuple[str | int, ...]]] = {
    "date": [("yyyy/MM/dd[XXX]",), ("dd/MM/yyyy",), ("yyyyMMdd",), ("d MMMM yyyy",), ("yyyy-MM-dd",)],
    "iso_date": [("yyyy-MM-dd[XXX]",), ("dd/MM/yyyy",), ("yyyyMMdd",), ("d.M.yyyy",), ("yyyy-MM-dd",)],
    "datetime": [("yyyy-MM-ddTHH:mm:ssXXX", "+03:00"), ("dd/MM/yyyy", "Nowhere")],
    "iso_datetime": [("yyyy-MM-ddTHH:mm:ss[.S][XXX]", "Asia/Damascus"), ("yyyy-MM-ddTHH:mm:ss[.S]XXX", "UTC"), ("yyyy-MM-ddTHH:mm:ssXXX", "UTC"), ("yyyy-MM-dd", "+03:00"), ("dd/MM/yyyy", "Asia/Damascus"), ("yyyyMMdd", "+99:00")],
    "later_date": [(12, -1), (1, 0), (10**6, 0), ("1", 0)],
    "join_name": [("given father family",), ("family",), ("Given!",)],
    "split_name": [("given father family",), ("given family+",), ("given given",)],
    "mobile": [("e164",), ("international",), ("local",), ("other",)],
    "money": [("SYP-new", "whole"), ("SYP-old", "major"), ("USD", "minor"), ("XXX", "minor"), ("SYP-new", "pennies")],
    "money_of": [("SYP-new", "whole"), ("SYP-old", "major"), ("SYP-new", "minor"), ("XXX", "minor"), ("SYP-new", "pennies")],
    "code": [("governorates",), ("governorates.iso",)],
    "uncode": [("governorates",), ("governorates.iso",)],
    "has_code": [("governorates",), ("governorates.iso",)],
    "flag": [("Y", "N")],
    "unflag": [("Y", "N"), ("Y", "Y")],
    "pad": [(12, "0"), (12, "00"), (True, "0"), ("12", "0")],
    "remove": [("-/",), ("",), (3,)],
    "split": [(" ",), ("",)],
    "substring": [(0, 2), (1, 0), (-1, 2), ("0", 2)],
}  # fmt: skip


def _literal(constant: str | int) -> str:
    return f"`{str(constant).lower()}`" if isinstance(constant, int) else f"'{constant}'"


def _call(name, constants):
    words = [_literal(constant) for constant in constants]
    words.insert(1 if DOCUMENTED[name].arguments[0] == "table" else 0, "a")
    return f"{name}({', '.join(words)})"


CALLS = [_call(name, constants) for name in DOCUMENTED if name != "if" for constants in CONSTANTS.get(name, [()])]


def _outcome(evaluate, *given):
    try:
        return repr(evaluate(*given))
    except UNFIT as error:
        return f"refused: {unfit(error)}"


@pytest.mark.parametrize("text", CALLS)
def test_a_call_with_constants_means_what_the_interpreter_means(text):
    """Values, and the sentences of refusals, word for word."""
    search, compiled = jmespath.compile(text).search, Expression(text, FUNCTIONS).evaluate
    for value in VALUES:
        expected = _outcome(search, {"a": value}, Options(custom_functions=FUNCTIONS))

        assert _outcome(compiled, {"a": value}) == expected, value


def test_every_function_is_called_with_as_many_constants_as_it_takes():
    taken = {jmespath.compile(text).parsed["value"]: jmespath.compile(text).parsed["children"] for text in CALLS}

    assert set(taken) == set(DOCUMENTED) - {"if"}
    assert [name for name, given in taken.items() if len(given) != len(DOCUMENTED[name].arguments)] == []


@pytest.mark.parametrize("text", ["contains(['02', 'x'], a)", "contains(['02'], a)", "contains([b, 'x'], a)"])
def test_a_list_of_constants_contains_what_the_interpreter_finds_in_it(text):
    parsed, compiled = jmespath.compile(text), Expression(text, FUNCTIONS).evaluate
    for value in VALUES:
        assert compiled({"a": value}) == parsed.search({"a": value}), value
    assert _outcome(compiled, None).startswith("refused")
    assert _outcome(parsed.search, None).startswith("refused")


DATES = [
    "dd/MM/yyyy",
    "yyyyMMdd",
    "yyyy-MM-dd",
    "%Y/%m/%d",
    "yyyy MM.dd",
    "d/M/yyyy",
    "yyyy-MM-dd[XXX]",
    "[XXX]ddMMyyyy",
    "MMMM dd yyyy",
    "ddTMM٫yyyy",
]
MOMENTS = ["yyyy-MM-ddTHH:mm:ss[.S][XXX]", "yyyy-MM-ddTHH:mm:ss[.S]XXX", "yyyy-MM-ddTHH:mm:ss[XXX][.S]", "HH:mm:ss[.S] yyyy-MM-dd", "yyyy-MM-ddTHH:mm:ssXXX", "yyyyMMddHHmmss", "dd/MM/yyyy HH:mm", "yyyy-MM-dd HH:mm:ssXX", "yyyy-MM-ddTHH:mm:ss.SSSXXX", "dd/MM/yyyy", "HH dd MM yyyyXXX"]  # fmt: skip
ZONES = ["UTC", "+03:00", "-1130", "Asia/Damascus", "+99:00", "Nowhere"]
SPOILT = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([*"09٣ -+:ZT/24", ""])), max_size=2)


def _spoil(text, changes):
    for place, character in changes:
        text = text[:place] + character + text[place + 1 :]
    return text


@settings(max_examples=250)
@given(st.dates(), st.sampled_from(DATES), SPOILT)
def test_a_date_in_a_known_format_is_read_and_written_as_in_any_other(day, form, changes):
    canonical = day.isoformat()
    written = _spoil(date_text(canonical, form), changes)

    assert _outcome(date_reader(form), written) == _outcome(read_date, written, form)
    for text in (canonical, _spoil(canonical, changes)):
        assert _outcome(date_writer(form), text) == _outcome(date_text, text, form)


@settings(max_examples=250)
@given(st.datetimes(), st.sampled_from(MOMENTS), st.sampled_from(ZONES), st.sampled_from(ZONES[:3]), SPOILT)
def test_a_moment_in_a_known_format_and_zone_is_read_as_in_any_other(moment, form, zone, written_in, changes):
    try:
        written = moment_text(f"{moment.isoformat(timespec='seconds')}Z", form, written_in)
    except OverflowError:
        return  # the zone would show a year before 1 or after 9999

    bare = written[: -len("+00:00")]
    for text in (written, written.replace("+00:00", "Z"), bare, f"{bare}.25", _spoil(written, changes)):
        assert _outcome(moment_reader(form, zone), text) == _outcome(read_moment, text, form, zone)


@given(
    st.one_of(st.from_regex(r"[0-9]{1,16}(\.[0-9]{0,3})?", fullmatch=True), st.sampled_from(["٢٥٫٠٠", "", "-1", "1 "])),
    st.sampled_from(sorted(denominations())),
    st.sampled_from(["minor", "major", "whole"]),
)
def test_an_amount_in_a_known_denomination_is_read_as_in_any_other(amount, denomination, unit):
    currency = denominations()[denomination].currency
    expected = _outcome(lambda: money_from(amount, currency, denomination, unit).amount_minor)

    assert _outcome(money_reader(denomination, unit), amount) == expected


@given(st.dictionaries(st.sampled_from(["given", "father", "family"]), st.text(" \t\u00a0\u2003سامرab", max_size=8)))
def test_a_joined_name_has_its_words_in_order_with_one_space_between(name):
    words = [word for part in ("given", "father", "family") for word in name.get(part, "").split()]

    assert join_name(name, "given father family") == " ".join(words)

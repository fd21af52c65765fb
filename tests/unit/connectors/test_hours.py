"""Opening hours: asked with a moment, in the institution's own zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.hours import OpeningHours
from connectors.registry import ManifestError, find_packages
from tests.unit.connectors.packages import ANSWER, MANIFEST, office, write_package

#: Monday to Thursday and Sunday, as ministries in Damascus work (UTC+3 all year since October 2022).
WEEK = [["08:00-15:30"]] * 4 + [[], [], ["08:00-12:00", "12:30-15:30"]]
MINISTRY = OpeningHours.read("Asia/Damascus", WEEK, [date(2026, 3, 8)])


def _utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_open", "opening"),
    [
        ("2026-03-02 04:59", False, "2026-03-02 05:00"),  # a Monday, 07:59 in Damascus
        ("2026-03-02 05:00", True, "2026-03-02 05:00"),
        ("2026-03-02 12:29", True, "2026-03-02 12:29"),
        ("2026-03-02 12:30", False, "2026-03-03 05:00"),
        ("2026-03-05 20:00", False, "2026-03-09 05:00"),  # Thursday evening; Sunday the 8th is a holiday
        ("2026-03-01 09:15", False, "2026-03-01 09:30"),  # Sunday's break at noon
        ("2026-03-07 22:30", False, "2026-03-09 05:00"),  # already the 8th in Damascus
    ],
)
def test_a_moment_is_open_or_has_a_next_opening(now, is_open, opening):
    assert MINISTRY.open_at(_utc(now)) is is_open
    assert MINISTRY.next_opening(_utc(now)) == _utc(opening)


def test_a_night_is_written_as_two_days():
    night = OpeningHours.read("UTC", [["20:00-24:00"], ["00:00-06:00"], [], [], [], [], []])
    assert [night.open_at(_utc(f"2026-03-0{day} {time}")) for day, time in [(2, "23:59"), (3, "00:00"), (3, "05:59"), (3, "06:00")]] == [True, True, True, False]  # fmt: skip


def test_where_the_clock_is_put_forward_the_day_opens_after_the_gap():
    berlin = OpeningHours.read("Europe/Berlin", [[]] * 6 + [["02:30-10:00"]])
    assert berlin.next_opening(_utc("2026-03-29 00:00")) == _utc("2026-03-29 01:30")  # 02:30 does not exist: 03:30
    assert berlin.open_at(_utc("2026-03-29 07:59"))
    assert not berlin.open_at(_utc("2026-03-29 08:00"))


def test_what_never_opens_again_has_no_next_opening():
    start = date(2026, 1, 1)
    closed = OpeningHours.read("UTC", WEEK, [start + timedelta(days=n) for n in range(500)])
    assert closed.next_opening(_utc("2026-01-01 00:00")) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_opening_is_open_and_nothing_before_it_is(now):
    opening = MINISTRY.next_opening(now)
    assert opening is not None
    assert MINISTRY.open_at(opening)
    assert MINISTRY.open_at(now) == (opening == now)
    if opening != now:
        assert not MINISTRY.open_at(now + (opening - now) / 2)


@pytest.mark.parametrize(
    ("zone", "day", "sentence"),
    [
        ("Asia/Nowhere", ["08:00-09:00"], "there is no time zone Asia/Nowhere"),
        ("../../etc/passwd", ["08:00-09:00"], "there is no time zone"),
        ("UTC", ["09:00-08:00"], "09:00-08:00 ends before it begins"),
        ("UTC", ["08:00-10:00", "09:00-11:00"], "opening times overlap"),
        ("UTC", ["8-9"], "8-9 is not written as 08:00-15:30"),
        ("UTC", [], "no day has opening times"),
    ],
)
def test_wrong_hours_are_one_sentence(zone, day, sentence):
    with pytest.raises(ValueError, match=sentence):
        OpeningHours.read(zone, [day] + [[]] * 6)


HOURS = '[hours]\nzone = "Asia/Damascus"\nholidays = [2026-03-08]\n[hours.week]\nsunday = ["08:00-15:30"]\n'
LOOK = '[operations.look]\nwire = "GET /acts"\nrole = "check"\neffect = "safe"\n'
ALWAYS = '[operations.ask]\nwire = "GET /asks"\nrole = "check"\neffect = "safe"\nhours = "always"\n'


def test_the_operations_of_a_manifest_have_its_hours(tmp_path):
    folder = write_package(
        tmp_path, manifest=MANIFEST + HOURS + LOOK + ALWAYS, mappings={"look": ANSWER, "ask": ANSWER}
    )
    operations = office(folder, base_url="http://127.0.0.1:1").operations
    assert operations["ask"].hours is None
    hours = operations["look"].hours
    assert hours is not None
    assert hours.open_at(_utc("2026-03-01 09:00"))
    assert not hours.open_at(_utc("2026-03-08 09:00"))


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        (HOURS.replace("Damascus", "Nowhere"), "office/manifest.toml:11: hours.zone: there is no time zone Asia/Nowhere"),
        (HOURS.replace("15:30", "07:30"), "office/manifest.toml:13: hours.week: 08:00-07:30 ends before it begins"),
        (HOURS.replace("[2026-03-08]", '["yesterday"]'), "office/manifest.toml:12: hours.holidays[0]: "),
        (HOURS.replace("sunday", "sun"), "office/manifest.toml:14: hours.week.sun: unknown key"),
        (LOOK.replace("look", "other").replace('"safe"', '"safe"\nhours = "always"'), "operations.other.hours: the manifest has no table hours"),
    ],
)  # fmt: skip
def test_wrong_hours_of_a_manifest_are_one_sentence_with_line_and_key(tmp_path, hours, sentence):
    folder = write_package(tmp_path, manifest=MANIFEST + hours + LOOK, mappings={"look": ANSWER, "other": ANSWER})
    with pytest.raises(ManifestError) as caught:
        find_packages([folder])
    assert sentence in str(caught.value)

"""When an operation may be called: hours of the package, the calendar's own, holidays and planned outages."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.kit.hours import OpeningHours
from gateway.lanes.calendar import ALWAYS, CalendarError, CalendarFile, load_calendar
from gateway.settings import CONFIG_FOLDER
from tests.unit.gateway.lanes.lanes import LANE, Time, lanes_of

KNOWN = {"ministry": {"submit", "inquire"}}
DAYS = OpeningHours.read("Asia/Damascus", [["08:00-15:30"]] * 4 + [[], [], ["08:00-15:30"]])  # Sunday to Thursday


def damascus(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026; the 25th is a Wednesday. Damascus is three hours ahead of UTC, all year."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=3)


def calendar_of(tmp_path: Path, text: str) -> CalendarFile:
    file = tmp_path / "calendar.toml"
    file.write_text(text, "utf-8")
    return CalendarFile(file, KNOWN)


def opening(tmp_path: Path, text: str, declared=DAYS, operation="submit", *, always=False):
    return calendar_of(tmp_path, text).read().opening("ministry", operation, declared, always=always)


def test_what_comes_with_the_program_changes_nothing():
    shipped = load_calendar(CONFIG_FOLDER / "calendar.toml", {})
    assert shipped.opening("ministry", "submit", None, always=False) is ALWAYS
    assert shipped.opening("ministry", "submit", DAYS, always=False).hours == DAYS


def test_a_holiday_of_all_and_one_of_the_institution_close_the_whole_day(tmp_path):
    found = opening(tmp_path, "holidays = [2026-11-25]\n[institutions.ministry]\nholidays = [2026-11-26]")
    window = found.window(damascus(25, 10))
    assert not window.open
    assert window.begins == damascus(24, 15, 30)
    assert window.ends == damascus(29, 8)  # Friday and Saturday follow


def test_the_calendars_week_stands_in_place_of_the_packages(tmp_path):
    found = opening(tmp_path, '[institutions.ministry.week]\nwednesday = ["09:00-10:00"]')
    assert [found.window(damascus(25, hour)).open for hour in (8, 9, 10)] == [False, True, False]


def test_a_planned_outage_closes_what_works_day_and_night_and_only_the_operations_it_names(tmp_path):
    text = """
    [[institutions.ministry.outages]]
    from = 2026-11-25T20:00:00
    to = 2026-11-26T06:00:00+03:00
    operations = ["submit"]
    reason.ar = "صيانة"
    reason.en = "Maintenance"
    """
    found = opening(tmp_path, text, None, always=True)
    window = found.window(damascus(25, 22))
    assert (window.open, window.begins, window.ends) == (False, damascus(25, 20), damascus(26, 6))
    assert found.outage_at(damascus(25, 22)).reason["en"] == "Maintenance"
    assert opening(tmp_path, text, None, "inquire") is ALWAYS
    before = found.window(damascus(25, 19))
    assert (before.open, before.ends) == (True, damascus(25, 20))


def test_closed_time_is_counted_off_and_an_end_is_found_beyond_it(tmp_path):
    found = opening(tmp_path, "")
    friday = damascus(26, 15), damascus(29, 9)  # Thursday 15:00 to Sunday 09:00
    assert found.open_seconds(*friday) == 1.5 * 3600
    assert found.after(damascus(26, 15), 3600) == damascus(29, 8, 30)
    assert ALWAYS.after(damascus(26, 15), 60) == damascus(26, 15, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zone = 'Asia/Nowhere'", "zone: there is no time zone Asia/Nowhere"),
        ("holidays = ['2026-11-25']", "holidays[1]: a date is expected, written as 2026-04-17"),
        ("holidays = [2026-11-25T00:00:00]", "holidays[1]: a date is expected"),
        ("[institutions.minstry]", "institutions.minstry: there is no connector of this name"),
        (
            "[institutions.ministry]\nopen = true",
            "institutions.ministry.open: unknown key (known: holidays, outages, week)",
        ),
        (
            "[institutions.ministry.week]\nsunday = ['8-15']",
            "institutions.ministry.week: 8-15 is not written as 08:00-15:30",
        ),
        (
            "[[institutions.ministry.outages]]\nfrom = 2026-11-25T20:00:00\nto = 2026-11-25T19:00:00",
            "institutions.ministry.outages[1]: it ends before it begins",
        ),
        (
            "[[institutions.ministry.outages]]\nfrom = 2026-11-25\nto = 2026-11-26T19:00:00",
            "institutions.ministry.outages[1].from: a date and time is expected",
        ),
        (
            "[[institutions.ministry.outages]]\nfrom = 2026-11-25T20:00:00\nto = 2026-11-26T19:00:00\noperations=['x']",
            "institutions.ministry.outages[1].operations: the connector has no operation x",
        ),
        ("zone = ", ": not TOML: "),
    ],
)
def test_a_wrong_calendar_is_one_sentence_with_file_and_key(tmp_path, text, sentence):
    with pytest.raises(CalendarError) as raised:
        calendar_of(tmp_path, text).read()
    assert str(raised.value).startswith(f"{tmp_path / 'calendar.toml'}: ")
    assert sentence in str(raised.value)


def test_a_running_server_keeps_to_a_changed_file_and_not_to_a_wrong_one(tmp_path):
    time = Time(damascus(25, 10))
    file = calendar_of(tmp_path, "")
    lanes = lanes_of(time, calendar=file.read(), hours=DAYS)
    assert file.read_again() is None
    assert lanes.is_open(LANE)
    (tmp_path / "calendar.toml").write_text("holidays = [2026-11-25]", "utf-8")
    changed = file.read_again()
    assert changed is not None
    lanes.keep_to(changed)
    assert (lanes.is_open(LANE), lanes.opens_at(LANE)) == (False, damascus(26, 8))
    assert not lanes.try_enter(LANE)
    (tmp_path / "calendar.toml").write_text("holidays = [1]", "utf-8")
    with pytest.raises(CalendarError):
        file.read_again()


def test_a_lane_opens_and_closes_on_the_minute_and_begins_with_a_tenth_of_its_places(tmp_path):
    time = Time(damascus(25, 7, 59))
    lanes = lanes_of(time, hours=DAYS)
    assert lanes.enter_all(LANE) == 0
    time.wait(60)
    assert lanes.enter_all(LANE) == 1
    time.wait(50)  # half of the ramp
    assert lanes.enter_all(LANE) == 4
    time.wait(50)
    assert lanes.enter_all(LANE) == 5
    time.wait(7.5 * 3600)
    assert not lanes.is_open(LANE)

"""When schedules are due: the same moments on every node, and all of those that were missed."""

from datetime import UTC, datetime

import pytest

from scheduler.times import At, Every, Missed


def moment(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_every_node_means_the_same_moments():
    ten = Every(10)
    assert [ten.after(each) for each in (0, 9_999, 10_000, 123_456)] == [10_000, 10_000, 20_000, 130_000]
    assert ten.until(10_000, 45_000) == Missed(10_000, 30_000, 40_000, 4)
    assert ten.until(10_000, 10_000) == Missed(10_000, None, 10_000, 1)


def test_a_year_of_missed_seconds_is_counted_at_once():
    assert Every(0.5).until(0, 31_536_000_000) == Missed(0, 31_535_999_500, 31_536_000_000, 63_072_001)


def test_a_line_of_crontab_goes_by_the_wall_clock_of_its_zone():
    morning = At("30 6 * * sun,mon", "Asia/Damascus")
    first = morning.after(moment("2026-11-25T00:00:00+00:00"))  # a Wednesday
    assert datetime.fromtimestamp(first / 1000, UTC) == datetime(2026, 11, 29, 3, 30, tzinfo=UTC)
    missed = morning.until(first, moment("2026-12-07T12:00:00+00:00"))
    assert (missed.count, missed.last) == (4, moment("2026-12-07T06:30:00+03:00"))
    assert missed.before_last == moment("2026-12-06T06:30:00+03:00")


@pytest.mark.parametrize("line", ["", "6", "61 * * * *", "0 6 * * 0", "0 6 31 2 *", "0 6 * * someday"])
def test_what_names_no_moment_is_refused(line):
    with pytest.raises(ValueError):
        At(line, "Asia/Damascus")

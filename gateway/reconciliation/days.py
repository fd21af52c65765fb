"""Days as an institution counts them: their bounds, what they touch, and how old a break is in business days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: How far an institution's clock may be from ours without a word about it.
SKEW_MS = 15 * 60_000
_WEEKEND = frozenset({4, 5})  #: Friday and Saturday.
#: Upper end of each bucket of age, in business days.
_BUCKETS = ((0, "0"), (1, "1"), (3, "2-3"), (7, "4-7"), (30, "8-30"))


def bounds(day: date, zone: str) -> tuple[int, int]:
    """The first millisecond of the day and that of the next, since 1970 UTC."""
    return _start(day, zone), _start(day + timedelta(days=1), zone)


def _start(day: date, zone: str) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp() * 1000)


def day_of(milliseconds: int, zone: str) -> date:
    """The day of a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def days_touched(sent_at: int, deadline_seconds: float, zone: str) -> tuple[date, ...]:
    """The days on which the institution may have booked what was sent then, its clock being a little wrong."""
    first = day_of(sent_at - SKEW_MS, zone)
    last = day_of(sent_at + int(deadline_seconds * 1000) + SKEW_MS, zone)
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def business_days(first: date, last: date) -> int:
    """How many working days lie behind `first`, up to `last`; Friday and Saturday are none."""
    days = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
    return sum(day.weekday() not in _WEEKEND for day in days)


def bucket_of(age: int) -> str:
    """The bucket of an age in business days."""
    return next((name for most, name in _BUCKETS if age <= most), ">30")

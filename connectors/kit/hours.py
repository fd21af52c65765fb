"""When an institution's service works: a weekly table with its zone and holidays, asked with a given moment.

Pure: the moment comes from outside, as aware time.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TIMES = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
#: Nothing that is closed for longer is a service; it bounds the search for the next opening.
LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A week of opening times in minutes since midnight, Monday first, and the dates on which nothing opens."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[int, int], ...], ...]
    holidays: frozenset[date] = frozenset()

    @classmethod
    def read(cls, zone: str, days: Sequence[Sequence[str]], holidays: Collection[date] = ()) -> "OpeningHours":
        """From seven days of texts like `08:00-15:30`, Monday first. Raises ValueError."""
        try:
            found = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {zone}") from error
        week = tuple(_day(times) for times in days)
        if not any(week):
            raise ValueError("no day has opening times")
        return cls(found, week, frozenset(holidays))

    def open_at(self, now: datetime) -> bool:
        """Whether it works at this moment."""
        return any(opening <= now < closing for opening, closing in self.spans(now, 0, 0))

    def next_opening(self, now: datetime) -> datetime | None:
        """The moment from which it works: now when it is open, else the next opening (UTC); None when none comes."""
        for opening, closing in self.spans(now, 0, LOOK_AHEAD_DAYS):
            if now < closing:
                return max(opening, now.astimezone(UTC))
        return None

    def spans(self, now: datetime, first: int, last: int) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing (UTC) of the days from `first` to `last`, counted from the moment's own day, in order."""
        today = now.astimezone(self.zone).date()
        for distance in range(first, last + 1):
            day = today + timedelta(days=distance)
            if day not in self.holidays:
                for opening, closing in self.week[day.weekday()]:
                    yield self._moment(day, opening), self._moment(day, closing)

    def _moment(self, day: date, minutes: int) -> datetime:
        """A wall clock time of that day; where the clock is put forward over it, the time after the gap."""
        whole, rest = divmod(minutes, 24 * 60)
        wall = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=self.zone)
        return (wall + timedelta(days=whole)).astimezone(UTC)


def _day(times: Sequence[str]) -> tuple[tuple[int, int], ...]:
    spans = sorted(_span(text) for text in times)
    if any(left[1] > right[0] for left, right in pairwise(spans)):
        raise ValueError(f"opening times overlap: {', '.join(times)}")
    return tuple(spans)


def _span(text: str) -> tuple[int, int]:
    match = _TIMES.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not written as 08:00-15:30")
    hours = [int(part) for part in match.groups()]
    opening, closing = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if opening >= closing or closing > 24 * 60:
        raise ValueError(f"{text} ends before it begins; a night is written as two days")
    return opening, closing

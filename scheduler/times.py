"""When a schedule is due: every so many seconds, or by the calendar; the same moments on every node.

Moments are milliseconds since 1970 UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

#: More ticks than that are not counted one by one: a schedule by the calendar that was down for decades.
_MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Missed:
    """The ticks up to now; `first` and `last` are the same for one."""

    first: int
    before_last: int | None  #: None for one.
    last: int
    count: int


class Times(Protocol):
    """The moments of one schedule."""

    def after(self, moment: int) -> int:
        """The first tick after that moment."""

    def until(self, first: int, now: int) -> Missed:
        """The ticks from `first`, which is one, up to now."""


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many seconds since 1970, so that every node means the same moments."""

    seconds: float

    def __str__(self) -> str:
        return f"every {self.seconds:g} s"

    def after(self, moment: int) -> int:
        """The first tick after that moment."""
        return moment - moment % self._step + self._step

    def until(self, first: int, now: int) -> Missed:
        """The ticks from `first` up to now."""
        count = (now - first) // self._step + 1
        last = first + (count - 1) * self._step
        return Missed(first, last - self._step if count > 1 else None, last, count)

    @property
    def _step(self) -> int:
        return max(1, round(self.seconds * 1000))


class At:
    """By a line as in crontab(5): minute, hour, day of the month, month, day of the week, by a zone's wall clock.

    Days of the week are written by name: crontab's 0 is Sunday, and the library's is Monday.
    """

    def __init__(self, line: str, zone: str) -> None:
        """Raises ValueError for what is no such line."""
        self._line, self._zone = line, zone
        if len(fields := line.split()) == 5 and any(letter.isdigit() for letter in fields[4]):
            raise ValueError("days of the week are written by name: sun, mon, tue, wed, thu, fri, sat")
        self._trigger = CronTrigger.from_crontab(line, timezone=ZoneInfo(zone))
        self.after(0)

    def __str__(self) -> str:
        return f"{self._line} ({self._zone})"

    def after(self, moment: int) -> int:
        """The first tick after that moment. Raises ValueError when none comes."""
        found = self._trigger.get_next_fire_time(None, datetime.fromtimestamp((moment + 1) / 1000, UTC))
        if found is None:
            raise ValueError(f"{self._line} names no moment")
        return int(found.timestamp() * 1000)

    def until(self, first: int, now: int) -> Missed:
        """The ticks from `first` up to now."""
        before, last, count = None, first, 1
        while count < _MOST_COUNTED and (tick := self.after(last)) <= now:
            before, last, count = last, tick, count + 1
        return Missed(first, before, last, count)

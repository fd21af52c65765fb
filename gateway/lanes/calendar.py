"""When an operation of an institution may be called: its opening hours, the holidays and its planned outages, as data.

`config/calendar.toml`, or the file that the setting `calendar_file` names, says what the packages cannot know: hours
that change by circular, official holidays, and outages that an institution announced.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.kit.hours import LOOK_AHEAD_DAYS, OpeningHours
from gateway.service_values import Wrong, both_languages, check_keys, table_of

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)
Span = tuple[datetime, datetime]


class CalendarError(Exception):
    """The calendar is wrong; the message is one sentence with file and key."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which an institution said that it will not work."""

    begins: datetime
    ends: datetime
    operations: frozenset[str] = frozenset()  #: None named: all.
    reason: Mapping[str, str] = field(default_factory=dict)  #: {"ar", "en"}, for clerks.


@dataclass(frozen=True, slots=True)
class Window:
    """The time around a moment in which nothing changes (UTC)."""

    open: bool
    begins: datetime | None  #: None: it was always so.
    ends: datetime | None  #: None: no end is in sight.

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return (self.begins is None or self.begins <= moment) and (self.ends is None or moment < self.ends)


@dataclass(frozen=True, slots=True)
class Opening:
    """When one operation may be called."""

    hours: OpeningHours | None = None  #: None: day and night.
    outages: tuple[Outage, ...] = ()

    def window(self, now: datetime) -> Window:
        """Open or closed at this moment, since when and until when."""
        before: datetime | None = None
        for begins, ends in self.spans(now):
            if now < begins:
                return Window(open=False, begins=before, ends=begins)
            if now < ends:
                return Window(open=True, begins=_known(begins), ends=_known(ends))
            before = ends
        return Window(open=False, begins=before, ends=None)

    def outage_at(self, now: datetime) -> Outage | None:
        """The planned outage of this moment."""
        return next((outage for outage in self.outages if outage.begins <= now < outage.ends), None)

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """How much of the time between two moments it was open."""
        total = 0.0
        for begins, ends in self.spans(start):
            if begins >= end:
                break
            total += max(0.0, (min(ends, end) - max(begins, start)).total_seconds())
        return total

    def after(self, start: datetime, seconds: float) -> datetime | None:
        """The moment at which it was open for so long, counted from `start`; None when that is not in sight."""
        for begins, ends in self.spans(start):
            first = max(begins, start)
            there = max(0.0, (ends - first).total_seconds())
            if seconds < there:
                return first + timedelta(seconds=seconds)
            seconds -= there
        return None

    def spans(self, start: datetime) -> Iterator[Span]:
        """The times in which it is open, from the day before `start` on; what follows without a gap is one."""
        known: Span | None = None
        for begins, ends in self._without_outages(start):
            if known is not None and begins <= known[1]:
                known = (known[0], ends)
                continue
            if known is not None:
                yield known
            known = (begins, ends)
        if known is not None:
            yield known

    def _without_outages(self, start: datetime) -> Iterator[Span]:
        for begins, ends in [(_FIRST, _LAST)] if self.hours is None else self.hours.spans(start, -1, LOOK_AHEAD_DAYS):
            for outage in self.outages:
                if outage.ends <= begins or outage.begins >= ends:
                    continue
                if outage.begins > begins:
                    yield begins, outage.begins
                begins = min(outage.ends, ends)  # noqa: PLW2901  # what is left of the opening
            if begins < ends:
                yield begins, ends


def _known(moment: datetime) -> datetime | None:
    return None if moment in (_FIRST, _LAST) else moment


ALWAYS = Opening()


@dataclass(frozen=True, slots=True)
class Institution:
    """What the calendar says of one institution."""

    hours: OpeningHours | None = None  #: In place of what its package says.
    holidays: frozenset[date] = frozenset()
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """All institutions. Empty, it leaves what the packages say."""

    holidays: frozenset[date] = frozenset()  #: Of all institutions that have opening hours.
    institutions: Mapping[str, Institution] = field(default_factory=dict)

    def opening(self, institution: str, operation: str, declared: OpeningHours | None, *, always: bool) -> Opening:
        """When the operation may be called; `declared` are its package's hours, `always` an operation without any."""
        said = self.institutions.get(institution, Institution())
        hours = None if always else said.hours or declared
        if hours is not None:
            more = self.holidays | said.holidays
            hours = OpeningHours(hours.zone, hours.week, hours.holidays | more) if more else hours
        outages = tuple(each for each in said.outages if not each.operations or operation in each.operations)
        return Opening(hours, outages) if hours or outages else ALWAYS


def load_calendar(file: Path, known: Mapping[str, Collection[str]]) -> Calendar:
    """The calendar of a file; `known` gives the operations of each institution. Raises CalendarError."""
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CalendarError(f"{file}: not TOML: {error}.") from error
    try:
        check_keys(raw, frozenset(), frozenset({"zone", "holidays", "institutions"}), "")
        zone = _zone(raw)
        institutions = table_of(raw.get("institutions", {}), "institutions")
        return Calendar(
            _dates(raw.get("holidays", []), "holidays"),
            {name: _institution(name, each, zone, known) for name, each in institutions.items()},
        )
    except Wrong as wrong:
        raise CalendarError(f"{file}: {wrong}.") from wrong


class CalendarFile:
    """The calendar's file, which people change while the server runs."""

    def __init__(self, file: Path, known: Mapping[str, Collection[str]]) -> None:
        """`known` gives the operations of each institution, set up here or not."""
        self._file, self._known, self._seen = file, known, 0

    def read(self) -> Calendar:
        """Raises CalendarError."""
        self._seen = self._changed()
        return load_calendar(self._file, self._known)

    def read_again(self) -> Calendar | None:
        """The calendar, if the file is another one than was read last. Raises CalendarError."""
        return None if self._changed() == self._seen else self.read()

    def _changed(self) -> int:
        try:
            return self._file.stat().st_mtime_ns
        except OSError as error:
            raise CalendarError(f"{self._file}: it cannot be read: {error.strerror}.") from error


def _zone(raw: Mapping[str, Any]) -> ZoneInfo:
    name = raw.get("zone", "Asia/Damascus")
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Wrong(f"zone: there is no time zone {name}") from error


def _institution(name: str, raw: object, zone: ZoneInfo, known: Mapping[str, Collection[str]]) -> Institution:
    where = f"institutions.{name}"
    if name not in known:
        raise Wrong(f"{where}: there is no connector of this name")
    fields = table_of(raw, where)
    check_keys(fields, frozenset(), frozenset({"week", "holidays", "outages"}), f"{where}.")
    outages = [
        _outage(each, f"{where}.outages[{number}]", zone, known[name])
        for number, each in enumerate(_list(fields.get("outages", []), f"{where}.outages"), start=1)
    ]
    return Institution(
        _week(fields["week"], f"{where}.week", zone) if "week" in fields else None,
        _dates(fields.get("holidays", []), f"{where}.holidays"),
        tuple(sorted(outages, key=lambda outage: outage.begins)),
    )


def _week(raw: object, where: str, zone: ZoneInfo) -> OpeningHours:
    fields = table_of(raw, where)
    check_keys(fields, frozenset(), frozenset(_DAYS), f"{where}.")
    days = [[str(each) for each in _list(fields.get(day, []), f"{where}.{day}")] for day in _DAYS]
    try:
        return OpeningHours.read(zone.key, days)
    except ValueError as error:
        raise Wrong(f"{where}: {error}") from error


def _outage(raw: object, where: str, zone: ZoneInfo, operations: Collection[str]) -> Outage:
    fields = table_of(raw, where)
    check_keys(fields, frozenset({"from", "to"}), frozenset({"operations", "reason"}), f"{where}.")
    begins, ends = (_moment(fields[key], f"{where}.{key}", zone) for key in ("from", "to"))
    if ends <= begins:
        raise Wrong(f"{where}: it ends before it begins")
    named = frozenset(str(each) for each in _list(fields.get("operations", []), f"{where}.operations"))
    if strange := sorted(named - set(operations)):
        raise Wrong(f"{where}.operations: the connector has no operation {strange[0]}")
    reason = both_languages(fields["reason"], f"{where}.reason") if "reason" in fields else {}
    return Outage(begins, ends, named, reason)


def _moment(value: object, where: str, zone: ZoneInfo) -> datetime:
    """A date and time; without an offset it is the calendar's zone's wall clock."""
    if not isinstance(value, datetime):
        raise Wrong(f"{where}: a date and time is expected, written as 2026-12-01T20:00:00")
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _dates(raw: object, where: str) -> frozenset[date]:
    found = _list(raw, where)
    for number, day in enumerate(found, start=1):
        if not isinstance(day, date) or isinstance(day, datetime):
            raise Wrong(f"{where}[{number}]: a date is expected, written as 2026-04-17")
    return frozenset(found)


def _list(raw: object, where: str) -> Sequence[Any]:
    if not isinstance(raw, list):
        raise Wrong(f"{where}: a list is expected")
    return raw

"""Dates and moments in the formats that institutions use, read and written. Nothing is guessed: a day must exist.

A format is written with the letters of the table below (as in `dd/MM/yyyy`), or with the directives `%Y %m %d %H %M %S
%z`; the letter T and everything that is no letter stands for itself. What may be missing stands in brackets, so that
`yyyy-MM-ddTHH:mm:ss[.S][XXX]` reads whatever XML Schema calls a dateTime, and `yyyy-MM-dd[XXX]` a date.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from mappings.arabic import fold, fold_digits

#: The months as Syria names them.
MONTHS = (
    "كانون الثاني", "شباط", "آذار", "نيسان", "أيار", "حزيران",
    "تموز", "آب", "أيلول", "تشرين الأول", "تشرين الثاني", "كانون الأول",
)  # fmt: skip
_MONTH_OF = {fold(name): number for number, name in enumerate(MONTHS, start=1)}

#: Letters -> (part, fixed width or 0, pattern), longest first. An offset of width 1 is left out where there is none.
LETTERS: Mapping[str, tuple[str, int, str]] = {
    "[XXX]": ("offset", 1, r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"),
    "[.S]": ("fraction", 0, r"(?:\.[0-9]{1,12})?"),
    "yyyy": ("year", 4, r"[0-9]{4}"),
    "MMMM": ("month_name", 0, r"[^0-9]+?"),
    "SSS": ("millisecond", 3, r"[0-9]{3}"),
    "XXX": ("offset", 0, r"Z|[+-][0-9]{2}:[0-9]{2}"),
    "MM": ("month", 2, r"[0-9]{2}"),
    "dd": ("day", 2, r"[0-9]{2}"),
    "HH": ("hour", 2, r"[0-9]{2}"),
    "mm": ("minute", 2, r"[0-9]{2}"),
    "ss": ("second", 2, r"[0-9]{2}"),
    "XX": ("plain_offset", 0, r"Z|[+-][0-9]{4}"),
    "M": ("month", 1, r"[0-9]{1,2}"),
    "d": ("day", 1, r"[0-9]{1,2}"),
    "H": ("hour", 1, r"[0-9]{1,2}"),
}
_DIRECTIVES = {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%z": "XX"}
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_ZERO = frozenset({"UTC", "Z"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_FORMAT = 64


@dataclass(frozen=True, slots=True)
class _Format:
    """A format, taken apart once."""

    parts: tuple[tuple[str, int], ...]  #: Part and width; a literal is ("", …) with its text as the part.
    pattern: re.Pattern[str]
    fields: frozenset[str]

    def text(self, moment: datetime) -> str:
        return "".join(
            part[1:] if part.startswith("=") else _written(part, width, moment) for part, width in self.parts
        )

    def read(self, text: str) -> dict[str, str]:
        match = self.pattern.fullmatch(fold_digits(text).strip())
        if match is None:
            raise ValueError("the text is not in the given format")
        return match.groupdict()


def date_text(value: str, form: str) -> str:
    """A date `YYYY-MM-DD` in the format. Raises ValueError."""
    return _date_format(form).text(datetime.combine(_day(value), datetime.min.time()))


def read_date(text: str, form: str) -> str:
    """The date `YYYY-MM-DD` that a text in the format says. Raises ValueError."""
    found = _date_format(form).read(text)
    return _date(found).isoformat()


def moment_text(value: str, form: str, zone: str) -> str:
    """A moment (RFC 3339 with an offset) in the format, as the zone's clock shows it. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("datetime() wants a moment like 2026-03-01T08:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("datetime() wants a moment with its offset, like 2026-03-01T08:00:00Z")
    return _format(form).text(moment.astimezone(_zone(zone)))


def read_moment(text: str, form: str, zone: str) -> str:
    """The moment (RFC 3339, UTC) that a text in the format says in the zone. Raises ValueError."""
    found = _format(form).read(text)
    day = _date(found)
    hour, minute, second = (int(found.get(name) or 0) for name in ("hour", "minute", "second"))
    fraction = found.get("millisecond") or (found.get("fraction") or "").removeprefix(".")
    try:
        clock = time(hour, minute, second, int(fraction[:3].ljust(3, "0")) * 1000)
    except ValueError:
        raise ValueError("the time does not exist") from None
    own = found.get("offset") or found.get("plain_offset")
    moment = _placed(datetime.combine(day, clock), _fixed(own) if own else _zone(zone)).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _placed(local: datetime, zone: tzinfo) -> datetime:
    first, second = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise ValueError("the zone's clocks skip that time or show it twice")
    return first


def _day(value: str) -> date:
    if not _DATE.fullmatch(value):
        raise ValueError("date() wants a date as YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("the day does not exist") from None


def _date(found: Mapping[str, str]) -> date:
    month = found.get("month") or _MONTH_OF.get(fold(found.get("month_name") or ""))
    if month is None:
        raise ValueError("the month's name is not known")
    try:
        return date(int(found["year"]), int(month), int(found["day"]))
    except ValueError:
        raise ValueError("the day does not exist") from None


def _written(part: str, width: int, moment: datetime) -> str:
    match part:
        case "month_name":
            return MONTHS[moment.month - 1]
        case "millisecond":
            return f"{moment.microsecond // 1000:03}"
        case "fraction":
            return f".{moment.microsecond // 1000:03}" if moment.microsecond else ""
        case "offset" | "plain_offset":
            if width and moment.tzinfo is None:
                return ""
            return _offset(moment, ":" if part == "offset" else "")
    return str(getattr(moment, part)).rjust(width, "0")


def _offset(moment: datetime, colon: str) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{colon}{minutes:02}"


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if _OFFSET.fullmatch(name) or name in _ZERO:
        return _fixed(name)
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError("the time zone is not known; +03:00, UTC or a name of the IANA list is expected") from None


def _fixed(text: str) -> tzinfo:
    match = _OFFSET.fullmatch(text)
    if match is None:
        return UTC
    hours, minutes = int(match[2]), int(match[3])
    if hours > 18 or minutes > 59:
        raise ValueError("the offset does not exist")
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if match[1] == "-" else 1))


def later_date(day: str, months: int, days: int) -> str:
    """A date so many months and then days later; a day that the month does not have is its last one.

    Raises ValueError for what is no date `YYYY-MM-DD`, and for a date outside of the calendar.
    """
    begins = date.fromisoformat(read_date(day, "yyyy-MM-dd"))
    year, month = divmod(begins.year * 12 + begins.month - 1 + months, 12)
    if not 1 <= year <= MAXYEAR:
        raise ValueError("the date is outside of the calendar")
    last = monthrange(year, month + 1)[1]
    try:
        return (date(year, month + 1, min(begins.day, last)) + timedelta(days)).isoformat()
    except OverflowError:
        raise ValueError("the date is outside of the calendar") from None


def date_parts(form: str) -> tuple[tuple[str, int], ...]:
    """A date's format taken apart: part and width (0 or 1: it varies), or `=` and a character. Raises ValueError."""
    return _date_format(form).parts


def moment_parts(form: str) -> tuple[tuple[str, int], ...]:
    """As `date_parts`, of a format that may have a time. Raises ValueError."""
    return _format(form).parts


@lru_cache(maxsize=256)
def offset_of(text: str) -> timedelta | None:
    """What `+03:00`, `+0300`, `Z` or `UTC` says; None when it is something else."""
    if not _OFFSET.fullmatch(text) and text not in _ZERO:
        return None
    try:
        return _fixed(text).utcoffset(None)
    except ValueError:
        return None


def check_format(form: str, *, clock: bool) -> None:
    """Raises ValueError when the format cannot be read; `clock` says whether it may have a time."""
    (_format if clock else _date_format)(form)


def _date_format(form: str) -> _Format:
    found = _format(form)
    clocks = found.fields - {"year", "month", "month_name", "day"}
    if clocks - {"offset"} or (clocks and ("offset", 1) not in found.parts):
        raise ValueError("a date has no time; datetime() and iso_datetime() are for moments")
    return found


@lru_cache(maxsize=256)
def _format(form: str) -> _Format:
    if len(form) > _MAX_FORMAT:
        raise ValueError(f"a format has at most {_MAX_FORMAT} characters")
    pieces = list(_pieces(form))
    parts, pattern = [], []
    for text, letters in pieces:
        if letters:
            part, width, expression = LETTERS[letters]
            parts.append((part, width))
            pattern.append(f"(?P<{part}>{expression})")
        else:
            parts.append((f"={text}", 0))
            pattern.append(re.escape(text))
    names = [LETTERS[letters][0] for _, letters in pieces if letters]
    fields = frozenset(names)
    if len(fields) != len(names) or not {"year", "day"} <= fields or len(fields & {"month", "month_name"}) != 1:
        raise ValueError("a format has year (yyyy), month and day, each once")
    return _Format(tuple(parts), re.compile("".join(pattern)), fields)


def _pieces(form: str) -> Iterator[tuple[str, str]]:
    """Literal text and letters, in turn: (text, "") or ("", letters)."""
    rest = form
    while rest:
        directive = rest[:2] if rest[0] == "%" else ""
        letters = _DIRECTIVES.get(directive) or next((known for known in LETTERS if rest.startswith(known)), "")
        if letters:
            rest = rest[len(directive or letters) :]
            yield "", letters
        elif directive or (rest[0].isascii() and rest[0].isalpha() and rest[0] != "T"):
            raise ValueError(f"a format has no {directive or rest[0]!r}; it has {', '.join(LETTERS)} and T")
        else:
            yield rest[0], ""
            rest = rest[1:]

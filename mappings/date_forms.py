"""Dates and moments in a format that is known beforehand: the usual text is taken apart by position.

What is not in that form to the letter (other digits, spaces around it, months by name, fractions, a day that does not
exist) goes the long way through `mappings.dates`, which also says what is wrong. Both ways give the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from mappings.arabic import fold_digits
from mappings.dates import date_parts, date_text, moment_parts, offset_of, read_date, read_moment

Read = Callable[[str], str]
Parts = Sequence[tuple[str, int]]  #: As `mappings.dates` takes a format apart.

_ISO = {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10)}
_CLOCK = ("hour", "minute", "second")
_OFFSETS = {"offset": len("+03:00"), "plain_offset": len("+0300")}
_MISSING = ("offset", 1)  #: An offset that may be missing.


class _Layout(NamedTuple):
    """Where the parts of a format stand, when each has one width."""

    places: Mapping[str, slice]
    literals: Mapping[int, str]  #: Position and character.
    width: int

    def taker(self, names: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
        """Takes these parts (two or more) out of a text."""
        return itemgetter(*(self.places[name] for name in names))

    def frame(self) -> Callable[[str], bool]:
        """Whether the literals stand at their places, in a text that is long enough."""
        wanted = "".join(self.literals.values())
        if not wanted:
            return lambda _: True
        if len(wanted) == 1:  # then an itemgetter gives no tuple
            (place,) = self.literals
            return lambda text: text[place] == wanted
        take, all_of_them = itemgetter(*self.literals), tuple(wanted)
        return lambda text: bool(take(text) == all_of_them)


def _layout(parts: Parts) -> tuple[_Layout | None, Parts]:
    """The layout of a format up to its fraction and offset, and those; no layout when another part varies in width."""
    tail = [part for part in parts if part[0] == "fraction" or part[0] in _OFFSETS]
    front = parts[: len(parts) - len(tail)]
    return (_fixed(front) if [*front, *tail] == [*parts] else None), tail


def _fixed(parts: Parts) -> _Layout | None:
    places: dict[str, slice] = {}
    literals: dict[int, str] = {}
    width = 0
    for part, size in parts:
        if part.startswith("="):
            literals[width] = part[1:]
            width += 1
        elif size > 1:
            places[part] = slice(width, width + size)
            width += size
        else:
            return None
    return _Layout(places, literals, width)


def date_writer(form: str) -> Read:
    """`date_text` in this format. Raises ValueError for a format that cannot be read."""
    parts = date_parts(form)
    layout, _ = _layout(parts)
    if layout is None:
        return lambda value: date_text(value, form)
    front = [(part, size) for part, size in parts if part != "offset"]  # which a date has not
    take = itemgetter(*(_ISO[part] for part, _ in front if part in _ISO))
    pattern = "".join("%s" if part in _ISO else part[1:].replace("%", "%%") for part, _ in front)

    def write(value: str) -> str:
        if len(value) == 10 and value[4] == value[7] == "-" and _is_day(value):
            return str(pattern % take(value))
        return date_text(value, form)

    return write


def date_reader(form: str) -> Read:
    """`read_date` in this format. Raises ValueError for a format that cannot be read."""
    layout, _ = _layout(date_parts(form))
    if layout is None:
        return lambda text: read_date(text, form)
    take, is_framed, width = layout.taker(_ISO), layout.frame(), layout.width

    def read(text: str) -> str:
        text = fold_digits(text)
        if len(text) == width and is_framed(text) and _is_day(found := "-".join(take(text))):
            return found
        return read_date(text, form)

    return read


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)  # of ten characters with two dashes: only digits fit the rest
    except ValueError:
        return False
    return True


def moment_reader(form: str, zone: str) -> Read:
    """`read_moment` in this format and zone (it counts where the text has none). Raises ValueError for the format."""
    layout, tail = _layout(moment_parts(form))
    if layout is None or "millisecond" in layout.places:
        return lambda text: read_moment(text, form, zone)
    size = max((_OFFSETS.get(part, 0) for part, _ in tail), default=0)
    own = offset_of(zone) if not size or _MISSING in tail else None  # none of a zone by its name: it has summer time
    clock = [name for name in _CLOCK if name in layout.places]
    take, is_framed, width = layout.taker([*_ISO, *clock]), layout.frame(), layout.width
    pattern = "%s-%s-%sT" + ":".join("%s" if name in clock else "00" for name in _CLOCK)

    def read(text: str) -> str:
        if len(text) >= width and is_framed(text):
            said = text[width:]
            offset = own if not said else offset_of(said) if size and (len(said) == size or said == "Z") else None
            found = _in_utc(pattern, take(text), offset)
            if found is not None:
                return found
        return read_moment(text, form, zone)

    return read


def _in_utc(pattern: str, parts: tuple[str, ...], offset: timedelta | None) -> str | None:
    """The moment that the parts say at that offset; None when there is none."""
    digits = "".join(parts)
    if offset is None or not digits.isascii() or not digits.isdigit():
        return None
    local = pattern % parts
    try:
        moment = datetime.fromisoformat(local)
        if local[11:13] == "24":  # newer Pythons read it as the next day's 00
            return None
        return f"{(moment - offset).isoformat() if offset else local}Z"
    except (ValueError, OverflowError):
        return None

"""Texts for XSD simple types: built-in types narrowed by facets."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.patterns import texts, xsd_regex

#: Fixed instants, so that a sample is the same each time that it is made.
_FIXED: Mapping[str, str] = {
    "boolean": "true", "date": "2026-01-15", "dateTime": "2026-01-15T08:30:00Z",
    "dateTimeStamp": "2026-01-15T08:30:00Z",
    "time": "08:30:00Z", "gYear": "2026", "gYearMonth": "2026-01", "gMonth": "--01", "gDay": "---15",
    "gMonthDay": "--01-15", "duration": "P1D", "dayTimeDuration": "P1D", "yearMonthDuration": "P1Y",
    "anyURI": "https://example.org/", "language": "ar", "QName": "sample", "NOTATION": "sample",
    "base64Binary": "c2FtcGxl",
    "hexBinary": "73616D706C65", "ENTITY": "sample", "ENTITIES": "sample", "NMTOKENS": "sample", "IDREFS": "sample",
}  # fmt: skip
#: Numbers of persons that begin with 99 belong to nobody.
KNOWN: Mapping[str, str] = {
    "nationalnumber": "99000000500", "nationalid": "99000000500", "nationalidnumber": "99000000500",
    "nid": "99000000500",
    "mobile": "0930000555", "mobilenumber": "0930000555", "msisdn": "963930000555",
}  # fmt: skip
_LEAST: Mapping[str, int | None] = {
    "decimal": None, "integer": None, "nonPositiveInteger": None, "negativeInteger": None, "nonNegativeInteger": 0,
    "positiveInteger": 1, "long": -(2**63), "int": -(2**31), "short": -(2**15), "byte": -128, "unsignedLong": 0,
    "unsignedInt": 0, "unsignedShort": 0, "unsignedByte": 0, "float": None, "double": None,
}  # fmt: skip
_MOST: Mapping[str, int] = {
    "nonPositiveInteger": 0, "negativeInteger": -1, "long": 2**63 - 1, "int": 2**31 - 1, "short": 2**15 - 1,
    "byte": 127,
    "unsignedLong": 2**64 - 1, "unsignedInt": 2**32 - 1, "unsignedShort": 2**16 - 1, "unsignedByte": 255,
}  # fmt: skip
_NAMES = {"NCName", "Name", "NMTOKEN", "ID", "IDREF"}
_BINARY = {"base64Binary", "hexBinary"}
_MOST_LETTERS = 100_000


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A simple type with all its facets; a list has `item`, a union `members`."""

    builtin: str = "string"
    enumeration: tuple[str, ...] | None = None
    patterns: tuple[tuple[str, ...], ...] = ()  #: All groups hold; of a group one alternative.
    length: int | None = None
    min_length: int = 0
    max_length: int | None = None
    least: tuple[str, bool] | None = None  #: The bound, and whether it is allowed itself.
    most: tuple[str, bool] | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    item: "SimpleType | None" = None
    members: tuple["SimpleType", ...] = ()

    def sample(self, name: str) -> str:
        """A text of the type; free text says `name`. Raises NoSample."""
        candidate: str | None = None
        for candidate in self.candidates(name):
            if self.accepts(candidate):
                return candidate
        if candidate is not None and not self.patterns and self.enumeration is None:
            return candidate
        raise NoSample(f"no value was found for the simple type of {name}")

    def accepts(self, text: str) -> bool:
        """Whether lengths and patterns allow it; ranges are kept by construction."""
        size = self._size(text)
        if size is not None and self.item is None:
            if self.length is not None and size != self.length:
                return False
            if size < self.min_length or (self.max_length is not None and size > self.max_length):
                return False
        return all(any(xsd_regex(one).search(text) for one in group) for group in self.patterns)

    def _size(self, text: str) -> int | None:
        if self.builtin == "hexBinary":
            return len(text) // 2
        if self.builtin == "base64Binary":
            return len(base64.b64decode(text.encode()))
        return None if self.builtin in _LEAST or self.builtin in {"QName", "NOTATION"} else len(text)

    def candidates(self, name: str) -> Iterator[str]:
        """Texts that may fit, the likeliest first."""
        if self.enumeration is not None:
            yield from self.enumeration
            return
        if self.item is not None:
            yield " ".join([self.item.sample(name)] * (self.length or max(self.min_length, 1)))
            return
        for member in self.members:
            yield from member.candidates(name)
        if self.members:
            return
        known = KNOWN.get(name.replace("_", "").lower())
        if known is not None and self.builtin not in _LEAST and self.builtin not in _FIXED:
            yield known
        yield from self._plain(name)
        for group in self.patterns:
            for alternative in group:
                yield from texts(xsd_regex(alternative))

    def _plain(self, name: str) -> Iterator[str]:
        if self.builtin in _LEAST:
            yield from self._numbers()
        elif self.builtin in _BINARY:
            yield self._bytes()
        elif self.builtin in _FIXED:
            bounds = [bound for bound, allowed in filter(None, (self.least, self.most)) if allowed]
            yield from (_FIXED[self.builtin], *bounds) if self._in_range(_FIXED[self.builtin]) else bounds
            yield from (text for text in _MOMENTS.get(self.builtin, ()) if self._in_range(text))
            if self.length is not None or self.min_length or self.max_length is not None:
                yield self._letters(_FIXED[self.builtin])
        else:
            yield self._letters(name)

    def _in_range(self, text: str) -> bool:
        """Compared as text, which is right for the date types of one time zone with years of four digits."""
        low = self.least is None or (text >= self.least[0] if self.least[1] else text > self.least[0])
        high = self.most is None or (text <= self.most[0] if self.most[1] else text < self.most[0])
        return low and high

    def _letters(self, name: str) -> str:
        least = self.length if self.length is not None else self.min_length
        most = self.length if self.length is not None else self.max_length
        if least > _MOST_LETTERS:
            raise NoSample(f"{name} has at least {least} letters")
        text = name or "sample"
        if self.builtin not in _NAMES | set(_FIXED):
            text = text.replace("_", " ").strip() or "sample"
        text = text.ljust(least, "x")
        return text if most is None else text[:most].rstrip() or "x" * least

    def _bytes(self) -> str:
        size = self.length if self.length is not None else max(self.min_length, min(6, self.max_length or 6))
        if size > _MOST_LETTERS:
            raise NoSample(f"a value of {size} bytes")
        raw = (b"sample" * (size // 6 + 1))[:size]
        return raw.hex().upper() if self.builtin == "hexBinary" else base64.b64encode(raw).decode()

    def _numbers(self) -> Iterator[str]:
        """One that is not zero where that is allowed, then the bounds and what lies beside them."""
        step = Decimal(1)
        if self.builtin in {"decimal", "float", "double"}:
            step = Decimal(1).scaleb(-min(self.fraction_digits if self.fraction_digits is not None else 2, 20))
        low, high = self._bound(self.least), self._bound(self.most)
        near = [bound + change for bound in (low, high) if bound is not None for change in (0, step, -step, 1, -1)]
        if low is not None and high is not None:
            near.append((low + high) / 2)
        for number in (Decimal(1), Decimal(0), Decimal(-1), *near):
            if self._holds(number, low, high):
                text = f"{number:f}"
                yield text.rstrip("0").rstrip(".") if "." in text else text

    def _bound(self, bound: tuple[str, bool] | None) -> Decimal | None:
        try:
            number = None if bound is None else Decimal(bound[0].strip())
        except InvalidOperation:
            return None
        return number if number is not None and number.is_finite() else None

    def _holds(self, number: Decimal, low: Decimal | None, high: Decimal | None) -> bool:
        own_least, own_most = _LEAST[self.builtin], _MOST.get(self.builtin)
        digits = len(number.as_tuple().digits)
        return (
            (own_least is None or number >= own_least)
            and (own_most is None or number <= own_most)
            and (low is None or number > low or (number == low and self.least is not None and self.least[1]))
            and (high is None or number < high or (number == high and self.most is not None and self.most[1]))
            and (self.total_digits is None or digits <= self.total_digits)
        )


_MOMENTS: Mapping[str, tuple[str, ...]] = {
    "date": ("1990-05-17", "2000-01-01", "2050-12-31", "1950-01-01"),
    "dateTime": ("2000-01-01T00:00:00Z", "2050-12-31T23:59:59Z", "1950-01-01T00:00:00Z", "2026-01-15T08:30:00"),
    "time": ("00:00:01Z", "12:00:00Z", "23:59:59Z", "08:30:00"),
    "gYear": ("2000", "1990", "2050", "1950"),
    "gYearMonth": ("2000-01", "2050-12", "1950-01"),
}

_INTEGER_FACETS: Mapping[str, str] = {
    "length": "length", "minLength": "min_length", "maxLength": "max_length",
    "totalDigits": "total_digits", "fractionDigits": "fraction_digits",
}  # fmt: skip
_BOUNDS: Mapping[str, tuple[str, bool]] = {
    "minInclusive": ("least", True), "minExclusive": ("least", False),
    "maxInclusive": ("most", True), "maxExclusive": ("most", False),
}  # fmt: skip


def narrowed(base: SimpleType, facets: Mapping[str, list[str]]) -> SimpleType:
    """`base` restricted by facets, by their names in XSD."""
    changes: dict[str, object] = {}
    for name, values in facets.items():
        if name in _INTEGER_FACETS and values[-1].strip().isdigit():
            changes[_INTEGER_FACETS[name]] = int(values[-1])
        elif name in _BOUNDS:
            field, allowed = _BOUNDS[name]
            changes[field] = (values[-1].strip(), allowed)
        elif name == "enumeration":
            changes["enumeration"] = tuple(values)
        elif name == "pattern":
            changes["patterns"] = (*base.patterns, tuple(values))
    changed: Callable[..., SimpleType] = replace
    return changed(base, **changes)

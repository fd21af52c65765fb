"""The parts of a content model: elements, sequences, choices, wildcards, written from and read into plain values.

`take` writes what a particle finds in the values that are left; `match` reads nodes from a position and gives the next.
The schema has accepted a message before it is read, so the first particle that fits is the right one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors.kit.xsd_codec.simple import Parts, SimpleType, escape

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
NIL = f"{{{XSI}}}nil"
TYPE = f"{{{XSI}}}type"
NIL_KEY = "@xsi:nil"
_NIL_ATTRIBUTE = f' xmlns:xsi="{XSI}" xsi:nil="true"'

Append = Callable[[str], None]
Left = dict[str, list[Any]]  #: The values that are not written yet, by key.


class ContentType(Protocol):
    """How the content of one type is written and read. Both raise ValueError, without the value in the message."""

    def write(self, value: Any, start: str, end: str, append: Append) -> None:
        """Append the element; `start` lacks its last `>`."""

    def read(self, node: Any, parts: Parts) -> Any:
        """The value of an element; `parts` are the message's attachments."""


class Particle(Protocol):
    """A part of a content model."""

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""

    @property
    def first(self) -> frozenset[str] | None:
        """The tags that it can begin with; None is any tag."""

    def take(self, left: Left, append: Append) -> None:
        """Write what is there for it, and remove that from `left`."""

    def wants(self, left: Left) -> int:
        """How many of the keys it has."""

    def match(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        """Read nodes from a position into a value; the position after them."""


@dataclass(slots=True, eq=False)
class ElementParticle:
    """A child element: one key of the value."""

    key: str
    tag: str
    start: str  #: `<n0:Name`
    end: str  #: `</n0:Name>`
    type: ContentType
    minimum: int = 1
    maximum: int | None = 1  #: None: unbounded.
    nillable: bool = False
    default: str | None = None
    listed: bool = False  #: Its value is a list, because it may stand several times.

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.minimum == 0

    @property
    def first(self) -> frozenset[str]:
        """See Particle."""
        return frozenset((self.tag,))

    def write(self, value: Any, append: Append) -> None:
        """Append one element. None is nil, and nothing where nil is not allowed."""
        if value is None or (type(value) is dict and value.get(NIL_KEY) is True and len(value) == 1):
            if self.nillable:
                append(f"{self.start}{_NIL_ATTRIBUTE}/>")
            return
        self.type.write(value, self.start, self.end, append)

    def write_default(self, append: Append) -> None:
        """Append the default of a mandatory element that has no value."""
        if self.default is not None and self.minimum:
            append(f"{self.start}>{escape(self.default)}{self.end}")

    def read(self, node: Any, parts: Parts) -> Any:
        """The value of one element; None for nil."""
        if self.nillable and node.get(NIL) in {"true", "1"}:
            return None
        return self.type.read(node, parts)

    def take(self, left: Left, append: Append) -> None:
        """See Particle."""
        values = left.get(self.key)
        if not values:
            self.write_default(append)
            return
        if not self.listed and isinstance(self.type, SimpleType) and self.type.plural:
            self.write(values[:], append)
            values.clear()
            return
        count = len(values) if self.maximum is None else min(self.maximum, len(values))
        for value in values[:count]:
            self.write(value, append)
        del values[:count]

    def wants(self, left: Left) -> int:
        """See Particle."""
        return 1 if left.get(self.key) else 0

    def match(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        """See Particle."""
        begun, key = at, self.key
        while at < len(nodes) and nodes[at].tag == self.tag and (self.maximum is None or at - begun < self.maximum):
            value = self.read(nodes[at], parts)
            if self.listed:
                into.setdefault(key, []).append(value)
            elif value is not None:
                into[key] = value
            at += 1
        if at - begun < self.minimum:
            raise ValueError(f"the element {self.key} is missing")
        return at


@dataclass(slots=True, eq=False)
class WildcardParticle:
    """`xsd:any`: a list of mappings with one key each, the element's name."""

    key: str
    type: Any  #: The Wildcard that writes and reads single elements.
    named: frozenset[str] = frozenset()  #: Tags that other particles of the type own.
    minimum: int = 1
    maximum: int | None = 1
    first: frozenset[str] | None = None

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.minimum == 0

    def take(self, left: Left, append: Append) -> None:
        """See Particle."""
        for value in left.pop(self.key, ()):
            self.type.write(value, append)

    def wants(self, left: Left) -> int:
        """See Particle."""
        return 1 if left.get(self.key) else 0

    def match(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        """See Particle."""
        begun = at
        while (
            at < len(nodes) and nodes[at].tag not in self.named and (self.maximum is None or at - begun < self.maximum)
        ):
            into.setdefault(self.key, []).append(self.type.read(nodes[at], parts))
            at += 1
        return at


@dataclass(slots=True, eq=False)
class GroupParticle:
    """A sequence, a choice or an `all`, once."""

    items: list[Particle]
    kind: str  #: sequence | choice | all
    minimum: int = 1
    optional: bool = False
    first: frozenset[str] | None = field(default=None)

    def settle(self) -> "GroupParticle":
        """Work out what it can begin with, once its items are known."""
        every = [item.optional for item in self.items]
        self.optional = self.minimum == 0 or (any(every) if self.kind == "choice" else all(every))
        tags: set[str] = set()
        for item in self.items:
            if item.first is None:
                self.first = None
                return self
            tags |= item.first
            if self.kind == "sequence" and not item.optional:
                break
        self.first = frozenset(tags)
        return self

    def take(self, left: Left, append: Append) -> None:
        """See Particle."""
        if self.kind == "choice":
            best = max(self.items, key=lambda item: item.wants(left), default=None)
            if best is not None and best.wants(left):
                best.take(left, append)
            return
        if self.minimum == 0 and not self.wants(left):
            return
        for item in self.items:
            item.take(left, append)

    def wants(self, left: Left) -> int:
        """See Particle."""
        return sum(item.wants(left) for item in self.items)

    def match(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        """See Particle."""
        if self.kind == "choice":
            return self._one_of(nodes, at, into, parts)
        if self.kind == "all":
            return self._all_of(nodes, at, into, parts)
        if self.minimum == 0 and not _begins(self, nodes, at):
            return at
        for item in self.items:
            at = item.match(nodes, at, into, parts)
        return at

    def _one_of(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        for item in self.items:
            if _begins(item, nodes, at):
                return item.match(nodes, at, into, parts)
        if not self.optional:
            raise ValueError("none of a choice's elements is there")
        return at

    def _all_of(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        waiting = list(self.items)
        while (item := next((each for each in waiting if _begins(each, nodes, at)), None)) is not None:
            at = item.match(nodes, at, into, parts)
            waiting.remove(item)
        if not all(item.optional for item in waiting):
            raise ValueError("an element is missing")
        return at


@dataclass(slots=True, eq=False)
class RepeatedGroup:
    """A group that may stand several times: a list of mappings, one for each time, in order."""

    key: str
    group: GroupParticle
    minimum: int = 1
    maximum: int | None = None

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.minimum == 0 or self.group.optional

    @property
    def first(self) -> frozenset[str] | None:
        """See Particle."""
        return self.group.first

    def take(self, left: Left, append: Append) -> None:
        """See Particle."""
        for item in left.pop(self.key, ()):
            inner = leftover(item)
            self.group.take(inner, append)
            refuse_rest(inner)

    def wants(self, left: Left) -> int:
        """See Particle."""
        return 1 if left.get(self.key) else 0

    def match(self, nodes: Sequence[Any], at: int, into: dict[str, Any], parts: Parts) -> int:
        """See Particle."""
        times = 0
        while (self.maximum is None or times < self.maximum) and _begins(self.group, nodes, at):
            item: dict[str, Any] = {}
            after = self.group.match(nodes, at, item, parts)
            if after == at:
                break
            into.setdefault(self.key, []).append(item)
            at, times = after, times + 1
        if times < self.minimum and not self.group.optional:
            raise ValueError("a group of elements is missing")
        return at


def leftover(value: Any) -> Left:
    """The values of a mapping as lists, so that they can be taken one by one."""
    if not isinstance(value, Mapping):
        raise ValueError("a mapping is expected")  # noqa: TRY004  # a mapping document's fault
    return {key: list(item) if isinstance(item, list) else [item] for key, item in value.items()}


def refuse_rest(left: Left) -> None:
    """Raise ValueError when values were not taken."""
    rest = sorted(key for key, values in left.items() if values and any(value is not None for value in values))
    if rest:
        raise ValueError(f"no place for {', '.join(rest)}")


def _begins(particle: Particle, nodes: Sequence[Any], at: int) -> bool:
    return at < len(nodes) and (particle.first is None or nodes[at].tag in particle.first)

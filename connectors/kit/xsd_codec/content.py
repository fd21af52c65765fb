"""Compiles the content model of one of zeep's complex types into particles.

Each mapping of a value is a scope: within it a local name is a key, a repeated group is `#items` and a wildcard `#any`
(`#items2`, `#any2` … when there are several).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from zeep import xsd
from zeep.xsd import elements
from zeep.xsd.elements.builtins import Schema as SchemaElement

from connectors.kit.xsd_codec.particles import (
    ElementParticle,
    GroupParticle,
    Particle,
    RepeatedGroup,
    WildcardParticle,
)

ITEMS_KEY = "#items"
ANY_KEY = "#any"

MakeElement = Callable[[Any, int, int | None], ElementParticle]


class ContentCompiler:
    """Compiles the particles of one scope."""

    def __init__(self, make: MakeElement, substitutes: Callable[[str], list[Any]], wildcard: Any) -> None:
        """`make` compiles a zeep element; `substitutes` gives the members of a substitution group by its head."""
        self._make = make
        self._substitutes = substitutes
        self._wildcard = wildcard
        self._keys: dict[str, str] = {}  # tag -> key
        self._tags: dict[str, str] = {}  # key -> tag
        self._counters: Counter[str] = Counter()
        self.elements: list[ElementParticle] = []
        self._wildcards: list[WildcardParticle] = []

    def compile(self, part: Any) -> Particle:
        """The particle of a model, with everything in the scope settled."""
        particle = self._particle(part)
        twice = _most(particle)
        named = frozenset(element.tag for element in self.elements)
        for element in self.elements:
            element.listed = element.maximum != 1 or twice[element.key] > 1
        for wildcard in self._wildcards:
            wildcard.named = named
        return particle

    def _particle(self, part: Any) -> Particle:
        if isinstance(part, SchemaElement):  # a schema inside a message, as data sets of .NET have it
            return self._one(xsd.Element(part.qname, xsd.AnyType()), 0, 1)  # type: ignore[no-untyped-call]  # zeep has few types
        minimum, maximum = part.min_occurs, None if part.max_occurs == "unbounded" else int(part.max_occurs)
        if isinstance(part, elements.Any):
            return self._any(minimum, maximum)
        if isinstance(part, elements.Element):
            return self._element(part, minimum, maximum)
        if isinstance(part, elements.Group):
            inner = part.child
            kind, items = "sequence", [inner]
        else:
            kind, items = type(part).__name__.lower(), list(part)
        if maximum == 1:
            return GroupParticle([self._particle(item) for item in items], kind, minimum).settle()
        return self._repeated(items, kind, minimum, maximum)

    def _repeated(self, items: list[Any], kind: str, minimum: int, maximum: int | None) -> Particle:
        inner = ContentCompiler(self._make, self._substitutes, self._wildcard)
        group = GroupParticle([inner._particle(item) for item in items], kind, 1).settle()  # itself
        single = _single(group)
        if single is not None and maximum != 0:
            # one element in a repeated group is a repeated element
            part = next(_elements(items))
            return self._element(part, 0 if minimum == 0 else single.minimum, None)
        twice = _most(group)
        for element in inner.elements:
            element.listed = element.maximum != 1 or twice[element.key] > 1
        named = frozenset(element.tag for element in inner.elements)
        for wildcard in inner._wildcards:  # itself
            wildcard.named = named
        return RepeatedGroup(self._numbered(ITEMS_KEY), group, minimum, maximum)

    def _any(self, minimum: int, maximum: int | None) -> WildcardParticle:
        particle = WildcardParticle(self._numbered(ANY_KEY), self._wildcard, frozenset(), minimum, maximum)
        self._wildcards.append(particle)
        return particle

    def _element(self, part: Any, minimum: int, maximum: int | None) -> Particle:
        members = self._substitutes(part.qname.text) if part.is_global else []
        if not members:
            return self._one(part, minimum, maximum)
        choice = [self._one(each, 0, 1) for each in (part, *members)]
        group = GroupParticle(list(choice), "choice", minimum).settle()
        if maximum == 1:
            return group
        for element in choice:
            self.elements.remove(element)
        return RepeatedGroup(self._numbered(ITEMS_KEY), group, minimum, maximum)

    def _one(self, part: Any, minimum: int, maximum: int | None) -> ElementParticle:
        particle = self._make(part, minimum, maximum)
        particle.key = self._key(particle.tag)
        self.elements.append(particle)
        return particle

    def _key(self, tag: str) -> str:
        if tag not in self._keys:
            local = tag.rpartition("}")[2]
            self._keys[tag] = local if local not in self._tags else tag
            self._tags[self._keys[tag]] = tag
        return self._keys[tag]

    def _numbered(self, key: str) -> str:
        self._counters[key] += 1
        return key if self._counters[key] == 1 else f"{key}{self._counters[key]}"


def flat(particle: Particle) -> tuple[list[ElementParticle], WildcardParticle | None] | None:
    """The elements in order, and the wildcard at the end; None when the model needs its particles."""
    found: list[Particle] = list(_leaves(particle))
    children = [each for each in found if isinstance(each, ElementParticle)]
    tags = Counter(each.tag for each in children)
    wildcards = [each for each in found if isinstance(each, WildcardParticle)]
    if any(isinstance(each, RepeatedGroup) for each in found) or any(count > 1 for count in tags.values()):
        return None
    if len(wildcards) > 1 or (wildcards and found[-1] is not wildcards[0]):
        return None
    return children, wildcards[0] if wildcards else None


def _leaves(particle: Particle) -> Iterator[Particle]:
    if isinstance(particle, GroupParticle):
        for item in particle.items:
            yield from _leaves(item)
    else:
        yield particle


def _single(group: GroupParticle) -> ElementParticle | None:
    """The only element of a group."""
    leaves = list(_leaves(group))
    return leaves[0] if len(leaves) == 1 and isinstance(leaves[0], ElementParticle) else None


def _elements(items: list[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, elements.Element):
            yield item
        elif isinstance(item, elements.Group):
            yield from _elements([item.child])
        elif not isinstance(item, elements.Any):
            yield from _elements(list(item))


def _most(particle: Particle) -> Counter[str]:
    """How often each key can stand in one value, places counted."""
    if isinstance(particle, ElementParticle):
        return Counter({particle.key: 1})
    total: Counter[str] = Counter()
    if isinstance(particle, GroupParticle):
        for item in particle.items:
            if particle.kind == "choice":
                total |= _most(item)
            else:
                total += _most(item)
    return total

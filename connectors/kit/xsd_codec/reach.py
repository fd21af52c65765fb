"""What the content of a type can reach: its namespaces, so that the root of a message declares just those; binaries."""

from collections.abc import Iterator
from typing import Any

from connectors.kit.xsd_codec.complex import ComplexType
from connectors.kit.xsd_codec.particles import ElementParticle, GroupParticle, RepeatedGroup
from connectors.kit.xsd_codec.simple import SimpleType


def namespaces_of(content: Any) -> set[str]:
    """The namespaces of all elements and attributes below; those of derived types and wildcards declare their own."""
    found: set[str] = set()
    for each in _types(content):
        if isinstance(each, ComplexType):
            names = [attribute.name for attribute in each.attributes]
            names += [element.tag for element in [*each.elements, *_elements(each.content)]]
            found |= {name[1:].partition("}")[0] for name in names if name[:1] == "{"}
    return found


def has_binary(content: Any) -> bool:
    """Whether an element below, or this one, has base64Binary for its text."""
    simple = (each.text if isinstance(each, ComplexType) else each for each in _types(content))
    return any(isinstance(each, SimpleType) and each.binary for each in simple)


def has_mixed(content: Any) -> bool:
    """Whether text may stand between the children of an element below, or of this one."""
    return any(isinstance(each, ComplexType) and each.mixed for each in _types(content))


def _types(content: Any) -> Iterator[Any]:
    """It and every type of an element below."""
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, ComplexType):
            waiting += [element.type for element in [*each.elements, *_elements(each.content)]]


def _elements(particle: Any) -> Iterator[ElementParticle]:
    if isinstance(particle, ElementParticle):
        yield particle
    elif isinstance(particle, GroupParticle):
        for item in particle.items:
            yield from _elements(item)
    elif isinstance(particle, RepeatedGroup):
        yield from _elements(particle.group)

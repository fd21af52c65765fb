"""The namespaces that the content of a type can use, so that the root of a message declares just those."""

from collections.abc import Iterator
from typing import Any

from connectors.kit.xsd_codec.complex import ComplexType
from connectors.kit.xsd_codec.particles import ElementParticle, GroupParticle, RepeatedGroup


def namespaces_of(content: Any) -> set[str]:
    """The namespaces of all elements and attributes below; those of derived types and wildcards declare their own."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or not isinstance(each, ComplexType):
            continue
        seen.add(id(each))
        found |= {attribute.name[1:].partition("}")[0] for attribute in each.attributes if attribute.name[:1] == "{"}
        for element in [*each.elements, *_elements(each.content)]:
            if element.tag[:1] == "{":
                found.add(element.tag[1:].partition("}")[0])
            waiting.append(element.type)
    return found


def _elements(particle: Any) -> Iterator[ElementParticle]:
    if isinstance(particle, ElementParticle):
        yield particle
    elif isinstance(particle, GroupParticle):
        for item in particle.items:
            yield from _elements(item)
    elif isinstance(particle, RepeatedGroup):
        yield from _elements(particle.group)

"""Simple types of a set of schemas, with the facets of everything that they derive from."""

from typing import Any

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.schema_set import XSD, Component, SchemaSet
from connectors.kit.sample_values.simple_types import SimpleType, narrowed

_DEEPEST = 60


class SimpleTypes:
    """Resolves them."""

    def __init__(self, schemas: SchemaSet) -> None:
        self._schemas = schemas

    def named(self, name: str, asking: Any, level: int = 0) -> SimpleType:
        """The simple type of this name (Clark's form), as `asking` sees it. Raises NoSample."""
        if name.startswith(f"{{{XSD}}}"):
            return _builtin(name.rpartition("}")[2])
        found = self._schemas.find("simpleType", name, asking)
        if found is None:
            raise NoSample(f"there is no type {name}")
        return self.of(found, level + 1)

    def of(self, component: Component, level: int = 0) -> SimpleType:
        """The simple type that this component declares. Raises NoSample."""
        if level > _DEEPEST:
            raise NoSample("a simple type that derives from itself")
        step = component.child("restriction", "list", "union")
        if step is None:
            return SimpleType()
        if step.kind == "union":
            return SimpleType(members=tuple(self._union(step, level)))
        inline = step.child("simpleType")
        named = step.named("base" if step.kind == "restriction" else "itemType")
        start = self.of(inline, level + 1) if inline is not None else self.named(named or "", step.node, level)
        return SimpleType(item=start) if step.kind == "list" else narrowed(start, facets_of(step))

    def _union(self, step: Component, level: int) -> list[SimpleType]:
        named = (step.get("memberTypes") or "").split()
        members = [self.named(step.schema.name_of(step.node, one), step.node, level) for one in named]
        return members + [self.of(one, level + 1) for one in step.children() if one.kind == "simpleType"]


def _builtin(name: str) -> SimpleType:
    lists = {"NMTOKENS": "NMTOKEN", "IDREFS": "IDREF", "ENTITIES": "ENTITY"}
    return SimpleType(item=SimpleType(lists[name])) if name in lists else SimpleType(name)


def facets_of(step: Component) -> dict[str, list[str]]:
    """The facets below a restriction, by their names in XSD."""
    found: dict[str, list[str]] = {}
    for child in step.children():
        value = child.get("value")
        if value is not None:
            found.setdefault(child.kind, []).append(value)
    return found

"""What complex types derive from, and the attributes that they have in the end."""

from collections.abc import Iterator

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.schema_set import Component, SchemaSet, clark
from connectors.kit.sample_values.simple_types import SimpleType, narrowed
from connectors.kit.sample_values.xsd_simple import SimpleTypes, facets_of

DEEPEST = 60


class Shapes:
    """Resolves them."""

    def __init__(self, schemas: SchemaSet) -> None:
        self._schemas = schemas
        self._simple = SimpleTypes(schemas)

    def derivation(self, component: Component) -> tuple[Component | None, Component | None]:
        """The extension or restriction of a complex type, and the type that it starts from."""
        content = component.child("complexContent", "simpleContent")
        step = content.child("extension", "restriction") if content is not None else None
        base = step.named("base") if step is not None else None
        if step is None or base is None:
            return step, None
        return step, self._schemas.find("complexType", base, step.node)

    def concrete(self, declared: Component) -> Component | None:
        """A type that derives from the element's own, where that is abstract."""
        name = declared.named("type")
        current = None if name is None else self._schemas.find("complexType", name)
        if current is None or not current.flag("abstract"):
            return None
        for derived in self.kinds(current):
            return derived
        raise NoSample(f"the type {(name or '').rpartition('}')[2]} is abstract and nothing derives from it")

    def kinds(self, component: Component) -> Iterator[Component]:
        """The types that derive from this one, directly or not, and are not abstract themselves."""
        waiting, seen = [component], set()
        while waiting:
            here = waiting.pop(0)
            name = clark(here.schema.namespace, here.get("name") or "")
            if name in seen:
                continue
            seen.add(name)
            derived = self._schemas.derived(name)
            yield from (one for one in derived if not one.flag("abstract"))
            waiting += derived

    def attributes(self, component: Component, level: int = 0) -> dict[str, tuple[Component, str]]:
        """The attributes of a complex type by name: each with its declaration and its use."""
        step, base = self.derivation(component)
        found: dict[str, tuple[Component, str]] = {}
        if base is not None and level < DEEPEST:
            found.update(self.attributes(base, level + 1))
        self._collect(component if step is None else step, found, 0)
        return found

    def _collect(self, holder: Component, found: dict[str, tuple[Component, str]], level: int) -> None:
        for child in holder.children():
            if child.kind == "attributeGroup" and level < DEEPEST:
                group = self._schemas.find("attributeGroup", child.named("ref") or "", child.node)
                if group is not None:
                    self._collect(group, found, level + 1)
            elif child.kind == "attribute":
                name = child.named("ref")
                if name is None:
                    space = child.schema.namespace if child.schema.qualifies(child.node, "attribute") else None
                    name = clark(space, child.get("name") or "")
                found[name] = (child, child.get("use") or "optional")

    def simple_content(self, component: Component, level: int = 0) -> SimpleType | None:
        """The type of the text of a complex type with simple content, else None. Raises NoSample."""
        if component.child("simpleContent") is None:
            return None
        step, base = self.derivation(component)
        if step is None or level > DEEPEST:
            raise NoSample("a type that derives from itself")
        inline = step.child("simpleType") if step.kind == "restriction" else None
        if inline is not None:
            start = self._simple.of(inline)
        elif base is not None:
            start = self.simple_content(base, level + 1) or SimpleType()
        else:
            start = self._simple.named(step.named("base") or "", step.node)
        return narrowed(start, facets_of(step)) if step.kind == "restriction" else start


def occurs(part: Component) -> tuple[int, int | None]:
    """How often a particle may stand there: least and most (None: without limit)."""
    least, most = part.get("minOccurs") or "1", part.get("maxOccurs") or "1"
    return (
        int(least) if least.isdigit() else 1,
        None if most == "unbounded" else int(most) if most.isdigit() else 1,
    )

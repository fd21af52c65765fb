"""The fields of an XSD element, with everything of its schema that helps an author."""

from typing import Any

from connectors.kit.importing.fields import Field, snake, unique_names
from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.schema_set import XSD, Component, SchemaSet, clark
from connectors.kit.sample_values.simple_types import SimpleType
from connectors.kit.sample_values.xsd_shapes import Shapes, occurs
from connectors.kit.sample_values.xsd_simple import SimpleTypes

_DEEPEST = 12
_MOST_FIELDS = 1200
# fmt: off
_INTEGERS = frozenset({
    "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
    "negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte",
})
# fmt: on
_DECIMALS = frozenset({"decimal", "float", "double"})
_MOST_VALUES = 200
_MEDIA = "{http://www.w3.org/2005/05/xmlmime}expectedContentTypes"


class XsdFields:
    """Reads fields from a set of schemas."""

    def __init__(self, schemas: SchemaSet) -> None:
        self._schemas = schemas
        self._simple = SimpleTypes(schemas)
        self._shapes = Shapes(schemas)
        self._stack: list[Any] = []
        self._count = 0

    def element(self, name: str) -> Field:
        """The message that is this global element (`{namespace}name`)."""
        self._count = 0
        declared = self._schemas.find("element", name)
        root = Field(name, "message", "message", "object")
        if declared is not None:
            self._type_of(root, declared)
        return root

    def wrapper(self, parts: list[tuple[str, str]]) -> Field:
        """The message of an rpc operation: parts by name and type."""
        self._count = 0
        root = Field("", "message", "message", "object")
        for name, type_name in parts:
            part = Field(name, snake(name), _shown(type_name))
            self._named_type(part, type_name, None)
            root.children.append(part)
        unique_names(root.children)
        return root

    def _type_of(self, target: Field, declared: Component) -> None:
        name = declared.named("type")
        inline = declared.child("complexType", "simpleType")
        if name is not None:
            target.kind = _shown(name)
            self._named_type(target, name, declared.node)
        elif inline is not None and inline.kind == "complexType":
            target.kind = "object"
            self._complex(target, inline)
        elif inline is not None:
            self._simple_type(target, self._guarded(inline))
        else:
            target.kind, target.form, target.whole = "any content", "any", True

    def _named_type(self, target: Field, name: str, asking: Any) -> None:
        found = self._schemas.find("complexType", name)
        if found is not None:
            self._complex(target, found)
        elif name == clark(XSD, "anyType"):
            target.form, target.whole = "any", True
        else:
            try:
                self._simple_type(target, self._simple.named(name, asking))
            except NoSample:
                target.form = "text"

    def _guarded(self, component: Component) -> SimpleType:
        try:
            return self._simple.of(component)
        except NoSample:
            return SimpleType()

    def _simple_type(self, target: Field, simple: SimpleType) -> None:
        target.form = _form(simple)
        if target.kind in {"", "object"} or simple.item is not None:
            target.kind = f"list of xsd:{simple.item.builtin}" if simple.item is not None else f"xsd:{simple.builtin}"
        target.facets = _facets(simple)
        target.patterns = tuple(f"^(?:{'|'.join(group)})$" for group in simple.patterns)

    def _complex(self, target: Field, component: Component) -> None:
        target.form = "object"
        too_deep = len(self._stack) >= _DEEPEST or self._count >= _MOST_FIELDS
        if too_deep or any(above is component.node for above in self._stack):
            target.whole = True
            target.facets = "not written out further" if too_deep else "contains itself"
            return
        self._stack.append(component.node)
        simple = self._simple_content(component)
        for name, (attribute, use) in self._shapes.attributes(component).items():
            if use != "prohibited":
                target.children.append(self._attribute(name, attribute, use))
        if simple is not None and target.children:
            text = Field("#text", "text", f"xsd:{simple.builtin}")
            self._simple_type(text, simple)
            target.children.insert(0, text)
        elif simple is not None:
            self._simple_type(target, simple)
        else:
            self._content(target, component, 0)
            if component.flag("abstract"):
                self._kinds(target, component)
            if component.flag("mixed"):
                target.children.append(Field("#text", "text", "xsd:string", least=0, facets="all text, children's too"))
        self._stack.pop()
        unique_names(target.children)
        if not target.children and simple is None:
            target.whole = True

    def _kinds(self, target: Field, component: Component) -> None:
        """Of an abstract type: `@xsi:type`, and what the types that derive from it have beside its own fields."""
        derived = list(self._shapes.kinds(component))
        names = " | ".join(one.get("name") or "" for one in derived[:_MOST_VALUES])
        target.children.insert(0, Field("@xsi:type", "xsi_type", "type", least=1, facets=f"one of {names}"))
        known = {child.key for child in target.children}
        for one in derived:
            own = Field("", "", "")
            self._content(own, one, 0)
            for child in own.children:
                if child.key not in known:
                    known.add(child.key)
                    child.least = 0
                    target.children.append(child)

    def _simple_content(self, component: Component) -> SimpleType | None:
        try:
            return self._shapes.simple_content(component)
        except NoSample:
            return SimpleType()

    def _attribute(self, name: str, attribute: Component, use: str) -> Field:
        reference = attribute.named("ref")
        declared = attribute if reference is None else self._schemas.find("attribute", reference)
        local = name.rpartition("}")[2]
        made = Field(f"@{local}", snake(local), "xsd:string", least=1 if use == "required" else 0)
        if declared is None:
            return made
        made.documentation = _documentation(declared)
        type_name, inline = declared.named("type"), declared.child("simpleType")
        if type_name is not None:
            made.kind = _shown(type_name)
            self._named_type(made, type_name, declared.node)
        elif inline is not None:
            made.kind = ""
            self._simple_type(made, self._guarded(inline))
        return made

    def _content(self, target: Field, component: Component, level: int) -> None:
        step, base = self._shapes.derivation(component)
        if step is not None and step.kind == "extension" and base is not None and level < _DEEPEST:
            self._content(target, base, level + 1)
        holder = component if step is None else step
        content = holder.child("sequence", "choice", "all", "group")
        if content is not None:
            self._particle(target, content, optional=False, repeated=False, level=0)

    def _particle(
        self, target: Field, part: Component, *, optional: bool, repeated: bool, level: int, instead: str = ""
    ) -> None:
        least, most = occurs(part)
        if most == 0 or level > _DEEPEST:
            return
        if part.kind == "element":
            self._child(target, part, 0 if optional else least, None if repeated else most, instead)
            return
        if part.kind == "any":
            return
        optional = optional or least == 0 or part.kind == "choice"
        repeated = repeated or most != 1
        children = part.children()
        if part.kind == "group":
            found = self._schemas.find("group", part.named("ref") or "", part.node)
            children = (
                [] if found is None else [one for one in found.children() if one.kind in {"sequence", "choice", "all"}]
            )
        for child in children:
            others = [_called(one) for one in children if one is not child] if part.kind == "choice" else []
            other = f"either this or {' or '.join(filter(None, others))}" if any(others) and not repeated else instead
            self._particle(target, child, optional=optional, repeated=repeated, level=level + 1, instead=other)

    def _child(self, target: Field, part: Component, least: int, most: int | None, instead: str) -> None:
        reference = part.named("ref")
        declared = part if reference is None else self._schemas.find("element", reference)
        if declared is None:
            return
        local = (reference or part.get("name") or "").rpartition("}")[2]
        if declared.flag("abstract") and reference is not None:
            for member in self._schemas.members(reference):
                self._add(target, member, (member.get("name") or ""), 0, most, instead)
            return
        self._add(target, declared, local, least, most, instead)

    def _add(self, target: Field, declared: Component, local: str, least: int, most: int | None, instead: str) -> None:
        known = next((one for one in target.children if one.key == local), None)
        if known is not None:
            known.least = min(known.least, least)
            return
        self._count += 1
        made = Field(local, snake(local), "", least=least, most=most, documentation=_documentation(declared))
        self._type_of(made, declared)
        if any(each.form == "bytes" for each in made.walk()) and (media := declared.get(_MEDIA)):
            made.media = " ".join(media.split())
            made.facets = ", ".join(filter(None, [made.facets, made.media]))
        nil = "may be nil" if declared.get("nillable") in {"true", "1"} else ""
        default = f"default {declared.get('default')}" if declared.get("default") else ""
        made.facets = ", ".join(filter(None, [made.facets, nil, default, instead]))
        target.children.append(made)


def _called(part: Component) -> str:
    """One alternative of a choice, in words."""
    if part.kind == "element":
        return (part.named("ref") or part.get("name") or "").rpartition("}")[2]
    names = [name for child in part.children() if (name := _called(child))]
    return f"({', '.join(names)})" if len(names) > 1 else "".join(names)


def _shown(name: str) -> str:
    local = name.rpartition("}")[2]
    return f"xsd:{local}" if name.startswith(f"{{{XSD}}}") else local


def _form(simple: SimpleType) -> str:
    if simple.item is not None or simple.members:
        return "text"
    if simple.builtin in _INTEGERS:
        return "integer"
    if simple.builtin in _DECIMALS:
        return "decimal"
    return {"boolean": "boolean", "base64Binary": "bytes"}.get(simple.builtin, "text")


def _facets(simple: SimpleType) -> str:
    parts = []
    if simple.enumeration is not None:
        shown = " | ".join(simple.enumeration[:_MOST_VALUES])
        parts.append(f"one of {shown}{' | …' if len(simple.enumeration) > _MOST_VALUES else ''}")
    if simple.length is not None:
        parts.append(f"length {simple.length}")
    elif simple.min_length or simple.max_length is not None:
        parts.append(f"length {simple.min_length}..{'∞' if simple.max_length is None else simple.max_length}")
    parts += [f"pattern {' or '.join(group)}" for group in simple.patterns]
    for bound, words in ((simple.least, ("from", "above")), (simple.most, ("to", "below"))):
        if bound is not None:
            parts.append(f"{words[0] if bound[1] else words[1]} {bound[0]}")
    if simple.fraction_digits is not None:
        parts.append(f"{simple.fraction_digits} fraction digits")
    return ", ".join(parts)


def _documentation(component: Component) -> str:
    found = component.node.xpath("string(*[local-name()='annotation'])")
    return " ".join(str(found).split())

"""Valid instances of XSD elements: everything required, what is optional where it is not too deep, lists with one row.

What would never end is cut: an optional part that leads back into itself is left out, and of a choice the first branch
that ends is taken.
"""

from typing import Any

from lxml import etree

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.schema_set import XSD, Component, SchemaSet, clark
from connectors.kit.sample_values.simple_types import SimpleType
from connectors.kit.sample_values.xsd_shapes import DEEPEST, Shapes, occurs
from connectors.kit.sample_values.xsd_simple import SimpleTypes

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XML = "http://www.w3.org/XML/1998/namespace"
_OPTIONAL_DEPTH = 7
_OPTIONAL_ELEMENTS = 300
_MOST_ELEMENTS = 5000
_MOST_ROWS = 1000
#: Optional attributes of these namespaces are technicalities.
_QUIET = (
    f"{{{_XML}}}",
    "{http://www.w3.org/1999/xlink}",
    "{http://schemas.xmlsoap.org/soap/",
    "{http://www.w3.org/2005/05/xmlmime}",
)


class XsdSamples:
    """Makes sample elements from a set of schemas; the same schema gives the same sample each time."""

    def __init__(self, schemas: SchemaSet) -> None:
        self._schemas = schemas
        self.wildcards: list[Any] = []  #: The elements, of all samples so far, that stand where an xsd:any is.

    def element(self, tag: str) -> Any:
        """An instance of the global element (`{namespace}name`), an lxml element. Raises NoSample."""
        declared = self._schemas.find("element", tag)
        if declared is None:
            raise NoSample(f"the schemas have no element {tag}")
        return _Instance(self._schemas, self.wildcards).global_element(declared, tag, None)

    def typed(self, tag: str, type_name: str) -> Any:
        """An instance of a type (`{namespace}name`) under any tag: a part of an RPC message. Raises NoSample."""
        return _Instance(self._schemas, self.wildcards).typed(tag, type_name)


class _Instance:
    """The making of one sample."""

    def __init__(self, schemas: SchemaSet, wildcards: list[Any]) -> None:
        self._schemas = schemas
        self._wildcards = wildcards
        self._stack: list[Any] = []
        self._count = 0
        self._ids = 0
        self._simple = SimpleTypes(schemas)
        self._shapes = Shapes(schemas)

    def typed(self, tag: str, type_name: str) -> Any:
        root = etree.Element(tag, nsmap=_prefix(tag))
        self._fill_named(root, type_name, 0)
        return root

    def global_element(self, declared: Component, tag: str, parent: Any) -> Any:
        """The element, or where it is abstract the first that may stand for it."""
        if declared.flag("abstract"):
            for member in self._schemas.members(tag):
                name = clark(member.schema.namespace, member.get("name") or "")
                if member.node not in self._stack:
                    self._stack.append(member.node)
                    made = self.global_element(member, name, parent)
                    self._stack.pop()
                    return made
            raise NoSample(f"the element {_local(tag)} is abstract and nothing stands for it")
        return self._make(declared, tag, parent)

    def _make(self, declared: Component, tag: str, parent: Any) -> Any:
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._stack) > DEEPEST:
            raise NoSample("it never ends")
        instead = self._shapes.concrete(declared)
        space = _prefix(tag) if parent is None else {}
        if instead is not None:
            space["t"] = instead.schema.namespace or ""
        node = etree.Element(tag, nsmap={k: v for k, v in space.items() if v})
        if parent is not None:
            parent.append(node)
        if instead is not None:  # after it was put into the tree, which may drop a prefix that it does not need
            name = instead.get("name") or ""
            prefixes = [prefix for prefix, uri in node.nsmap.items() if uri == instead.schema.namespace and prefix]
            node.set(f"{{{_XSI}}}type", f"{prefixes[0]}:{name}" if prefixes else name)
        fixed = declared.get("fixed")
        if fixed is not None and declared.child("complexType") is None:
            node.text = fixed
            return node
        if instead is not None:
            self._complex(node, instead)
        else:
            self._content(node, declared)
        return node

    def _content(self, node: Any, declared: Component) -> None:
        name = declared.named("type")
        inline = declared.child("complexType", "simpleType")
        if name is not None:
            self._fill_named(node, name, 0)
        elif inline is not None and inline.kind == "complexType":
            self._complex(node, inline)
        elif inline is not None:
            node.text = self._text(self._simple.of(inline), node)
        elif (head := declared.named("substitutionGroup")) is not None:
            heads = self._schemas.find("element", head)
            if heads is not None and heads.node not in self._stack:
                self._content(node, heads)

    def _fill_named(self, node: Any, name: str, level: int) -> None:  # noqa: ARG002
        found = self._schemas.find("complexType", name)
        if found is not None:
            self._complex(node, found)
            return
        if name == clark(XSD, "anyType"):
            return
        node.text = self._text(self._simple.named(name, node), node)

    # -- complex types --------------------------------------------------------------------------------------------

    def _complex(self, node: Any, component: Component) -> None:
        if sum(above is component.node for above in self._stack) > 1:
            raise NoSample(f"the type of {_local(node.tag)} requires itself")
        self._stack.append(component.node)
        try:
            text = self._shapes.simple_content(component)
            if text is not None:
                node.text = self._text(text, node)
            else:
                self._particles_of(node, component)
            for name, (attribute, use) in self._shapes.attributes(component).items():
                if use == "required" or (use != "prohibited" and not name.startswith(_QUIET)):
                    self._attribute(node, name, attribute, use)
        finally:
            self._stack.pop()

    def _particles_of(self, node: Any, component: Component, level: int = 0) -> None:
        step, base = self._shapes.derivation(component)
        if level > DEEPEST:
            raise NoSample("a type that derives from itself")
        if step is not None and step.kind == "extension" and base is not None:
            self._particles_of(node, base, level + 1)
        holder = component if step is None else step
        content = holder.child("sequence", "choice", "all", "group")
        if content is not None:
            self._particle(node, content)

    def _particle(self, node: Any, part: Component) -> None:
        least, most = occurs(part)
        if most == 0:
            return
        wanted = max(least, 1) if self._generous() else least
        if wanted > _MOST_ROWS:
            raise NoSample(f"{least} rows of {_local(node.tag)} are required")
        for number in range(wanted):
            before, count = len(node), self._count
            try:
                self._once(node, part, optional=number >= least)
            except NoSample:
                if number < least:
                    raise
                del node[before:]
                self._count = max(count, self._count - 1)
                return

    def _generous(self) -> bool:
        return len(self._stack) <= _OPTIONAL_DEPTH and self._count < _OPTIONAL_ELEMENTS

    def _once(self, node: Any, part: Component, *, optional: bool) -> None:
        match part.kind:
            case "element":
                self._child(node, part, optional=optional)
            case "sequence" | "all":
                for child in part.children():
                    self._particle(node, child)
            case "choice":
                self._choice(node, part)
            case "group":
                self._group(node, part)
            case "any":
                self._wildcard(node, part, optional=optional)

    def _choice(self, node: Any, part: Component) -> None:
        branches = [child for child in part.children() if occurs(child)[1] != 0]
        last: NoSample | None = None
        for branch in branches:
            before = len(node)
            try:
                self._once(node, branch, optional=False)
                for _ in range(occurs(branch)[0] - 1):
                    self._once(node, branch, optional=False)
            except NoSample as error:
                del node[before:]
                last = error
                if occurs(branch)[0] == 0:
                    return
            else:
                return
        if last is not None:
            raise last

    def _group(self, node: Any, part: Component) -> None:
        found = self._schemas.find("group", part.named("ref") or "", part.node)
        if found is None:
            raise NoSample(f"there is no group {part.get('ref')}")
        content = found.child("sequence", "choice", "all")
        if content is not None:
            if sum(above is found.node for above in self._stack) > 1:
                raise NoSample(f"the group {part.get('ref')} requires itself")
            self._stack.append(found.node)
            try:
                self._particle(node, content)
            finally:
                self._stack.pop()

    def _child(self, node: Any, part: Component, *, optional: bool) -> None:
        reference = part.named("ref")
        declared = part if reference is None else self._schemas.find("element", reference)
        if declared is None:
            raise NoSample(f"there is no element {part.get('ref')}")
        if optional and self._leads_back(declared):
            raise NoSample("it leads back")
        if reference is not None:
            self.global_element(declared, reference, node)
            return
        namespace = part.schema.namespace if part.schema.qualifies(part.node, "element") else None
        if not part.get("name"):
            raise NoSample("an element has neither name nor ref")
        self._make(part, clark(namespace, part.get("name") or ""), node)

    def _leads_back(self, declared: Component) -> bool:
        name = declared.named("type")
        found = declared.child("complexType") if name is None else self._schemas.find("complexType", name)
        return found is not None and any(above is found.node for above in self._stack)

    def _wildcard(self, node: Any, part: Component, *, optional: bool) -> None:
        if optional:
            return
        allowed = (part.get("namespace") or "##any").split()
        if part.get("processContents") in {"lax", "skip"}:
            self._wildcards.append(etree.SubElement(node, clark(self._allowed(allowed, part), "sample")))
            return
        for name in self._schemas.names("element"):
            if _fits(name, allowed, part):
                found = self._schemas.find("element", name)
                assert found is not None
                self.global_element(found, name, node)
                self._wildcards.append(node[-1])
                return
        raise NoSample("an xsd:any that no element fits")

    @staticmethod
    def _allowed(allowed: list[str], part: Component) -> str | None:
        match allowed[0]:
            case "##any" | "##other":
                return "urn:sample"
            case "##targetNamespace":
                return part.schema.namespace
            case "##local":
                return None
        return allowed[0]

    # -- attributes and simple types ------------------------------------------------------------------------------

    def _attribute(self, node: Any, name: str, attribute: Component, use: str) -> None:
        reference = attribute.named("ref")
        declared = attribute if reference is None else self._schemas.find("attribute", reference)
        value = attribute.get("fixed") or (declared.get("fixed") if declared is not None else None)
        try:
            node.set(name, self._attribute_text(node, name, declared) if value is None else value)
        except NoSample:
            if use == "required":
                raise

    def _attribute_text(self, node: Any, name: str, declared: Component | None) -> str:
        if declared is None:
            if name == f"{{{_XML}}}lang":
                return "ar"
            raise NoSample(f"there is no attribute {_local(name)}")
        type_name, inline = declared.named("type"), declared.child("simpleType")
        if inline is not None:
            return self._text(self._simple.of(inline), node, _local(name))
        simple = SimpleType() if type_name is None else self._simple.named(type_name, declared.node)
        return self._text(simple, node, _local(name))

    def _text(self, simple: SimpleType, node: Any, name: str = "") -> str:
        if simple.builtin == "ID":
            self._ids += 1
            return f"id{self._ids}"
        if simple.builtin == "IDREF":
            return "id1"
        return simple.sample(name or _local(node.tag))


def _fits(name: str, allowed: list[str], part: Component) -> bool:
    namespace = name[1:].partition("}")[0] if name.startswith("{") else None
    own = part.schema.namespace
    match allowed:
        case ["##any"]:
            return True
        case ["##other"]:
            return namespace is not None and namespace != own
    return (namespace or "##local") in {own if one == "##targetNamespace" else one for one in allowed}


def _prefix(tag: str) -> dict[str, str]:
    namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
    return {"m": namespace} if namespace else {}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]

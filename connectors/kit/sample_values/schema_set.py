"""The global components of several XML schemas by name, found without building a schema: also of faulty ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

XSD = "http://www.w3.org/2001/XMLSchema"
_XSD = f"{{{XSD}}}"
_GLOBAL = frozenset({"element", "attribute", "complexType", "simpleType", "group", "attributeGroup"})
_MOST_FILES = 2000

#: Reads what `location` means in the document at `base`: its address and its root, or None when it is not to be had.
Load = Callable[[str, str], "tuple[str, Any] | None"]

#: Hostile documents expand nothing and load nothing.
PARSER_OPTIONS: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One xsd:schema element, with the namespace that its components have."""

    node: Any
    namespace: str | None
    chameleon: bool  #: Included by a schema of another namespace, and without one of its own.

    def qualifies(self, node: Any, kind: str) -> bool:
        """Whether a local element or attribute belongs to the namespace."""
        form = node.get("form") or self.node.get(f"{kind}FormDefault") or "unqualified"
        return bool(form == "qualified")

    def name_of(self, node: Any, qname: str) -> str:
        """A QName as it stands at `node`, in Clark's form."""
        prefix, _, local = qname.strip().rpartition(":")
        namespace = node.nsmap.get(prefix or None)
        if namespace is None and not prefix and self.chameleon:
            namespace = self.namespace
        return clark(namespace, local)

    def children(self, node: Any) -> "Iterator[Component]":
        """The schema elements below `node`, without annotations."""
        for child in node:
            if isinstance(child.tag, str) and child.tag.startswith(_XSD) and child.tag != f"{_XSD}annotation":
                yield Component(child, self)


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """A node of a schema, and the schema that it stands in."""

    node: Any
    schema: Schema

    @property
    def kind(self) -> str:
        """Its name in XSD: element, complexType, sequence …"""
        return str(self.node.tag).rpartition("}")[2]

    def get(self, name: str) -> str | None:
        """An attribute."""
        value: str | None = self.node.get(name)
        return value

    def named(self, attribute: str) -> str | None:
        """A QName attribute in Clark's form."""
        value = self.node.get(attribute)
        return None if value is None else self.schema.name_of(self.node, value)

    def children(self) -> "list[Component]":
        """The schema elements below it."""
        return list(self.schema.children(self.node))

    def child(self, *kinds: str) -> "Component | None":
        """The first of these kinds below it."""
        return next((one for one in self.children() if one.kind in kinds), None)

    def flag(self, name: str) -> bool:
        """A boolean attribute."""
        return self.node.get(name) in {"true", "1"}


def clark(namespace: str | None, local: str) -> str:
    """`{namespace}local`, or the local name alone."""
    return f"{{{namespace}}}{local}" if namespace else local


class SchemaSet:
    """The components of some schemas and of what they import and include."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Component]] = {}
        self._seen: set[tuple[str, str | None]] = set()
        self._members: dict[str, list[Component]] = {}  #: Substitution group's head -> its members.
        self._derived: dict[str, list[Component]] = {}  #: Global complex type -> those that derive from it.
        self.schemas: list[Schema] = []

    @classmethod
    def of_file(cls, path: Path) -> "SchemaSet":
        """Those of a WSDL or a schema file, reading files of its folder and of the folders below alone. Raises OSError
        and lxml's XMLSyntaxError."""
        load = FolderLoader(path.parent)
        found = load("", path.name)
        if found is None:
            raise FileNotFoundError(2, "No such file", str(path))
        result = cls()
        result.add(*found, load)
        return result

    def add(self, base: str, root: Any, load: Load) -> None:
        """Every schema in a document, be it a schema or a WSDL, with what it refers to."""
        for node in [root] if root.tag == f"{_XSD}schema" else root.iter(f"{_XSD}schema"):
            self._add_schema(base, node, node.get("targetNamespace"), load)
        for node in root.iter("{http://schemas.xmlsoap.org/wsdl/}import"):
            self._follow(base, node.get("location"), load)

    def _follow(self, base: str, location: str | None, load: Load) -> None:
        found = load(base, location) if location else None
        if found is not None and (found[0], None) not in self._seen and len(self._seen) < _MOST_FILES:
            self._seen.add((found[0], None))
            self.add(*found, load)

    def _add_schema(self, base: str, node: Any, namespace: str | None, load: Load) -> None:
        schema = Schema(node, namespace, node.get("targetNamespace") is None and namespace is not None)
        self.schemas.append(schema)
        for child in schema.children(node):
            if child.kind in _GLOBAL:
                self._register(child)
            elif child.kind in {"import", "include", "redefine"}:
                self._follow_schema(base, child, load)
                for redefined in child.children() if child.kind == "redefine" else ():
                    self._register(redefined, first=True)

    def _follow_schema(self, base: str, reference: Component, load: Load) -> None:
        location = reference.get("schemaLocation")
        found = load(base, location) if location else None
        if found is None or found[1].tag != f"{_XSD}schema":
            return
        address, root = found
        own = root.get("targetNamespace")
        namespace = own if own or reference.kind == "import" else reference.schema.namespace
        if (address, namespace or "") not in self._seen and len(self._seen) < _MOST_FILES:
            self._seen.add((address, namespace or ""))
            self._add_schema(address, root, namespace, load)

    def _register(self, component: Component, *, first: bool = False) -> None:
        name = clark(component.schema.namespace, component.get("name") or "")
        known = self._found.setdefault((component.kind, name), [])
        known.insert(0 if first else len(known), component)
        head = component.named("substitutionGroup")
        if head is not None:
            self._members.setdefault(head, []).append(component)
        content = component.child("complexContent", "simpleContent")
        step = content.child("extension", "restriction") if content is not None else None
        base = step.named("base") if step is not None else None
        if base is not None and component.kind == "complexType":
            self._derived.setdefault(base, []).append(component)

    def find(self, kind: str, name: str, asking: Any = None) -> Component | None:
        """The global component of this name; one that redefines it finds the original."""
        known = self._found.get((kind, name), [])
        for component in known:
            inside = asking is not None and any(above is component.node for above in asking.iterancestors())
            if not inside or len(known) == 1:
                return component
        return None

    def names(self, kind: str) -> list[str]:
        """The names of all global components of a kind."""
        return [name for known, name in self._found if known == kind]

    def members(self, head: str) -> list[Component]:
        """The elements that may stand for this one."""
        return self._members.get(head, [])

    def derived(self, name: str) -> list[Component]:
        """The global complex types that are made from this one directly."""
        return self._derived.get(name, [])


class FolderLoader:
    """Loads files of one folder and of the folders below; anything else is not to be had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._roots: dict[str, Any] = {}

    def __call__(self, base: str, location: str) -> tuple[str, Any] | None:
        """See Load; addresses are paths below the folder."""
        parts = urlsplit(location)
        if parts.scheme or parts.netloc or not parts.path:
            return None
        file = (self._folder / base).parent / unquote(parts.path) if base else self._folder / unquote(parts.path)
        file = file.resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            return None
        address = file.relative_to(self._folder).as_posix()
        if address not in self._roots:
            self._roots[address] = etree.fromstring(file.read_bytes(), etree.XMLParser(**PARSER_OPTIONS))
        return address, self._roots[address]

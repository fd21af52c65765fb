"""The mapping language: YAML documents whose text leaves are JMESPath expressions, compiled once at load.

docs/reference/connector-package.md describes it. A leaf that gives null is left out, and so is a mapping in which
nothing is left.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mappings.codes import CodeTable
from mappings.errors import MappingError
from mappings.expression import Context, Expression
from mappings.functions import MappingFunctions

MAX_BYTES = 64 * 1024
MAX_LEVELS = 32
MAX_LEAVES = 2000
_MAX_ROWS = 10_000  #: Of one `$each`.

Render = Callable[[Context], Any]
Truth = Callable[[Context], bool]


class _Loader(yaml.SafeLoader):
    """YAML without aliases (they multiply), without duplicate keys, and without dates and floats by accident."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ARG002, FBT001, FBT002  # as PyYAML has it
        pairs = [(self.construct_object(key, deep=True), value) for key, value in node.value]
        keys = [key for key, _ in pairs]
        if not all(isinstance(key, str) for key in keys):
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: a key is text")
        if len(set(keys)) != len(keys):
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: a key stands twice")
        return {key: self.construct_object(value, deep=True) for key, value in pairs}


def read_document(path: Path, name: str) -> dict[str, Any]:
    """The YAML mapping in `path`; raises MappingError naming the file as `name`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise MappingError(name, "", "the file cannot be read") from error
    if len(raw) > MAX_BYTES:
        raise MappingError(name, "", f"a mapping document has at most {MAX_BYTES // 1024} KiB")
    try:
        tree = yaml.load(raw, _Loader)  # noqa: S506  # a SafeLoader, made stricter
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise MappingError(name, "", f"not a mapping document: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise MappingError(name, "", "a mapping document is a YAML mapping")
    return tree


class Template:
    """A compiled part of a mapping document."""

    __slots__ = ("_file", "_key", "_render", "fields")

    def __init__(self, file: str, key: str, render: Render, fields: frozenset[str]) -> None:
        self._file = file
        self._key = key
        self._render = render
        self.fields = fields  #: Every field name that its expressions mention; a superset of what they read.

    def __call__(self, context: Context) -> Any:
        """What it gives in this context, None for nothing. Raises MappingError with file and key for an unfit value."""
        return self._render(context)


class Compiler:
    """Compiles the parts of one connector's mapping documents."""

    def __init__(self, tables: Mapping[str, CodeTable], parts: Mapping[str, Any] | None = None) -> None:
        self._functions = MappingFunctions(tables)
        self._parts = parts or {}

    def template(self, tree: Any, file: str, key: str) -> Template:
        """`tree` compiled; `key` is where it stands in `file`. Raises MappingError."""
        job = _Compilation(self._functions, self._parts, file)
        render = job.compile(tree, key, 0)
        return Template(file, key, render, frozenset(job.fields))

    def with_parts(self, tree: Any, file: str, key: str) -> dict[str, Any]:
        """`tree` with its own `$use` resolved (not that of its children), for sections whose keys are fixed."""
        if not isinstance(tree, dict):
            raise MappingError(file, key, "a mapping is expected")
        return _used(tree, self._parts, file, key)


def _used(tree: Mapping[str, Any], parts: Mapping[str, Any], file: str, key: str) -> dict[str, Any]:
    seen: list[str] = []
    result = dict(tree)
    while (name := result.pop("$use", None)) is not None:
        part = parts.get(name)
        if not isinstance(part, dict):
            raise MappingError(file, f"{key}.$use", f"there is no part {name!r} in _parts.yaml")
        if name in seen:
            raise MappingError(file, f"{key}.$use", f"part {name!r} uses itself")
        seen.append(name)
        result = {**part, **result}
    return result


class _Compilation:
    """One run of the compiler over one tree, with its limits."""

    def __init__(self, functions: MappingFunctions, parts: Mapping[str, Any], file: str) -> None:
        self._functions = functions
        self._parts = parts
        self._file = file
        self._leaves = 0
        self.fields: set[str] = set()

    def compile(self, tree: Any, key: str, level: int) -> Render:
        if level > MAX_LEVELS:
            raise MappingError(self._file, key, f"more than {MAX_LEVELS} levels")
        match tree:
            case dict():
                return self._mapping(_used(tree, self._parts, self._file, key), key, level)
            case list():
                return _sequence([self.compile(item, f"{key}[{n}]", level + 1) for n, item in enumerate(tree)])
            case None:
                return lambda _: None
            case bool() | int():
                return lambda _: tree
            case str():
                return self._leaf(tree, key)
        raise MappingError(self._file, key, "a leaf is an expression (text), an integer or a boolean")

    def _leaf(self, text: str, key: str) -> Render:
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            raise MappingError(self._file, key, f"more than {MAX_LEAVES} expressions")
        try:
            expression = Expression(text, self._functions)
        except ValueError as error:
            raise MappingError(self._file, key, str(error)) from error
        self.fields |= expression.fields
        file = self._file

        def render(context: Context) -> Any:
            try:
                return expression(context)
            except ValueError as error:
                raise MappingError(file, key, str(error)) from error

        return render

    def _mapping(self, tree: dict[str, Any], key: str, level: int) -> Render:
        when = self._when(tree.pop("$when", None), key)
        if "$each" in tree:
            render = self._each(tree, key, level)
        else:
            for name in tree:
                if name.startswith("$"):
                    raise MappingError(self._file, f"{key}.{name}", "unknown directive")
            render = _mapping([(name, self.compile(child, f"{key}.{name}", level + 1)) for name, child in tree.items()])
        return render if when is None else _guarded(when, render)

    def _when(self, text: Any, key: str) -> Truth | None:
        if text is None:
            return None
        if not isinstance(text, str):
            raise MappingError(self._file, f"{key}.$when", "an expression is text")
        condition = self._leaf(f"!!({text})", f"{key}.$when")
        return lambda context: bool(condition(context))

    def _each(self, tree: dict[str, Any], key: str, level: int) -> Render:
        if set(tree) != {"$each", "$item"}:
            raise MappingError(self._file, key, "$each stands with $item and nothing else")
        rows = self._leaf(str(tree["$each"]), f"{key}.$each")
        item = self.compile(tree["$item"], f"{key}.$item", level + 1)
        file = self._file

        def render(context: Context) -> Any:
            values = rows(context)
            if values is None:
                return None
            if not isinstance(values, list) or len(values) > _MAX_ROWS:
                raise MappingError(file, f"{key}.$each", f"a list of at most {_MAX_ROWS} rows is expected")
            rendered = (item({**context, "item": value}) for value in values)
            return [value for value in rendered if value is not None]

        return render


def _guarded(when: Truth, render: Render) -> Render:
    return lambda context: render(context) if when(context) else None


def _sequence(items: list[Render]) -> Render:
    return lambda context: [value for item in items if (value := item(context)) is not None]


def _mapping(children: list[tuple[str, Render]]) -> Render:
    def render(context: Context) -> Any:
        result = {name: value for name, child in children if (value := child(context)) is not None}
        return result or None

    return render

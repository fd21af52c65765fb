"""The mapping language: YAML documents whose text leaves are JMESPath expressions, compiled once at load.

docs/reference/mapping-language.md describes it. A leaf that gives null is left out, and so is a mapping in which
nothing is left.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mappings.codes import CodeTable
from mappings.compiled import charge, object_of, refill
from mappings.documents import MAX_BYTES, Branch, Place, place_of, read_document
from mappings.errors import MappingError
from mappings.expression import UNFIT, Context, Expression, unfit
from mappings.functions import MappingFunctions

__all__ = [
    "MAX_BYTES",
    "MAX_LEAVES",
    "MAX_LEVELS",
    "MAX_ROWS",
    "MAX_TEXT",
    "MAX_VALUES",
    "Compiler",
    "Template",
    "read_document",
]

MAX_LEVELS = 32
MAX_LEAVES = 2000  #: Of one section, parts included.
MAX_VALUES = 1_000_000  #: Of one result.
MAX_TEXT = 64 * 1024 * 1024  #: Characters and bytes of one result.
MAX_ROWS = 10_000  #: Of one `$each`.

Render = Callable[[Context], Any]
Truth = Callable[[Context], bool]
Read = Callable[[str, MappingFunctions], Any]  #: Makes an `Expression` of a leaf's text.


class Template:
    """A compiled part of a mapping document."""

    __slots__ = ("_locate", "_located", "_render", "fields")

    def __init__(self, render: Render, locate: Callable[[], Render], fields: frozenset[str]) -> None:
        self._render = render
        self._locate = locate
        self._located: Render | None = None
        self.fields = fields  #: Every field name that its expressions mention; a superset of what they read.

    def __call__(self, context: Context) -> Any:
        """What it gives in this context, None for nothing. Raises MappingError with file, line and key."""
        try:
            return self._render(context)
        except UNFIT:
            # only now is it worth knowing where: the same again, each leaf with its place
            if self._located is None:
                self._located = self._locate()
            return self._located(context)


class Compiler:
    """Compiles the parts of one connector's mapping documents."""

    def __init__(
        self, tables: Mapping[str, CodeTable], parts: Mapping[str, Any] | None = None, read: Read = Expression
    ) -> None:
        self._functions = MappingFunctions(tables)
        self._parts = parts or {}
        self._read = read

    def template(self, tree: Any, file: str, key: str) -> Template:
        """`tree` compiled; `key` is where it stands in `file`. Raises MappingError."""
        job = _Compilation(self._functions, self._parts, file, self._read)
        render = job.run(tree, key)

        def locate() -> Render:
            return _Compilation(self._functions, self._parts, file, self._read, located=True).run(tree, key)

        return Template(render, locate, frozenset(job.fields))

    def with_parts(self, tree: Any, file: str, key: str) -> dict[str, Any]:
        """`tree` with its own `$use` resolved (not that of its children), for sections whose keys are fixed."""
        if not isinstance(tree, dict):
            raise MappingError(file, key, "a mapping is expected")
        return used(tree, self._parts, Place(file, 0), key)


def used(tree: Mapping[str, Any], parts: Mapping[str, Any], place: Place, key: str) -> dict[str, Any]:
    """`tree` with its own `$use` replaced by the part; keys beside it win. Raises MappingError."""
    if "$use" not in tree:
        return Branch(tree, tree.places) if isinstance(tree, Branch) else dict(tree)
    seen: list[str] = []
    result, places = dict(tree), dict(tree.places) if isinstance(tree, Branch) else {}
    while "$use" in result:
        name, here = result.pop("$use"), places.get("$use", place)
        part = parts.get(name) if isinstance(name, str) else None
        if not isinstance(part, dict):
            raise MappingError(here.file, f"{key}.$use", f"there is no part {name!r} in _parts.yaml", here.line)
        if name in seen:
            raise MappingError(here.file, f"{key}.$use", f"part {name!r} uses itself", here.line)
        seen.append(name)
        result = {**part, **result}
        places = {**(part.places if isinstance(part, Branch) else {}), **places}
    return Branch(result, places)


class _Compilation:
    """One run of the compiler over one tree, with its limits."""

    def __init__(
        self,
        functions: MappingFunctions,
        parts: Mapping[str, Any],
        file: str,
        read: Read,
        *,
        located: bool = False,
    ) -> None:
        self._functions = functions
        self._parts = parts
        self._file = file
        self._read = read
        self._is_located = located  #: Whether every leaf guards itself and names its place.
        self._leaves = 0
        self._grows = False
        self._paths: dict[Render, Sequence[str]] = {}  #: Of the leaves that are plain paths.
        self.fields: set[str] = set()

    def run(self, tree: Any, key: str) -> Render:
        """The whole: a budget is begun and the result measured where lists are gone through."""
        place = Place(self._file, 0)
        render = self._compile(tree, key, 0, place)
        return _measured(render, place, key) if self._grows else render

    def _compile(self, tree: Any, key: str, level: int, place: Place) -> Render:
        self._leaves += 1
        if level > MAX_LEVELS:
            raise MappingError(place.file, key, f"more than {MAX_LEVELS} levels", place.line)
        if self._leaves > MAX_LEAVES:
            raise MappingError(place.file, key, f"more than {MAX_LEAVES:,} expressions and mappings", place.line)
        match tree:
            case dict():
                return self._mapping(used(tree, self._parts, place, key), key, level, place)
            case list():
                items = [self._compile(item, f"{key}[{n}]", level + 1, place) for n, item in enumerate(tree)]
                return _list_of(items)
            case None:
                return lambda _: None
            case bool() | int():
                return lambda _: tree
            case str():
                return self._leaf(tree, key, place)
        raise MappingError(place.file, key, "a leaf is an expression (text), an integer or a boolean", place.line)

    def _leaf(self, text: str, key: str, place: Place) -> Render:
        try:
            expression = self._read(text, self._functions)
        except ValueError as error:
            raise MappingError(place.file, key, str(error), place.line) from error
        self.fields |= expression.fields
        self._grows = self._grows or expression.grows
        evaluate: Render = expression.evaluate
        self._paths[evaluate] = expression.names
        return _guarded(evaluate, place, key) if self._is_located else evaluate

    def _mapping(self, tree: dict[str, Any], key: str, level: int, place: Place) -> Render:
        when = self._when(tree, key, place)
        if "$each" in tree:
            render = self._each(tree, key, level, place)
        else:
            children: list[tuple[str, Render]] = []
            for name, child in tree.items():
                here = place_of(tree, name, place)
                if name.startswith("$"):
                    raise MappingError(here.file, f"{key}.{name}", "unknown directive", here.line)
                children.append((name, self._compile(child, f"{key}.{name}", level + 1, here)))
            render = self._object(children)
        if when is None:
            return render
        truth = when
        return lambda context: render(context) if truth(context) else None

    def _object(self, children: list[tuple[str, Render]]) -> Render:
        paths = [self._paths.get(child, ()) for _, child in children]
        heads = {tuple(path[:-1]) for path in paths}
        if len(heads) == 1 and all(paths) and not self._is_located:
            return object_of(heads.pop(), [(name, path[-1]) for (name, _), path in zip(children, paths, strict=True)])

        def render(context: Context) -> Any:
            result = {}
            for name, child in children:  # a comprehension would be one more call
                value = child(context)
                if value is not None:
                    result[name] = value
            return result or None

        return render

    def _when(self, tree: dict[str, Any], key: str, place: Place) -> Truth | None:
        if "$when" not in tree:
            return None
        here = place_of(tree, "$when", place)
        text = tree.pop("$when")
        if not isinstance(text, str):
            raise MappingError(here.file, f"{key}.$when", "an expression is text", here.line)
        return self._leaf(f"!!({text})", f"{key}.$when", here)

    def _each(self, tree: dict[str, Any], key: str, level: int, place: Place) -> Render:
        if set(tree) != {"$each", "$item"} or not isinstance(tree["$each"], str):
            raise MappingError(
                place.file, key, "$each, an expression, stands with $item and nothing else but $when", place.line
            )
        here = place_of(tree, "$each", place)
        rows = self._leaf(tree["$each"], f"{key}.$each", here)
        before = self._leaves
        item = self._compile(tree["$item"], f"{key}.$item", level + 1, place_of(tree, "$item", place))
        weight = self._leaves - before
        self._grows = True

        def render(context: Context) -> Any:
            values = rows(context)
            if values is None:
                return None
            if not isinstance(values, list) or len(values) > MAX_ROWS:
                raise MappingError(
                    here.file, f"{key}.$each", f"a list of at most {MAX_ROWS:,} rows is expected", here.line
                )
            charge(weight * len(values))
            return [rendered for value in values if (rendered := item({**context, "item": value})) is not None]

        return _guarded(render, here, f"{key}.$each") if self._is_located else render


def _list_of(items: Sequence[Render]) -> Render:
    def render(context: Context) -> Any:
        result = []
        for item in items:
            value = item(context)
            if value is not None:
                result.append(value)
        return result

    return render


def _guarded(evaluate: Render, place: Place, key: str) -> Render:
    def render(context: Context) -> Any:
        try:
            return evaluate(context)
        except MappingError:
            raise
        except UNFIT as error:
            raise MappingError(place.file, key, unfit(error), place.line) from None

    return render


def _measured(render: Render, place: Place, key: str) -> Render:
    def measured(context: Context) -> Any:
        refill()
        result = render(context)
        if _is_too_large(result):
            raise MappingError(
                place.file, key, f"the result has more than {MAX_VALUES:,} values or {MAX_TEXT >> 20} MiB of text"
            )
        return result

    return measured


def _is_too_large(result: Any) -> bool:
    containers: list[Iterable[Any]] = [[result]]
    values, text = 1, 0
    for container in containers:  # grows on the way
        for value in container:
            if isinstance(value, str | bytes):
                text += len(value)
            elif value and isinstance(value, dict | list):
                values += len(value)
                if values > MAX_VALUES:
                    return True
                containers.append(value if isinstance(value, list) else value.values())
    return text > MAX_TEXT

"""Valid instances of JSON Schemas as OpenAPI 3.0 and 3.1 write them.

An optional part that leads back into itself is left out; of `oneOf` and `anyOf` the first branch is taken with which
the whole is valid. The validator has the last word.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.json_scalars import number, text
from connectors.kit.sample_values.json_validity import Validity, resolve

_DEEPEST = 40
_OPTIONAL_DEPTH = 6
_MOST_PROPERTIES = 400
_MOST_ROWS = 1000
_MOST_BRANCHES = 12
_OWN = ("oneOf", "anyOf", "allOf", "$ref")


class JsonSamples:
    """Makes sample values of the schemas in one document; the same schema gives the same sample each time."""

    def __init__(self, document: Mapping[str, Any], *, openapi30: bool = False, lenient: bool = False) -> None:
        """`document` is what local references (`#/…`) are looked up in. With `openapi30`, `nullable` and boolean
        exclusive bounds are understood. With `lenient`, several branches of a `oneOf` may fit and no
        property is one too many, because in many contracts nothing would be valid otherwise."""
        self._document = document
        self._validity = Validity(document, openapi30=openapi30, lenient=lenient)

    def value(self, schema: Any, *, omit: str = "", name: str = "sample") -> Any:
        """An instance of `schema`. `omit` is `readOnly` for requests and `writeOnly` for answers: such optional
        properties are left out. Free text says `name`. Raises NoSample."""
        maker = _Maker(self._document, self._validity, omit)
        try:
            made = maker.value(schema, name, ())
        except RecursionError as error:
            raise NoSample("its references are nested too deeply") from error
        problem = self._validity.problem(schema, made)
        if problem is not None:
            raise NoSample(f"the value that was made is not valid: {problem}")
        return made

    def problem(self, schema: Any, value: Any) -> str | None:
        """Why a value is not valid, None when it is."""
        return self._validity.problem(schema, value)


class _Maker:
    """The making of one sample."""

    def __init__(self, document: Mapping[str, Any], validity: Validity, omit: str) -> None:
        self._document = document
        self._validity = validity
        self._omit = omit
        self._properties = 0

    def value(self, schema: Any, name: str, path: tuple[str, ...]) -> Any:
        """An instance; `path` has the references that led here."""
        if schema is True or schema == {}:
            return name
        if not isinstance(schema, Mapping):
            raise NoSample(f"nothing is valid for {name}")
        if len(path) > _DEEPEST:
            raise NoSample(f"{name} requires itself")
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema, name, path)
        for known in self._given(schema):
            if self._validity.problem(schema, known) is None:
                return known
        last = NoSample(f"no value was found for {name}")
        for merged in self._forms(schema, path):
            try:
                made = self._plain(merged, name, (*path, ""))
            except NoSample as error:
                last = error
                continue
            if merged is schema or self._validity.problem(schema, made) is None:
                return made
        raise last

    def _referred(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Any:
        reference = schema["$ref"]
        if path.count(reference) > 1:
            raise NoSample(f"{reference.rpartition('/')[2]} requires itself")
        target = resolve(self._document, reference)
        beside = {key: value for key, value in schema.items() if key not in {"$ref", "description", "summary"}}
        if beside and isinstance(target, Mapping):
            target = {"allOf": [target], **beside}
        return self.value(target, name, (*path, reference))

    @staticmethod
    def _given(schema: Mapping[str, Any]) -> Iterator[Any]:
        if "const" in schema:
            yield schema["const"]
        yield from itertools.islice(schema.get("enum") or (), 50)
        if "example" in schema and not isinstance(schema.get("example"), dict | list):
            yield schema["example"]
        if "default" in schema and schema["default"] not in (None, "", [], {}):
            yield schema["default"]

    def _forms(self, schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
        """The schema without allOf, oneOf and anyOf: one form for each choice of branches."""
        if not any(key in schema for key in _OWN):
            yield schema
            return
        plain = {key: value for key, value in schema.items() if key not in _OWN}
        parts = [self._resolved(part, path) for part in schema.get("allOf") or ()]
        parts += [{key: schema[key]} for key in ("oneOf", "anyOf") if schema.get(key)]
        yield from self._combined(plain, parts, path)

    def _combined(
        self, plain: Mapping[str, Any], parts: list[Mapping[str, Any]], path: tuple[str, ...]
    ) -> Iterator[Mapping[str, Any]]:
        if not parts:
            yield plain
            return
        for form in itertools.islice(self._alternatives(parts[0], path), _MOST_BRANCHES):
            yield from itertools.islice(self._combined(_merged(plain, form), parts[1:], path), _MOST_BRANCHES)

    def _alternatives(self, part: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
        if len(path) > _DEEPEST:
            raise NoSample("a schema that contains itself")
        branches = part.get("oneOf") or part.get("anyOf")
        if branches is None or set(part) - {"oneOf", "anyOf"}:
            yield from self._forms(part, (*path, ""))
            return
        for branch in branches:
            yield from self._forms(self._resolved(branch, path), (*path, ""))

    def _resolved(self, part: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if not isinstance(part, Mapping):
                return {}
            reference = part.get("$ref")
            if not isinstance(reference, str):
                return part
            if path.count(reference) > 1:
                raise NoSample(f"{reference.rpartition('/')[2]} requires itself")
            beside = {key: value for key, value in part.items() if key != "$ref"}
            part = _merged(resolve(self._document, reference), beside)
        raise NoSample("references that lead in a circle")

    def _plain(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Any:
        for known in self._given(schema):
            if self._validity.problem(schema, known) is None:
                return known
        kind = _type_of(schema)
        if kind == "object":
            return self._object(schema, path)
        if kind == "array":
            return self._array(schema, name, path)
        if kind in {"integer", "number"}:
            return number(schema, kind)
        return {"boolean": True, "null": None}[kind] if kind in {"boolean", "null"} else text(schema, name)

    def _object(self, schema: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        made: dict[str, Any] = {}
        for name in (
            *(one for one in properties if one in required),
            *(one for one in required if one not in properties),
        ):
            made[name] = self.value(properties.get(name, self._further(schema)), name, path)
        most = schema.get("maxProperties", _MOST_PROPERTIES)
        for name, part in properties.items():
            if name not in made and len(made) < most and self._wanted(part, path):
                self._add_optional(made, name, part, path)
        for number_ in range(int(schema.get("minProperties") or 0)):
            if len(made) >= schema["minProperties"]:
                break
            made[f"extra{number_}"] = self.value(self._further(schema), f"extra{number_}", path)
        return {name: made[name] for name in (*properties, *made) if name in made}

    @staticmethod
    def _further(schema: Mapping[str, Any]) -> Any:
        further = schema.get("additionalProperties", True)
        return True if further is False else further

    def _wanted(self, part: Any, path: tuple[str, ...]) -> bool:
        self._properties += 1
        omitted = isinstance(part, Mapping) and bool(self._omit) and part.get(self._omit) is True
        return not omitted and len(path) <= _OPTIONAL_DEPTH and self._properties <= _MOST_PROPERTIES

    def _add_optional(self, made: dict[str, Any], name: str, part: Any, path: tuple[str, ...]) -> None:
        if isinstance(part, Mapping) and part.get("$ref") in path:
            return
        try:
            made[name] = self.value(part, name, path)
        except NoSample:
            return

    def _array(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> list[Any]:
        least = int(schema.get("minItems") or 0)
        if least > _MOST_ROWS:
            raise NoSample(f"{name} has at least {least} rows")
        first = schema.get("prefixItems") or []
        items = schema.get("items", True)
        try:
            rows = [self.value(part, name, path) for part in first]
            wanted = max(least, 0 if first else min(1, int(schema.get("maxItems", 1))))
            rows += self._rows(items, wanted - len(rows), name, path, unique=schema.get("uniqueItems") is True)
        except NoSample:
            if least:
                raise
            return []
        return rows

    def _rows(self, items: Any, count: int, name: str, path: tuple[str, ...], *, unique: bool) -> list[Any]:
        rows: list[Any] = []
        for turn in range(count):
            row = self.value(items, name, path)
            if unique and row in rows:
                row = self._another(items, rows, turn)
            rows.append(row)
        return rows

    def _another(self, items: Any, rows: list[Any], turn: int) -> Any:
        schema = self._resolved(items, ())
        candidates: list[Any] = list(schema.get("enum") or ())
        for row in rows:
            if isinstance(row, int) and not isinstance(row, bool):
                candidates += [row + turn, row - turn]
            elif isinstance(row, str):
                candidates += [f"{row}{turn}", f"{row[:-1]}{turn}", f"{turn}{row}"]
        candidates += [True, False] if schema.get("type") == "boolean" else []
        for candidate in candidates:
            if candidate not in rows and self._validity.problem(schema, candidate) is None:
                return candidate
        raise NoSample("rows that differ from one another")


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    if {"pattern", "minLength", "maxLength", "format"} & set(schema):
        return "string"
    return "number" if {"minimum", "maximum", "multipleOf"} & set(schema) else ""


def _merged(one: Any, other: Any) -> Any:
    """A schema that both hold for, as far as that can be written in one."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return other if isinstance(other, Mapping) else one
    result = dict(one)
    for key, value in other.items():
        result[key] = _MERGERS.get(key, _last)(result[key], value) if key in result else value
    return result


def _last(_: Any, value: Any) -> Any:
    return value


def _merge_types(one: Any, other: Any) -> Any:
    left, right = ([kind] if isinstance(kind, str) else list(kind) for kind in (one, other))
    both = [kind for kind in left if kind in right or (kind == "integer" and "number" in right)]
    both += [kind for kind in right if kind == "integer" and "number" in left and kind not in both]
    return both or other


def _merge_properties(one: Any, other: Any) -> Any:
    both = {key: {"allOf": [one[key], other[key]]} for key in one if key in other and one[key] != other[key]}
    return {**one, **other, **both}


_MERGERS: Mapping[str, Any] = {
    "properties": _merge_properties,
    "required": lambda one, other: [*one, *(name for name in other if name not in one)],
    "type": _merge_types,
    "enum": lambda one, other: [value for value in one if value in other],
    "minimum": max, "minLength": max, "minItems": max, "minProperties": max,
    "maximum": min, "maxLength": min, "maxItems": min, "maxProperties": min,
    "oneOf": _last, "anyOf": _last,
    "additionalProperties": lambda one, other: other if one is True else one,
}  # fmt: skip

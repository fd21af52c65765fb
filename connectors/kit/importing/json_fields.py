"""The fields of a JSON Schema, with everything of it that helps an author."""

from collections.abc import Mapping
from typing import Any

from connectors.kit.importing.fields import Field, snake, unique_names
from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.json_validity import resolve

_DEEPEST = 10
_MOST_FIELDS = 1200
_FORMS = {"integer": "integer", "number": "decimal", "boolean": "boolean", "string": "text", "object": "object"}
_MOST_VALUES = 200


class JsonFields:
    """Reads fields from the schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._count = 0

    def message(self, schema: Any) -> Field:
        """A body; one that is no object is a single value."""
        self._count = 0
        root = self.parameter("", schema, required=True)
        root.name = ""
        if root.repeats or not root.children:
            root.whole, root.name = True, "body"
        return root

    def parameter(self, name: str, schema: Any, *, required: bool) -> Field:
        """One value of this name."""
        field = Field(name, snake(name), "", least=1 if required else 0)
        self._describe(field, schema, ())
        return field

    def _describe(self, field: Field, schema: Any, refs: tuple[str, ...]) -> None:
        try:
            merged, refs = self._merged(schema, refs, 0)
        except NoSample:
            field.whole, field.form, field.kind = True, "any", "any content"
            return
        field.documentation = field.documentation or str(merged.get("description") or merged.get("title") or "")
        kind = _kind(merged)
        field.kind = " | ".join(kind) or "any content"
        field.facets = ", ".join(filter(None, [field.facets, _facets(merged)]))
        main = next((one for one in kind if one != "null"), "")
        if main == "array":
            self._array(field, merged, refs)
        elif main == "object":
            self._object(field, merged, refs)
        else:
            field.form = "bytes" if _is_binary(merged) else _FORMS.get(main, "any")
            field.media = str(merged.get("contentMediaType") or "") if field.form == "bytes" else ""
            field.whole = field.form == "any"
            field.patterns = (str(merged["pattern"]),) if "pattern" in merged else ()

    def _array(self, field: Field, merged: Mapping[str, Any], refs: tuple[str, ...]) -> None:
        if field.repeats:  # a list of lists
            field.whole, field.form = True, "any"
            return
        most = merged.get("maxItems")
        least = int(merged.get("minItems") or 0) if field.least else 0
        field.most = None if not isinstance(most, int) or most == 1 else most
        self._describe(field, merged.get("items", True), refs)
        field.least = least

    def _object(self, field: Field, merged: Mapping[str, Any], refs: tuple[str, ...]) -> None:
        field.form = "object"
        properties = merged.get("properties") or {}
        too_many = len(refs) > _DEEPEST * 3 or self._count > _MOST_FIELDS
        if not properties or too_many or len(refs) - len(set(refs)) > 0:
            field.whole = True
            return
        required = merged.get("required") or ()
        for key, schema in properties.items():
            self._count += 1
            child = Field(key, snake(key), "", least=1 if key in required else 0)
            self._describe(child, schema, (*refs, ""))
            field.children.append(child)
        unique_names(field.children)

    def _merged(self, schema: Any, refs: tuple[str, ...], level: int) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The schema with its reference and combinations put together; raises NoSample for one that contains itself."""
        if not isinstance(schema, Mapping):
            return {}, refs
        if level > _DEEPEST or refs.count("") > _DEEPEST:
            raise NoSample("too deep")
        reference = schema.get("$ref")
        result = {key: value for key, value in schema.items() if key not in {"$ref", "allOf", "oneOf", "anyOf"}}
        parts: list[tuple[Any, bool]] = []
        if isinstance(reference, str):
            if reference in refs:
                raise NoSample("contains itself")
            refs = (*refs, reference)
            parts.append((resolve(self._document, reference), True))
        parts += [(part, True) for part in schema.get("allOf") or ()]
        parts += [(part, False) for key in ("oneOf", "anyOf") for part in schema.get(key) or ()]
        for part, always in parts:
            inner, refs = self._merged(part, refs, level + 1)
            _take(result, inner, always=always)
        return result, refs


def _take(result: dict[str, Any], inner: Mapping[str, Any], *, always: bool) -> None:
    for key, value in inner.items():
        if key == "properties" and isinstance(value, Mapping):
            result["properties"] = {**value, **(result.get("properties") or {})}
        elif key == "required" and isinstance(value, list):
            if always:
                result["required"] = [*(result.get("required") or ()), *value]
        elif key not in result and (always or key in {"type", "items", "format"}):
            result[key] = value


def _is_binary(schema: Mapping[str, Any]) -> bool:
    """Base64: `format` in OpenAPI 3.0, `contentEncoding` in 3.1."""
    return schema.get("format") in {"byte", "binary"} or str(schema.get("contentEncoding")).lower() == "base64"


def _kind(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return [kind, "null"] if schema.get("nullable") is True else [kind]
    if isinstance(kind, list):
        return [str(one) for one in kind]
    if "properties" in schema or "additionalProperties" in schema:
        return ["object"]
    if all(isinstance(value, str) for value in schema.get("enum") or (None,)):
        return ["string"]
    return ["array"] if "items" in schema else []


def _facets(schema: Mapping[str, Any]) -> str:
    parts = []
    if isinstance(schema.get("enum"), list):
        values = [str(value) for value in schema["enum"] if value is not None]
        parts.append(f"one of {' | '.join(values[:_MOST_VALUES])}{' | …' if len(values) > _MOST_VALUES else ''}")
    if schema.get("format"):
        parts.append(str(schema["format"]))
    if "minLength" in schema or "maxLength" in schema:
        parts.append(f"length {schema.get('minLength', 0)}..{schema.get('maxLength', '∞')}")
    parts += [f"{words} {schema[key]}" for key, words in _BOUNDS if key in schema]
    return ", ".join(parts)


_BOUNDS = (
    ("pattern", "pattern"), ("minimum", "from"), ("maximum", "to"), ("exclusiveMinimum", "above"),
    ("exclusiveMaximum", "below"), ("multipleOf", "a multiple of"),
)  # fmt: skip

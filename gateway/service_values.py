"""This file checks the values of a service file; what is wrong is a `Wrong`, without the file's name and line."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from gateway.code_tables import CodeTableFault, resolve


class Wrong(Exception):
    """What is wrong with the value of a key (empty: with the file as a whole), without the file's name."""

    def __init__(self, problem: str, key: str = "") -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.problem = problem
        self.key = key


def form(raw: object, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of `input` and of an action's answer: code tables put in, and bilingual titles and hints taken
    out; and those by field."""
    table = table_of(raw, name)
    if table.get("type") != "object" or table.get("additionalProperties") is not False:
        raise Wrong('it must have type = "object" and additionalProperties = false', name)
    properties = table_of(table.get("properties", {}), f"{name}.properties")
    schema = {**table, "properties": {}}
    labels: dict[str, Any] = {}
    for key, raw_property in properties.items():
        where = f"{name}.properties.{key}"
        declared = dict(table_of(raw_property, where))
        label: dict[str, Any] = both_languages(declared.pop("title", None), f"{where}.title")
        title = label["en"]
        if "hint" in declared:
            label["hint"] = both_languages(declared.pop("hint"), f"{where}.hint")
        resolved, values = _values(declared, where)
        schema["properties"][key] = {"title": title, **resolved}
        labels[key] = {**label, "values": values} if values else label
    for key in strings(table.get("required", []), f"{name}.required"):
        if key not in properties:
            raise Wrong(f"it names {key!r}, which is not in {name}.properties", f"{name}.required")
    try:
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.Draft202012Validator(schema)
    except ValueError as error:
        raise Wrong(f"it is not a valid JSON Schema: {str(error).splitlines()[0]}", name) from error
    return schema, labels


def _values(declared: dict[str, Any], where: str) -> tuple[dict[str, Any], Mapping[str, dict[str, str]]]:
    """The field with the values that it may have, by its own words or by a code table, and those words."""
    if "values" not in declared:
        try:
            return resolve(declared)
        except CodeTableFault as error:
            raise Wrong(str(error), where) from error
    own = table_of(declared.pop("values"), f"{where}.values")
    if "enum" in declared or "$ref" in declared or not own:
        raise Wrong(
            "it names the values that the field may have, so neither enum nor $ref stands beside it", f"{where}.values"
        )
    return {**declared, "enum": list(own)}, {
        value: both_languages(words, f"{where}.values.{value}") for value, words in own.items()
    }


def check_keys(raw: Mapping[str, Any], required: frozenset[str], optional: frozenset[str], prefix: str) -> None:
    """Every key is known and none is missing."""
    if unknown := set(raw) - required - optional:
        raise Wrong(f"unknown key (known: {', '.join(sorted(required | optional))})", f"{prefix}{min(unknown)}")
    if missing := required - set(raw):
        raise Wrong("the key is missing", f"{prefix}{min(missing)}")


def table_of(raw: object, where: str) -> Mapping[str, Any]:
    """A TOML table."""
    if not isinstance(raw, dict):
        raise Wrong("it must be a table", where)
    return raw


def string(table: Mapping[str, Any], key: str, where: str = "") -> str:
    """A text that is not empty."""
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise Wrong("it must be text", f"{where}{'.' if where else ''}{key}")
    return value


def strings(raw: object, where: str) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(raw, list) or not all(isinstance(item, str) and item for item in raw):
        raise Wrong("it must be a list of texts", where)
    return tuple(raw)


def positive(table: Mapping[str, Any], key: str) -> int:
    """A whole number above zero."""
    value = table[key]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise Wrong("it must be a whole number above zero", key)
    return value


def one_of(value: object, allowed: tuple[str, ...], where: str) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in allowed:
        raise Wrong(f"it must be one of {', '.join(allowed)}", where)
    return value


def both_languages(raw: object, where: str) -> dict[str, str]:
    """{"ar", "en"}."""
    match raw:
        case {"ar": str(ar), "en": str(en), **rest} if not rest and ar.strip() and en.strip():
            return {"ar": ar, "en": en}
    raise Wrong("it must have the texts ar and en", where)

"""The JSON Schema of manifest.toml, made from the forms that the loader itself uses, for editors and other tools."""

from inspect import cleandoc
from typing import Any

import msgspec

from connectors.kit.manifest.forms import NAME, OPERATION, READING_ROLES, Manifest

_ID = "https://jisr.example/schemas/manifest.schema.json"


def manifest_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. What the loader checks between the parts beyond this, it says itself."""
    schema = msgspec.json.schema(Manifest)
    schema = plain(schema)
    definitions = schema["$defs"]
    manifest = definitions["Manifest"]
    manifest["properties"]["name"]["pattern"] = _whole(NAME.pattern)
    manifest["allOf"] = [
        _when({"kind": {"const": "soap"}}, {"required": ["soap"], "properties": {"rest": False}}),
        _when({"kind": {"const": "rest"}}, {"properties": {"soap": False}}),
    ]
    settings = manifest["properties"]["settings"]
    settings["required"] = ["base_url"]
    settings["properties"] = {"base_url": {"$ref": "#/$defs/Setting", "properties": {"type": {"const": "url"}}}}
    for key in ("operations", "callbacks", "statements"):
        manifest["properties"][key]["propertyNames"] = {"pattern": _whole(OPERATION.pattern)}
    manifest["properties"]["operations"]["minProperties"] = 1
    operation = definitions["DeclaredOperation"]
    effects = operation["properties"]["effect"]
    effects["enum"] = definitions.pop("Effect")["enum"]
    del effects["$ref"]
    reading = {"role": {"enum": sorted(READING_ROLES)}}
    safe = {"const": "safe"}
    operation["allOf"] = [
        _when(
            reading,
            {"properties": {"effect": safe}},
            {"properties": {"effect": {"not": safe}}},
        ),
        _when({"effect": {"const": "inquirable"}}, {"required": ["inquire"]}),
    ]
    setting = definitions["Setting"]
    setting["allOf"] = [_when({"secret": {"const": True}}, {"properties": {"default": False}}, required=["secret"])]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _ID,
        "title": "Manifest of a connector package",
        **schema,
    }


def plain(node: Any) -> Any:
    """Without what TOML does not have (null), and without the words of OpenAPI that msgspec adds."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: plain(value) for key, value in node.items() if key not in {"discriminator", "properties"}}
    if "properties" in node:  # names, not words of JSON Schema
        kept["properties"] = {name: plain(declared) for name, declared in node["properties"].items()}
    if "description" in kept:
        kept["description"] = cleandoc(kept["description"])
    if isinstance(kept.get("default", 0), dict | None):
        del kept["default"]
    if isinstance(kept.get("anyOf"), list):
        kept["anyOf"] = [one for one in kept["anyOf"] if one != {"type": "null"}]
        if len(kept["anyOf"]) == 1:
            kept |= kept.pop("anyOf")[0]
    return kept


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _when(
    properties: dict[str, Any],
    then: dict[str, Any],
    otherwise: dict[str, Any] | None = None,
    required: list[str] | None = None,
) -> dict[str, Any]:
    rule: dict[str, Any] = {"if": {"properties": properties, "required": required or list(properties)}, "then": then}
    return rule if otherwise is None else {**rule, "else": otherwise}

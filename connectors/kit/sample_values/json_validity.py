"""Whether a value is valid, judged by jsonschema-rs; OpenAPI 3.0's own words are put into JSON Schema's first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from connectors.kit.sample_values.errors import NoSample

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ADDRESS = "urn:jisr:document"
_WRONG = "the schema itself is wrong"
_COMBINING = frozenset({"$ref", "allOf", "oneOf", "anyOf"})
_MOST_SHOWN = 120
#: Under which of these the validator says what a rule demands, or what is not as it demands.
_DEMANDS = ("property", "pattern", "options", "expected_value", "limit", "multiple_of", "types", "format", "unexpected")


def steps_of(reference: str) -> list[str]:
    """The keys on the way to what a local reference means."""
    steps = reference[2:].split("/") if reference not in {"", "#"} else []
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in steps]


def resolve(document: Any, reference: str) -> Any:
    """What a local reference (`#/components/schemas/Thing`) means. Raises NoSample."""
    if reference != "#" and not reference.startswith("#/"):
        raise NoSample(f"the reference {reference[:80]} leads out of the document")
    found = document
    for key in steps_of(reference):
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise NoSample(f"the reference {reference[:80]} leads to nothing")
    return found


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a value breaks a schema, and which rule."""

    steps: tuple[str | int, ...]  #: Into the value.
    rule: str  #: The way to the rule in the schema, and what it demands; without the value.


class Validity:
    """Validates against schemas of one document."""

    def __init__(
        self, document: Mapping[str, Any], *, openapi30: bool, lenient: bool = False, spared: str = ""
    ) -> None:
        """`spared` is `readOnly` for requests and `writeOnly` for answers: such properties are not required there."""
        self._spared = spared
        self._translate = openapi30
        self._lenient = lenient
        self._registry: Any = None
        self._document = document
        self._validators: dict[int, tuple[Any, Any]] = {}

    def problem(self, schema: Any, value: Any) -> str | None:
        """The first error in words without the value, None when there is none."""
        broken = self.broken(schema, value)
        if broken is None or broken.rule.startswith(_WRONG):
            return None if broken is None else broken.rule
        return f"{'/'.join(str(step) for step in broken.steps) or 'the value'} does not satisfy {broken.rule}"

    def broken(self, schema: Any, value: Any) -> Broken | None:
        """The first rule that the value breaks; None when it is valid."""
        try:
            validator = self._validator(schema)
        except (ValueError, RecursionError) as error:
            return Broken((), f"{_WRONG} ({str(error).splitlines()[0][:200]})")
        if validator.is_valid(value):
            return None
        first = next(iter(validator.iter_errors(value)))
        return Broken(tuple(first.instance_path), _rule(first))

    def _is_spared(self, schema: Any) -> bool:
        return isinstance(schema, Mapping) and schema.get(self._spared) is True

    def _validator(self, schema: Any) -> Any:
        known = self._validators.get(id(schema))
        if known is not None and known[0] is schema:
            return known[1]
        if self._registry is None:
            self._registry = jsonschema_rs.Registry(
                [(_ADDRESS, self._own(self._document))], draft=jsonschema_rs.Draft202012
            )
        own = self._own(schema)
        validator = jsonschema_rs.validator_for(
            {"$schema": _DRAFT, **own} if isinstance(own, dict) else own, registry=self._registry
        )
        self._validators[id(schema)] = (schema, validator)
        return validator

    def _own(self, tree: Any) -> Any:
        """A copy for the validator: references made absolute, and 3.0's words translated."""
        if isinstance(tree, list):
            return [self._own(item) for item in tree]
        if not isinstance(tree, Mapping):
            return tree
        result = {
            key: self._own(value)
            for key, value in tree.items()
            if key not in {"$schema", "$id", "id"} or isinstance(value, Mapping)
        }
        reference = result.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            result["$ref"] = f"{_ADDRESS}{reference}"
        if self._spared and isinstance(result.get("required"), list) and isinstance(result.get("properties"), dict):
            properties = result["properties"]
            result["required"] = [name for name in result["required"] if not self._is_spared(properties.get(name))]
        if self._lenient and isinstance(result.get("oneOf"), list) and "anyOf" not in result:
            result["anyOf"] = result.pop("oneOf")
        if self._lenient and result.get("additionalProperties") is False:
            del result["additionalProperties"]
        return _translated(result) if self._translate else result


def _rule(error: Any) -> str:
    """`properties/plate/pattern: ^[0-9]+$`"""
    told = (getattr(error.kind, key, None) for key in _DEMANDS)
    demanded = next((one for one in told if one is not None and not isinstance(one, type)), None)
    way = "/".join(str(step) for step in error.schema_path)
    if demanded is None:
        return way
    text = demanded if isinstance(demanded, str) else json.dumps(demanded, ensure_ascii=False, default=str)
    return f"{way}: {text[:_MOST_SHOWN]}"


def _translated(schema: dict[str, Any]) -> dict[str, Any]:
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
    if not isinstance(schema.get("nullable"), bool) or schema.pop("nullable") is False:
        return schema
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        return schema
    # many documents write it beside a reference or an allOf, which would forbid null by itself
    return {"anyOf": [schema, {"type": "null"}]} if _COMBINING & set(schema) else schema

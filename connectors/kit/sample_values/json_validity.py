"""Whether a value is valid, judged by jsonschema-rs; OpenAPI 3.0's own words are put into JSON Schema's first."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from connectors.kit.sample_values.errors import NoSample

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ADDRESS = "urn:jisr:document"
_MOST_NODES = 2_000_000


def resolve(document: Any, reference: str) -> Any:
    """What a local reference (`#/components/schemas/Thing`) means. Raises NoSample."""
    if reference != "#" and not reference.startswith("#/"):
        raise NoSample(f"the reference {reference[:80]} leads out of the document")
    found = document
    for step in reference[2:].split("/") if reference != "#" else ():
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise NoSample(f"the reference {reference[:80]} leads to nothing")
    return found


class Validity:
    """Validates against schemas of one document."""

    def __init__(self, document: Mapping[str, Any], *, openapi30: bool, lenient: bool = False) -> None:
        self._translate = openapi30
        self._lenient = lenient
        self._registry: Any = None
        self._document = document
        self._validators: dict[int, tuple[Any, Any]] = {}

    def problem(self, schema: Any, value: Any) -> str | None:
        """The first error in words without the value, None when there is none."""
        try:
            validator = self._validator(schema)
        except (ValueError, RecursionError) as error:
            return f"the schema itself is wrong ({str(error).splitlines()[0][:200]})"
        if validator.is_valid(value):
            return None
        first = next(iter(validator.iter_errors(value)))
        where = "/".join(str(step) for step in first.instance_path)
        return f"{where or 'the value'} does not satisfy {'/'.join(str(step) for step in first.schema_path)}"

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
        if self._lenient and isinstance(result.get("oneOf"), list) and "anyOf" not in result:
            result["anyOf"] = result.pop("oneOf")
        if self._lenient and result.get("additionalProperties") is False:
            del result["additionalProperties"]
        return _translated(result) if self._translate else result


def _translated(schema: dict[str, Any]) -> dict[str, Any]:
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
    if schema.pop("nullable", None) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
    return schema

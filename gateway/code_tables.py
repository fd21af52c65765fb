"""This file puts code tables into JSON Schemas: `"$ref" = "jisr:governorate"` becomes the table's list of codes.

A field holds one governorate and the table all governorates, so the reference stands in the singular.
"""

from collections.abc import Mapping
from typing import Any

from mappings.codes import UnknownCode, table

_SCHEME = "jisr:"


class CodeTableFault(ValueError):
    """A schema refers to a code table that does not exist."""


def resolve(schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The schema with its `jisr:` reference replaced by an enum, and the labels of the codes ({} without one)."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith(_SCHEME):
        return dict(schema), {}
    name = reference.removeprefix(_SCHEME)
    try:
        codes = table(f"{name}s")
    except UnknownCode as error:
        raise CodeTableFault(f"the code table {name!r} does not exist") from error
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    labels = {value: {"ar": codes.name_of(value, "ar"), "en": codes.name_of(value, "en")} for value in codes}
    return {**rest, "enum": list(codes)}, labels

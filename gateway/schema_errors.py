"""This file turns what a JSON Schema found into errors that a person can act on: where, which code, what is expected.

The value itself never stands in an error: it may be personal.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any

import jsonschema_rs

from gateway.canonicalise import pointer
from gateway.errors import FieldError, Text, field_error

#: What a fault at one place means there; elsewhere the keyword's own code stands.
_PLACES = {
    ("/payment", "required"): "payment_required",
    ("/payment", "falseSchema"): "payment_not_expected",
    ("/delivery/address", "falseSchema"): "delivery_not_expected",
    ("/delivery/centre", "falseSchema"): "delivery_not_expected",
    ("/delivery/centre", "enum"): "centre_unknown",
    ("/payment/method", "enum"): "method_not_offered",
    ("/payment/amount/value", "type"): "amount_not_exact",
    ("/payment/amount/value", "maxLength"): "amount_not_exact",
    ("/payment/payer/mobile", "pattern"): "mobile_wrong",
    ("/applicant/mobile", "pattern"): "mobile_wrong",
    ("/applicant/national_number", "pattern"): "national_number_wrong",
    ("/applicant/birth_date", "format"): "date_wrong",
}
_KEYWORDS = {
    "type": "wrong_type",
    "enum": "not_in_list",
    "const": "not_in_list",
    "pattern": "wrong_format",
    "format": "wrong_format",
    "minLength": "too_short",
    "maxLength": "too_long",
    "minimum": "too_small",
    "exclusiveMinimum": "too_small",
    "maximum": "too_large",
    "exclusiveMaximum": "too_large",
    "minItems": "wrong_count",
    "maxItems": "wrong_count",
    "minProperties": "wrong_count",
    "maxProperties": "wrong_count",
    "uniqueItems": "not_unique",
}
_TYPES = {
    "string": Text("نص", "text"),
    "integer": Text("عدد صحيح", "a whole number"),
    "number": Text("عدد", "a number"),
    "boolean": Text("نعم أو لا (true أو false)", "true or false"),
    "object": Text("كائن", "an object"),
    "array": Text("قائمة", "a list"),
    "null": Text("لا شيء (null)", "null"),
}
_MAX_LISTED = 20


def explain(
    validator: jsonschema_rs.Draft202012Validator,
    body: Any,
    *,
    but_not: AbstractSet[str] = frozenset(),
    methods: Sequence[str] = (),
    hints: Mapping[str, Text] = MappingProxyType({}),
) -> list[FieldError]:
    """One error for every place with a fault, but for places that have one already.

    `methods` can pay the fee; `hints` tell people how the value at a pointer is written.
    """
    found: dict[str, FieldError] = {}
    for raw in validator.iter_errors(body):
        for error in _errors(raw, methods, hints):
            found.setdefault(error.pointer, error)
    return [error for place, error in found.items() if place not in but_not]


def _errors(
    raw: jsonschema_rs.ValidationError, methods: Sequence[str], hints: Mapping[str, Text]
) -> Iterator[FieldError]:
    path = tuple(raw.instance_path)
    keyword, kind = raw.kind.name, raw.kind.as_dict()
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        yield from (field_error(pointer((*path, name)), "unknown_field") for name in kind["unexpected"])
        return
    place = pointer((*path, kind["property"])) if keyword == "required" else pointer(path)
    code = _PLACES.get((place, keyword)) or ("required" if keyword == "required" else _KEYWORDS.get(keyword))
    facts = {"allowed": ", ".join(methods), **_facts(kind)}
    if place in hints:
        facts["expected"] = hints[place]
    yield field_error(place, code or "not_matching", **facts)


def _facts(kind: dict[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {}
    if "limit" in kind:
        facts["limit"] = kind["limit"]
    if "options" in kind:
        options = [str(option) for option in kind["options"]]
        facts["allowed"] = ", ".join(options[:_MAX_LISTED]) + (", …" if len(options) > _MAX_LISTED else "")
    if "types" in kind:
        words = [_TYPES.get(name, Text(name, name)) for name in kind["types"]]
        facts["expected"] = Text(" / ".join(word.ar for word in words), " / ".join(word.en for word in words))
    for key in ("pattern", "format"):
        if key in kind:
            facts["expected"] = kind[key]
    return facts

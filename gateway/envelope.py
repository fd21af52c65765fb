"""This file holds the JSON Schema of the body of POST /v1/requests: the envelope, and a service's input inside it."""

from collections.abc import Sequence
from typing import Any

from gateway.catalogue import DELIVERY, Service
from gateway.documents.references import PATTERN
from mappings.codes import table

MOBILE_PATTERN = r"^(\+963|00963|963|0)9[0-9]{8}$"
NATIONAL_NUMBER_PATTERN = "^[0-9]{11}$"


def _name(description: str) -> dict[str, Any]:
    part = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"\p{L}"}
    parts = ("given", "father", "mother", "family")
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "required": list(parts),
        "properties": {name: dict(part) for name in parts},
    }


def applicant_schema() -> dict[str, Any]:
    """Who the request is for."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["national_number", "name", "assurance"],
        "properties": {
            "national_number": {"type": "string", "pattern": NATIONAL_NUMBER_PATTERN},
            "name": _name("In Arabic, as it stands in the civil register; kept as it was typed."),
            "latin_name": _name("The same name in Latin letters."),
            "birth_date": {"type": "string", "format": "date"},
            "mobile": {"type": "string", "pattern": MOBILE_PATTERN},
            "account": {
                "type": "string",
                "minLength": 1,
                "maxLength": 128,
                "description": "The channel's own id of the citizen's account.",
            },
            "assurance": {
                "enum": ["low", "substantial", "high"],
                "description": "How surely the channel knows who the applicant is.",
            },
        },
    }


def delivery_schema(ways: tuple[str, ...], centres: Sequence[str] | None = None) -> dict[str, Any]:
    """How the result reaches the citizen; electronic when it is not said. `centres` None: any id of a centre."""
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    address = {
        "type": "object",
        "description": "Where the post brings it; only for `post`.",
        "additionalProperties": False,
        "required": ["governorate", "city", "street"],
        "properties": {
            "governorate": {"enum": list(table("governorates"))},
            "city": dict(text),
            "street": dict(text),
            "details": {**text, "description": "Building, floor, what helps to find it."},
        },
    }
    centre: dict[str, Any] = {"description": "Where the citizen comes for it; only for `centre`: see /v1/centres."}
    centre |= {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,40}$"} if centres is None else {"enum": list(centres)}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["method"],
        "properties": {"method": {"enum": list(ways)}, "address": address, "centre": centre},
        "allOf": [_only("post", "address"), _only("centre", "centre")],
    }


def _only(method: str, field: str) -> dict[str, Any]:
    """The field is there with this method, and with no other."""
    return {
        "if": {"properties": {"method": {"const": method}}, "required": ["method"]},
        "then": {"required": [field]},
        "else": {"properties": {field: False}},
    }


def payment_schema(methods: tuple[str, ...] | None = None) -> dict[str, Any]:
    """How the fee is paid. `amount` is what the citizen was shown; it must equal the fee exactly."""
    method: dict[str, Any] = {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["method"],
        "properties": {
            "method": method if methods is None else {"enum": list(methods)},
            "payer": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"mobile": {"type": "string", "pattern": MOBILE_PATTERN}},
            },
            "amount": {
                "type": "object",
                "additionalProperties": False,
                "required": ["value", "currency", "denomination"],
                "properties": {
                    "value": {"type": "string", "maxLength": 40},
                    "currency": {"type": "string", "maxLength": 8},
                    "denomination": {"type": "string", "maxLength": 16},
                },
            },
        },
    }


def attachments_schema() -> dict[str, Any]:
    """The uploads that the request brings, by kind of document."""
    return {
        "type": "object",
        "description": "Kind of document -> digest of an upload (POST /v1/attachments); see the service's documents.",
        "maxProperties": 20,
        "propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,60}$"},
        "additionalProperties": {"type": "string", "pattern": PATTERN},
    }


def request_schema(service: Service | None, centres: Sequence[str] | None = None) -> dict[str, Any]:
    """The whole body for one service; None is the body when the service is not known (its input is any object)."""
    properties: dict[str, Any] = {
        "service": {"type": "string", "maxLength": 100} if service is None else {"const": service.id},
        "applicant": applicant_schema(),
        "input": {"type": "object"} if service is None else service.schema,
        "delivery": delivery_schema(DELIVERY if service is None else service.delivery, centres),
        "attachments": attachments_schema(),
        "reference": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "description": "The channel's own reference; it is returned as it came and can be searched for.",
        },
    }
    required = ["service", "applicant", "input"]
    if service is not None and "electronic" not in service.delivery:
        required.append("delivery")
    if service is None:
        properties["payment"] = payment_schema()
    elif service.fee is None:
        properties["payment"] = False
    else:
        properties["payment"] = payment_schema(service.fee.methods)
        required.append("payment")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }

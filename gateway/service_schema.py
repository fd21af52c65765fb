"""The JSON Schema of a service file (`config/services/*.toml`), for editors; `gateway.catalogue` is the loader."""

from typing import Any

from gateway.catalogue import ASSURANCE, DELIVERY, STEP_KINDS
from gateway.service_actions import RESERVED
from mappings.codes import table_names
from mappings.money import denominations

_ID = "https://jisr.example/schemas/service.schema.json"
_TEXT = {"type": "string", "pattern": r"\S"}
_STEP_MEANS = {
    "check": "asks the institution without changing anything; put it before `pay`, since a refund may be impossible",
    "quote": "asks for the price, without changing anything",
    "pay": "collects the fee; exactly one, when there is a fee",
    "submit": "asks the institution to act",
    "await": "asks what became of it until it is decided; skipped when `submit` brought the document already",
    "deliver": "hands the documents to the channel",
}


def service_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one service file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _ID,
        "title": "A service of the catalogue",
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "institution", "name", "turnaround_hours", "steps", "input"],
        "properties": _properties(),
        "if": {"required": ["fee"]},
        "then": _pay_steps({"minContains": 1, "maxContains": 1}),
        "else": _pay_steps({"minContains": 0, "maxContains": 0}),
        "$defs": {
            "Words": {
                "description": "A text in both languages.",
                "type": "object",
                "additionalProperties": False,
                "required": ["ar", "en"],
                "properties": {
                    "ar": {"description": "In Arabic.", **_TEXT},
                    "en": {"description": "In English.", **_TEXT},
                },
            },
            "Fee": _fee(),
            "Step": _step(),
            "Input": _input(),
            "Field": _field(),
            "Action": _action(),
        },
    }


def _pay_steps(count: dict[str, int]) -> dict[str, Any]:
    return {"properties": {"steps": {"contains": {"properties": {"kind": {"const": "pay"}}}, **count}}}


def _properties() -> dict[str, Any]:
    return {
        "id": {"description": "Names the service for ever: `education.secondary-certificate-copy`.", **_TEXT},
        "institution": {"description": "The institution, by the name of its connector's folder.", **_TEXT},
        "name": {"description": "What people read.", "$ref": "#/$defs/Words"},
        "turnaround_hours": {
            "description": "How long the institution usually takes.",
            "type": "integer",
            "exclusiveMinimum": 0,
        },
        "required_documents": {
            "description": "Kinds of attachment that the applicant must bring.",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
        },
        "minimum_assurance": {
            "description": "How surely the channel must know who the applicant is.",
            "enum": list(ASSURANCE),
            "default": "low",
        },
        "pay_within_hours": {
            "description": "An unpaid request expires after that.",
            "type": "integer",
            "exclusiveMinimum": 0,
            "default": 24,
        },
        "delivery": {
            "description": "The ways in which the result can reach the citizen.",
            "type": "array",
            "items": {"enum": list(DELIVERY)},
            "default": ["electronic"],
        },
        "fee": {"description": "What the citizen pays; left out: nothing.", "$ref": "#/$defs/Fee"},
        "steps": {
            "description": "What is done, in this order.",
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/Step"},
        },
        "input": {"description": "JSON Schema 2020-12 of the service's own fields.", "$ref": "#/$defs/Input"},
        "result": {
            "description": "JSON Schema 2020-12 of a result that is data: fields of what the steps' answers brought.",
            "$ref": "#/$defs/Input",
        },
        "actions": {
            "description": "What an institution may ask the citizen for, by the kind that its mapping names.",
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,40}$", "not": {"enum": sorted(RESERVED)}},
            "additionalProperties": {"$ref": "#/$defs/Action"},
        },
    }


def _fee() -> dict[str, Any]:
    known = denominations()
    return {
        "description": "What the citizen pays, and by which payment connectors.",
        "type": "object",
        "additionalProperties": False,
        "required": ["methods"],
        "if": {"properties": {"quoted": {"const": True}}, "required": ["quoted"]},
        "then": {"properties": {"amount": False, "currency": False, "denomination": False}},
        "else": {"required": ["amount", "currency", "denomination"]},
        "properties": {
            "amount": {
                "description": "In major units, as text: `25.00`; more than zero, with the denomination's decimals.",
                "type": "string",
                "pattern": r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$",
                "not": {"pattern": r"^0(\.0*)?$"},
            },
            "currency": {"description": "ISO 4217.", "enum": sorted({one.currency for one in known.values()})},
            "denomination": {"description": "Which money it counts in.", "enum": sorted(known)},
            "methods": {
                "description": "The payment connectors among which the citizen may choose.",
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
            },
            "quoted": {
                "description": "The step `quote`, which stands before `pay`, says what is to be paid; then there is "
                "no amount, currency and denomination here.",
                "type": "boolean",
                "default": False,
            },
            "example": {
                "description": "The amount is an example, not a tariff.",
                "type": "boolean",
                "default": False,
            },
        },
    }


def _step() -> dict[str, Any]:
    own = {"properties": {"kind": {"enum": ["pay", "deliver"]}}, "required": ["kind"]}
    return {
        "description": "One step: one operation of one connector, or `pay` and `deliver`, which are the gateway's own.",
        "type": "object",
        "additionalProperties": False,
        "required": ["kind"],
        "properties": {
            "kind": {
                "description": "; ".join(f"`{kind}` {_STEP_MEANS[kind]}" for kind in STEP_KINDS) + ".",
                "enum": list(STEP_KINDS),
            },
            "connector": {"description": "The connector, by its folder's name; not for `pay` and `deliver`.", **_TEXT},
            "operation": {"description": "One operation of its manifest; not for `pay` and `deliver`.", **_TEXT},
        },
        "if": own,
        "then": {"properties": {"connector": False, "operation": False}},
        "else": {"required": ["connector", "operation"]},
    }


def _action() -> dict[str, Any]:
    one = {"required": ["operation"]}, {"required": ["goes_on"]}
    return {
        "description": "One kind of next action. Either `operation` or `goes_on` says what follows the answer.",
        "type": "object",
        "additionalProperties": False,
        "required": ["text", "answer"],
        "oneOf": list(one),
        "properties": {
            "text": {
                "description": "What the citizen is told; `{name}` stands for a detail that the mapping gives.",
                "$ref": "#/$defs/Words",
            },
            "answer": {
                "description": "JSON Schema 2020-12 of the answer, in the form of `[input]`; a field for which the "
                "mapping gives choices gets them as its values.",
                "$ref": "#/$defs/Input",
            },
            "operation": {
                "description": "The operation, of the connector that asked, to which the answer is handed; its mapping "
                "reads `action.answer`, and `subject_operation_id` is the act that asked.",
                **_TEXT,
            },
            "goes_on": {
                "description": "The kind of the step at which the request goes on. A price that was consented to is in "
                "force from then on: at `pay` what is still due is paid, and nothing when nothing is.",
                "enum": list(STEP_KINDS),
            },
            "ends_on": {
                "description": "An answer with these values ends the request, as cancelled by the citizen.",
                "type": "object",
            },
            "answer_within_hours": {
                "description": "The request expires after that, when the institution names no time of its own.",
                "type": "integer",
                "exclusiveMinimum": 0,
                "default": 168,
            },
        },
    }


def _input() -> dict[str, Any]:
    return {
        "description": "What the service asks for (anything else in a request is refused), or what its result has.",
        "type": "object",
        "required": ["type", "additionalProperties"],
        "properties": {
            "type": {"description": "Always `object`.", "const": "object"},
            "additionalProperties": {"description": "Always `false`.", "const": False},
            "required": {
                "description": "The fields that must be given.",
                "type": "array",
                "items": {"type": "string", "minLength": 1},
            },
            "properties": {
                "description": "The fields by name.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/Field"},
            },
        },
    }


def _field() -> dict[str, Any]:
    tables = sorted(f"jisr:{name.removesuffix('s')}" for name in table_names())
    return {
        "description": "One field: its words, and any other keyword of JSON Schema 2020-12.",
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": {"description": "Its label.", "$ref": "#/$defs/Words"},
            "hint": {"description": "How a value is written.", "$ref": "#/$defs/Words"},
            "values": {
                "description": "The values that it may have, each with its words in both languages; instead of `enum`.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/$defs/Words"},
            },
            "$ref": {
                "description": "Puts a code table in place: its codes are allowed, and both languages label them.",
                "type": "string",
                "if": {"pattern": "^jisr:"},
                "then": {"enum": tables},
            },
        },
    }

"""The JSON Schemas of mapping documents, their parts, their cases, and codes.toml, for editors and other tools."""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.kit.codebook import Raised
from connectors.kit.contract import Status
from connectors.kit.mapping_tools.cases import KEYS as CASE_KEYS
from connectors.kit.package import ANSWER_KEYS, REQUEST_KEYS, TOKEN_KEYS
from mappings.expression import MAX_CHARACTERS
from mappings.functions import MappingFunctions, documented

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_WORDS: Mapping[str, str] = {
    "path": "Fills the braces of the manifest's wire; one expression each.",
    "query": "The query string.",
    "headers": "HTTP headers.",
    "header": "SOAP: the headers that the WSDL declares, by local name.",
    "body": "REST: the JSON object. SOAP: the children of the operation's element.",
    "code": "The institution's code; codes.toml says what it means. What is not listed there is never final.",
    "message": "The institution's own words.",
    "reference": "The institution's reference of the act.",
    "next_inquiry_seconds": "When the institution wishes to be asked again.",
    "data": "Kept with the request as the outcome's data.",
    "documents": "The documents of the answer: name, media_type, content (base64 or bytes), sha256, size.",
    "same": "Pairs that must be equal, or the answer belongs to another act and is not read.",
    "document_required": "With these statuses at least one document must be there.",
    "next_action": "What the citizen must do first: kind (one of the service's [actions.KIND]), details, choices, "
    "expires_in_seconds, expires_at. With a code that is pending or refused.",
    "quote": "The price that the institution names: id, amount (of money_of), valid_until.",
    "token": "The access token (of the token operation).",
    "expires_in_seconds": "How long the token lives.",
}
_EXPRESSION: Mapping[str, Any] = {"$ref": "#/$defs/expression"}
_TREE: Mapping[str, Any] = {"$ref": "#/$defs/tree"}


def mapping_schema() -> dict[str, Any]:
    """Of mapping/<operation>.yaml."""
    request = sorted(set().union(*REQUEST_KEYS.values()))
    return {
        **_head("mapping", "Mapping document of one operation"),
        "type": "object",
        "additionalProperties": False,
        "required": ["answer"],
        "properties": {
            "request": _section("What is sent.", request),
            "answer": {**_section("What the answer means.", sorted(ANSWER_KEYS | TOKEN_KEYS)), **_CODED},
        },
        "$defs": _definitions(),
    }


_CODED: Mapping[str, Any] = {"anyOf": [{"required": ["code"]}, {"required": ["$use"]}]}


def parts_schema() -> dict[str, Any]:
    """Of mapping/_parts.yaml."""
    return {
        **_head("mapping-parts", "Parts that several mapping documents share"),
        "type": "object",
        "propertyNames": {"pattern": "^[^$]"},
        "additionalProperties": {"$ref": "#/$defs/mapping"},
        "$defs": _definitions(),
    }


def cases_schema() -> dict[str, Any]:
    """Of mapping/<operation>.cases.yaml."""
    text, tree = {"type": "string"}, {"type": "object"}
    kinds: dict[str, Any] = {
        "case": {**text, "description": "What it shows, in a sentence."},
        "sample": {**text, "description": "The sample whose canonical document it starts from; else `succeeded`."},
        "given": {**tree, "description": "Laid over that document."},
        "request": {**tree, "description": "What the request has; only what is named is compared, null means absent."},
        "answer": {**tree, "description": "The answer as the mapping reads it."},
        "http": {**tree, "description": "status and headers of the answer."},
        "outcome": {**tree, "description": "What the outcome has; only what is named is compared."},
        "error": {**text, "description": "A part of the error that is wanted."},
        "rows": {
            "type": "array",
            "minItems": 2,
            "items": {"type": "array"},
            "description": "A table: paths (given.input.level) in the first row, a case in each further one.",
        },
    }
    assert set(kinds) == CASE_KEYS, "the schema has every key of a case"
    case = {"type": "object", "additionalProperties": False, "properties": kinds}
    return {
        **_head("mapping-cases", "Cases beside a mapping document"),
        "type": "object",
        "additionalProperties": False,
        "required": ["cases"],
        "properties": {"cases": {"type": "array", "items": case}},
    }


def codes_schema() -> dict[str, Any]:
    """Of codes.toml."""
    needs_code = [status.value for status in (Status.REFUSED, Status.IN_DOUBT)]
    meaning = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "status": {"enum": [status.value for status in Status], "description": "What the code means."},
            "code": {
                "type": "string",
                "description": "The canonical code: a row of the error catalogue for refused and in_doubt.",
            },
            "error": {
                "enum": list(Raised.__args__),  # type: ignore[attr-defined]  # a Literal's values
                "description": "Raised, never an outcome.",
            },
        },
        "oneOf": [{"required": ["status"]}, {"required": ["error"]}],
        "if": {"properties": {"status": {"enum": needs_code}}, "required": ["status"]},
        "then": {"required": ["code"], "properties": {"code": {"minLength": 1}}},
    }
    by_operation = {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/meaning"}},
    }
    table = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        **_head("codes", "The institution's codes in canonical words"),
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "codes": {
                **by_operation,
                "description": 'Per operation, or "*" for all: code = { status, code } or { error }.',
            },
            "faults": {**by_operation, "description": "SOAP: the same for the codes of faults."},
            "tables": {
                "type": "object",
                "additionalProperties": table,
                "description": "The connector's own code tables: canonical value = their code.",
            },
        },
        "$defs": {"meaning": meaning},
    }


def _head(name: str, title: str) -> dict[str, Any]:
    return {"$schema": _DRAFT, "$id": f"https://jisr.example/schemas/{name}.schema.json", "title": title}


def _section(says: str, keys: Iterable[str]) -> dict[str, Any]:
    own: dict[str, Any] = {key: {**_form(key), "description": _WORDS[key]} for key in keys}
    use = {"$use": {"$ref": "#/$defs/use"}, "$when": dict(_EXPRESSION)}
    return {"type": "object", "description": says, "additionalProperties": False, "properties": {**own, **use}}


def _form(key: str) -> dict[str, Any]:
    match key:
        case "same":
            pair = {"type": "array", "minItems": 2, "maxItems": 2, "items": dict(_TREE)}
            return {"type": "array", "items": pair}
        case "document_required":
            return {"type": "array", "items": {"enum": [status.value for status in Status]}}
    return dict(_TREE)


def _definitions() -> dict[str, Any]:
    names = ", ".join(f"{entry.name}({', '.join(entry.arguments)})" for entry in documented(MappingFunctions))
    expression = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_CHARACTERS,
        "description": f"A JMESPath expression; a text constant is 'quoted' within it. Functions of ours: {names}.",
    }
    when = {**_EXPRESSION, "description": "Leaves the mapping out unless this is true."}
    each = {
        "type": "object",
        "additionalProperties": False,
        "required": ["$each", "$item"],
        "properties": {
            "$each": {**_EXPRESSION, "description": "The list whose elements $item sees as `item`."},
            "$item": {**_TREE, "description": "What each element becomes."},
            "$when": when,
            "$use": {"$ref": "#/$defs/use"},
        },
    }
    mapping = {
        "type": "object",
        "patternProperties": {"^[^$]": dict(_TREE)},
        "additionalProperties": False,
        "properties": {"$when": when, "$use": {"$ref": "#/$defs/use"}},
    }
    leaf = [dict(_EXPRESSION), {"type": "integer"}, {"type": "boolean"}, {"type": "null"}]
    some = [{"type": "array", "items": dict(_TREE)}, {"$ref": "#/$defs/each"}, {"$ref": "#/$defs/mapping"}]
    use = {"type": "string", "description": "A part of _parts.yaml; keys beside it win."}
    return {"expression": expression, "tree": {"anyOf": leaf + some}, "each": each, "mapping": mapping, "use": use}

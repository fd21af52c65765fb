"""This file holds the part of the API's reference about breaks of reconciliation: paths, schemas, examples."""

from typing import Any

from gateway.api.breaks import ASSIGNMENT, CLOSURE, NOTE
from gateway.api.openapi_parts import BODY, GUARDED, json_answer, json_body, operation
from gateway.api.openapi_schemas import ref
from gateway.reconciliation.breaks import Kind
from gateway.reconciliation.casework import STATES

_ID = {
    "name": "break_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^B[0-9A-F]{15}$"},
    "example": "B2F0C4D9A1E37B56",
}
_MAYBE_TEXT = {"type": ["string", "null"]}
_TIME = {"type": "string", "format": "date-time"}
_DAY = {"type": "string", "format": "date"}

ASSIGNMENTS: dict[str, Any] = {
    "assign": {
        "summary": "Somebody takes it up",
        "value": {"to": "rana", "text": "The wallet's support has been called"},
    }
}
NOTES: dict[str, Any] = {"note": {"summary": "What was learned", "value": {"text": "They look for it; ticket 4711"}}}
CLOSURES: dict[str, Any] = {
    "close": {"summary": "It is settled", "value": {"reason": "Refunded by the wallet on 25 November, ticket 4711"}}
}


def break_paths() -> dict[str, Any]:
    """The paths."""
    one = "/v1/admin/breaks/{break_id}"
    return {
        "/v1/admin/breaks": {"get": _list()},
        one: {"get": _call("readBreak", "Read a break and what was done about it", (*GUARDED, "not_found"))},
        f"{one}/assign": {"post": _act("assignBreak", "Give a break to somebody", "BreakAssignment", ASSIGNMENTS)},
        f"{one}/notes": {"post": _act("annotateBreak", "Write a note about a break", "BreakNoteText", NOTES)},
        f"{one}/close": {"post": _act("closeBreak", "Close a break with a reason", "BreakClosure", CLOSURES)},
    }


def _call(
    operation_id: str, summary: str, refusals: tuple[str, ...], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    good = {"200": json_answer("WholeBreak", summary)}
    return operation(operation_id, summary, "Operators", [_ID], good, refusals, body=body)


def _act(operation_id: str, summary: str, schema: str, examples: dict[str, Any]) -> dict[str, Any]:
    stands: tuple[str, ...] = () if schema == "BreakNoteText" else ("break_closed", "break_changed")
    if schema == "BreakClosure":
        stands = (*stands, "break_expected")
    return _call(
        operation_id, summary, (*GUARDED, *BODY, "commit_unknown", "not_found", *stands), json_body(schema, examples)
    )


def _list() -> dict[str, Any]:
    def words(name: str, known: list[str], told: str) -> dict[str, Any]:
        schema = {"type": "array", "items": {"type": "string", "enum": known}}
        return {"name": name, "in": "query", "description": told, "schema": schema}

    text = {"type": "string", "minLength": 1, "maxLength": 128}
    parameters: list[dict[str, Any]] = [
        words("state", list(STATES), "`open` and `assigned`, unless given."),
        words("type", [kind.value for kind in Kind], "One or more types."),
        {"name": "source", "in": "query", "schema": text, "example": "syriatel_cash.settlement"},
        {"name": "owner", "in": "query", "description": "To whom it was given.", "schema": text},
        {"name": "request", "in": "query", "description": "Id of a request.", "schema": text},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    ]
    good = {"200": json_answer("BreakPage", "One page, of the oldest day first.")}
    summary = "List the breaks of reconciliation"
    return operation("listBreaks", summary, "Operators", parameters, good, (*GUARDED, "invalid_query"))


def break_schemas() -> dict[str, Any]:
    """The schemas by their names."""
    one: dict[str, Any] = {
        "id": {"type": "string", "description": "The same in every run and in every report."},
        "type": {"type": "string", "enum": [kind.value for kind in Kind]},
        "title": ref("Text"),
        "expected": {"type": "boolean", "description": "Awaits its day's file; no exception yet."},
        "source": {"type": "string", "examples": ["syriatel_cash.settlement"]},
        "leg": {"type": "string", "enum": ["A", "B", "C", "D"]},
        "day": _DAY,
        "age_business_days": {"type": "integer", "minimum": 0},
        "age_bucket": {"type": "string"},
        "amount": {"oneOf": [ref("Money"), {"type": "null"}]},
        "request": {"type": ["string", "null"], "format": "uuid"},
        "state": {"type": "string", "enum": list(STATES)},
        "owner": _MAYBE_TEXT,
        "first_seen": _TIME,
        "closed_day": {"type": ["string", "null"], "format": "date"},
        "days_late": {"type": ["integer", "null"]},
    }
    note = {
        "kind": {"type": "string", "enum": ["noted", "assigned", "closed"]},
        "by": {"type": "string", "description": "An operator; `reconciliation`: it came by itself."},
        "text": {"type": "string"},
        "owner": _MAYBE_TEXT,
        "at": _TIME,
    }
    return {
        "Break": _object(one),
        "WholeBreak": _object({**one, "notes": {"type": "array", "items": ref("BreakNote")}}),
        "BreakNote": _object(note),
        "BreakPage": _object({"items": {"type": "array", "items": ref("Break")}, "next_cursor": _MAYBE_TEXT}),
        "BreakAssignment": ASSIGNMENT,
        "BreakNoteText": NOTE,
        "BreakClosure": CLOSURE,
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}

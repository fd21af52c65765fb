"""This file holds the part of the API's reference about dead letters: paths, schemas, examples."""

from typing import Any

from gateway.api.dead_letters import REPLAY, SELECTION
from gateway.api.openapi_parts import BODY, GUARDED, KEY, KEYED, json_answer, json_body, operation
from gateway.dead_letters.planner import WHY, Sort
from mappings.status import Attempt, Request

_ID = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_WORD = {"type": "string", "minLength": 1, "maxLength": 128}
_BOTH = {"type": "object", "required": ["ar", "en"], "additionalProperties": {"type": "string"}}
_SAYS = {
    Sort.SAFE: "sent again, under the same operation id",
    Sort.INQUIRE_FIRST: "the institution is asked, and only its answer decides",
    Sort.UNSAFE: "left alone: two operators decide (`/v1/admin/doubts`)",
    Sort.DONE: "left alone: it is over, or goes on by itself",
}

SELECTIONS: dict[str, Any] = {
    "ids": {"summary": "Some", "value": {"ids": ["01a2122f-0b23-7125-9240-e94e84f11908"]}},
    "mapping": {"summary": "All that one fault stopped", "value": {"reason": "mapping_failed"}},
    "lane": {"summary": "All whose last exchange was this one", "value": {"lane": "education.submit"}},
    "all": {"summary": "Everything that is parked", "value": {}},
}
REPLAYS: dict[str, Any] = {
    "one": {
        "summary": "One, by its id",
        "value": {
            "selection": {"ids": ["01a2122f-0b23-7125-9240-e94e84f11908"]},
            "reason": "The ministry has mended its answer; ticket 4711.",
        },
    },
    "many": {
        "summary": "Many, two in a second, also with the mapping that is installed now",
        "value": {
            "selection": {"service": "transport.vehicle-statement", "reason": "mapping_failed"},
            "reason": "Mapping 3 reads the new code.",
            "per_second": 2,
            "new_mapping": True,
        },
    },
}


def dead_letter_paths() -> dict[str, Any]:
    """The paths."""
    at = "/v1/admin/dead-letters"
    told = (*GUARDED, "not_found")
    one = {"200": json_answer("DeadLetter", "What it is and what a replay would mean.")}
    return {
        at: {"get": _list()},
        f"{at}/{{request_id}}": {
            "get": operation("readDeadLetter", "Read a dead letter", "Operators", [_ID], one, told)
        },
        f"{at}/plan": {"post": _plan()},
        f"{at}/replay": {"post": _replay()},
    }


def _list() -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": "service", "in": "query", "schema": _WORD},
        {"name": "reason", "in": "query", "description": "The code for which it was parked.", "schema": _WORD},
        {"name": "lane", "in": "query", "description": "Of what was to be done last.", "schema": _WORD},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    ]
    good = {"200": json_answer("DeadLetterPage", "One page, oldest first.")}
    refusals = (*GUARDED, "invalid_query")
    return operation("listDeadLetters", "List what the machine gave up on", "Operators", parameters, good, refusals)


def _plan() -> dict[str, Any]:
    good = {"200": json_answer("ReplayPlan", "Nothing was done.")}
    body = {**json_body("DeadLetterSelection", SELECTIONS), "required": False}
    return operation("planReplay", "Plan a replay", "Operators", [], good, (*GUARDED, *BODY), body=body)


def _replay() -> dict[str, Any]:
    good = {"202": json_answer("Replayed", "The plan, and how many of each sort are on their way.")}
    refusals = (*GUARDED, *BODY, *KEYED, "role_missing", "commit_unknown")
    key = {**KEY, "required": True}
    body = json_body("DeadLetterReplay", REPLAYS)
    return operation("replayDeadLetters", "Replay dead letters", "Operators", [key], good, refusals, body=body)


def dead_letter_schemas() -> dict[str, Any]:
    """Every schema by its name."""
    sorts = {sort.value: {"type": "integer", "description": words} for sort, words in _SAYS.items()}
    mapping = {"from": {"type": "string"}, "to": {"type": "string"}}
    attempt = {
        "connector": {"type": "string"},
        "operation": {"type": "string"},
        "state": {"type": "string", "enum": [state.value for state in Attempt]},
    }
    replay = {
        "sort": {"type": "string", "enum": [sort.value for sort in Sort]},
        "code": {"type": "string", "enum": list(WHY)},
        "why": _BOTH,
        "lane": {"type": ["string", "null"], "description": "Where it goes when it is replayed."},
    }
    letter = {
        "id": {"type": "string", "format": "uuid"},
        "service": {"type": "string"},
        "state": {"type": "string", "enum": [state.value for state in Request]},
        "since": {"type": "string", "format": "date-time"},
        "reason": {"anyOf": [{"$ref": "#/components/schemas/Reason"}, {"type": "null"}]},
        "replay": _object(replay),
        "mapping": {
            **_object(mapping),
            "description": "The version that it started with, and the one that is installed now.",
        },
        "attempts": {"type": "array", "items": _object(attempt), "description": "Oldest first."},
        "links": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "`decide`: where two operators decide about what is unsafe.",
        },
    }
    changes = {"type": "array", "items": _object({**mapping, "count": {"type": "integer"}})}
    items = {"type": "array", "items": {"$ref": "#/components/schemas/DeadLetter"}}
    plan = {
        "count": {"type": "integer", "description": "At most 10,000 are taken at once."},
        "summary": _object({**sorts, "mappings": {**changes, "description": "Versions that would change."}}),
        "items": {**items, "description": "The first hundred."},
    }
    cursor = {"type": ["string", "null"], "description": "Give it as `cursor` to read on; null on the last page."}
    return {
        "DeadLetter": _object(letter),
        "DeadLetterPage": _object({"items": items, "next_cursor": cursor}),
        "DeadLetterSelection": {**SELECTION, "description": "The ids, or what narrows; nothing is everything."},
        "DeadLetterReplay": REPLAY,
        "ReplayPlan": _object(plan),
        "Replayed": _object({**plan, "went": _object(sorts)}),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}

"""This file holds the part of the API's reference about what operators decide: doubts, proposals, approvals."""

from typing import Any

from gateway.api.decisions import APPROVAL, PROPOSAL, REFUSAL
from gateway.api.openapi_parts import GUARDED, json_answer, json_body, operation
from gateway.api.openapi_schemas import ref
from gateway.decisions.doubts import WAITING, Action, State
from gateway.decisions.options import INQUIRE
from mappings.status import Attempt, Request

_UUID = {"type": "string", "format": "uuid"}
_DOUBT = {"name": "request_id", "in": "path", "required": True, "schema": _UUID}
_DECISION = {"name": "decision_id", "in": "path", "required": True, "schema": _UUID}
_TIME = {"type": "string", "format": "date-time"}
_MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_WORDS = {
    "type": "object",
    "required": ["ar", "en"],
    "properties": {"ar": {"type": "string"}, "en": {"type": "string"}},
}
_BODY = (
    *("malformed_json", "json_too_deep", "json_number_too_long", "invalid_request", "json_duplicate_key"),
    *("number_not_finite", "body_too_large", "unsupported_media_type", "request_timeout", "commit_unknown"),
)
_PAGES: list[dict[str, Any]] = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
    {"name": "cursor", "in": "query", "schema": {"type": "string"}},
]
_DIGEST = "5f1d7a84db00d2fce00b31a7fc73224f8d5b2f1c1f3b6bd10e8b8a1d6c4a9e07"

PROPOSALS: dict[str, Any] = {
    "done": {
        "summary": "The provider has found the payment",
        "value": {
            "action": "done",
            "reason": "Syriatel's support found it in their books",
            "evidence": "mail of 25 November, ticket 4711",
            "reference": "SC-77120",
        },
    },
    "not_done": {
        "summary": "The institution never got it",
        "value": {"action": "not_done", "reason": "The ministry has nothing under this number"},
    },
    "resend": {
        "summary": "Once more, in place of another proposal",
        "value": {
            "action": "resend",
            "reason": "Their server had lost the whole hour",
            "replaces": "0199a3c0-1f2e-7abc-8def-0123456789ab",
        },
    },
}
APPROVALS: dict[str, Any] = {"approve": {"summary": "What was read is approved", "value": {"digest": _DIGEST}}}
REFUSALS: dict[str, Any] = {
    "refuse": {"summary": "Not so", "value": {"reason": "The ticket is about another payment"}},
}


def decision_paths() -> dict[str, Any]:
    """The paths."""
    one, decision = "/v1/admin/doubts/{request_id}", "/v1/admin/decisions/{decision_id}"
    return {
        "/v1/admin/doubts": {"get": _list()},
        one: {"get": _call("readDoubt", "Read what is known of a doubt", [_DOUBT], "WholeDoubt", ("not_found",))},
        f"{one}/inquire": {"post": _inquire()},
        f"{one}/decisions": {"post": _propose()},
        "/v1/admin/decisions": {"get": _decisions()},
        decision: {"get": _call("readDecision", "Read a decision", [_DECISION], "Decision", ("not_found",))},
        f"{decision}/approve": {"post": _approve()},
        f"{decision}/refuse": {"post": _refuse()},
    }


def _call(
    operation_id: str, summary: str, parameters: list[dict[str, Any]], schema: str, refusals: tuple[str, ...]
) -> dict[str, Any]:
    good = {"200": json_answer(schema, summary)}
    return operation(operation_id, summary, "Operators", parameters, good, (*GUARDED, *refusals))


def _list() -> dict[str, Any]:
    states = {"type": "array", "items": {"type": "string", "enum": [state.value for state in WAITING]}}
    text = {"type": "string", "minLength": 1, "maxLength": 128}
    parameters: list[dict[str, Any]] = [
        {"name": "state", "in": "query", "description": "Both, unless given.", "schema": states},
        {"name": "service", "in": "query", "schema": text},
        {"name": "reason", "in": "query", "description": "Code of the reason.", "schema": text},
        {
            "name": "proposed",
            "in": "query",
            "description": "Only those about which a proposal is open.",
            "schema": {"type": "boolean", "default": False},
        },
        *_PAGES,
    ]
    return _call("listDoubts", "List what waits for a decision", parameters, "DoubtPage", ("invalid_query",))


def _inquire() -> dict[str, Any]:
    good = {"202": json_answer("WholeDoubt", "It is asked.")}
    refusals = (*GUARDED, "not_found", "doubt_resolved", "action_not_possible", "commit_unknown")
    return operation("inquireNow", "Ask the institution now", "Operators", [_DOUBT], good, refusals)


def _propose() -> dict[str, Any]:
    where = {"Location": {"description": "Address of the decision.", "schema": {"type": "string"}}}
    good = {"201": json_answer("Decision", "Proposed; or done, where one person is enough.", where)}
    stands = ("doubt_resolved", "doubt_changed", "action_not_possible", "decision_open", "evidence_contradicts")
    refusals = (*GUARDED, *_BODY, "not_found", "role_missing", "conflict", *stands)
    body = json_body("Proposal", PROPOSALS)
    return operation("proposeDecision", "Propose what became of it", "Operators", [_DOUBT], good, refusals, body=body)


def _decisions() -> dict[str, Any]:
    states = {"type": "array", "items": {"type": "string", "enum": [state.value for state in State]}}
    parameters = [{"name": "state", "in": "query", "description": "One or more states.", "schema": states}, *_PAGES]
    return _call("listDecisions", "List decisions", parameters, "DecisionPage", ("invalid_query",))


def _approve() -> dict[str, Any]:
    good = {"200": json_answer("Decision", "It is done.")}
    stands = ("decision_closed", "decision_changed", "proposer_not_allowed", "doubt_resolved", "doubt_changed")
    more = ("action_not_possible", "evidence_contradicts", "conflict")
    refusals = (*GUARDED, *_BODY, "not_found", "role_missing", "same_person", *stands, *more)
    body = json_body("Approval", APPROVALS)
    return operation("approveDecision", "Approve a proposal", "Operators", [_DECISION], good, refusals, body=body)


def _refuse() -> dict[str, Any]:
    good = {"200": json_answer("Decision", "It is closed, and nothing was done.")}
    refusals = (*GUARDED, *_BODY, "not_found", "role_missing", "decision_closed")
    body = json_body("Refusal", REFUSALS)
    return operation(
        "refuseDecision", "Refuse or withdraw a proposal", "Operators", [_DECISION], good, refusals, body=body
    )


def decision_schemas() -> dict[str, Any]:
    """Every schema by its name."""
    option = {
        "action": {"type": "string", "enum": [INQUIRE, *(action.value for action in Action)]},
        "people": {"type": "integer", "enum": [1, 2]},
        "means": _WORDS,
        "twice": {"anyOf": [_WORDS, {"type": "null"}], "description": "What could be done twice; null: nothing."},
    }
    attempt = {
        "id": _UUID,
        "connector": {"type": "string"},
        "operation": {"type": "string"},
        "operation_id": {"type": "string"},
        "number": {"type": "integer"},
        "state": {"type": "string", "enum": [state.value for state in Attempt]},
        "reference": _MAYBE_TEXT,
        "sent_at": _TIME,
        "moves_money": {"type": "boolean"},
    }
    doubt = {
        "id": _UUID,
        "service": {"type": "string"},
        "channel": {"type": "string"},
        "test": {"type": "boolean"},
        "state": {"type": "string", "enum": [state.value for state in Request]},
        "since": _TIME,
        "age_seconds": {"type": "integer"},
        "reason": {"type": ["object", "null"], "description": "A code with its words."},
        "payment": {"type": ["object", "null"], "description": "State and amount of what the citizen owes."},
        "attempt": {"anyOf": [_object(attempt), {"type": "null"}], "description": "The exchange that stands open."},
        "actions": {"type": "array", "items": _object(option)},
        "proposal": {"anyOf": [ref("Decision"), {"type": "null"}], "description": "The one that is open."},
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    told = _object(
        {
            "source": {"type": "string", "description": "statement, inquiry, callback, answer, operator or error."},
            "status": {"type": "string"},
            "code": _MAYBE_TEXT,
            "fenced": {"type": "boolean", "description": "It came from a worker that had lost its lease."},
            "at": _TIME,
        }
    )
    decision = {
        "id": _UUID,
        "request": _UUID,
        "attempt": {"type": ["string", "null"], "format": "uuid"},
        "action": {"type": "string", "enum": [action.value for action in Action]},
        "people": {"type": "integer", "enum": [1, 2]},
        "means": _WORDS,
        "twice": option["twice"],
        "reason": {"type": "string"},
        "evidence": _MAYBE_TEXT,
        "reference": {**_MAYBE_TEXT, "description": "The institution's own, where it named one."},
        "digest": {"type": "string", "description": "SHA-256 of what is proposed; whoever approves names it."},
        "state": {"type": "string", "enum": [state.value for state in State]},
        "proposed_by": {"type": "string"},
        "proposed_at": _TIME,
        "expires_at": _TIME,
        "decided_by": _MAYBE_TEXT,
        "decided_at": _MAYBE_TIME,
        "answer": {**_MAYBE_TEXT, "description": "Why it was refused."},
        "contradicted": {
            "anyOf": [told, {"type": "null"}],
            "description": "What was said after it by somebody who knows better, and who says otherwise.",
        },
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    whole = {"told": {"type": "array", "items": told}, "decisions": {"type": "array", "items": ref("Decision")}}
    cursor = {"type": ["string", "null"], "description": "Give it as `cursor` to read on; null on the last page."}
    return {
        "Doubt": _object(doubt),
        "WholeDoubt": _object({**doubt, **whole}),
        "DoubtPage": _object({"items": {"type": "array", "items": ref("Doubt")}, "next_cursor": cursor}),
        "Decision": _object(decision),
        "DecisionPage": _object({"items": {"type": "array", "items": ref("Decision")}, "next_cursor": cursor}),
        "Proposal": PROPOSAL,
        "Approval": APPROVAL,
        "Refusal": REFUSAL,
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}

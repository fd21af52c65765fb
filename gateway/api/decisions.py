"""This file holds the endpoints for what people decide: doubts, and what one operator proposes and another approves."""

from typing import Any

import jsonschema_rs
from litestar import Request, get, post
from litestar.response.base import ASGIResponse

from gateway.api.body import read_body
from gateway.api.identity import caller
from gateway.api.negotiation import require_json
from gateway.api.parameters import Query, cursor_after, request_id_of
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.decisions.desk import DecisionDesk, Wish
from gateway.decisions.doubts import WAITING, Action, State
from gateway.decisions.views import case_view, decision_view
from gateway.errors import Problem, field_error
from gateway.schema_errors import explain
from gateway.security.principals import Kind, Principal
from gateway.store.decisions.doubts import DoubtFilters
from gateway.strict_json import parse_json

Call = Request[Any, Any, Any]
_TEXT = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": r"\S"}
PROPOSAL: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["action", "reason"],
    "properties": {
        "action": {"type": "string", "enum": [action.value for action in Action]},
        "reason": _TEXT,
        "evidence": _TEXT,
        "reference": {"type": "string", "minLength": 1, "maxLength": 128},
        "replaces": {"type": "string", "format": "uuid"},
    },
}
APPROVAL: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["digest"],
    "properties": {"digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
}
REFUSAL: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["reason"],
    "properties": {"reason": _TEXT},
}
_PROPOSAL, _APPROVAL, _REFUSAL = map(jsonschema_rs.Draft202012Validator, (PROPOSAL, APPROVAL, REFUSAL))


async def _at(request: Call) -> tuple[DecisionDesk, Principal]:
    principal = await caller(request, Kind.OPERATOR)
    return services_of(request).decisions, principal


async def _body(request: Call, validator: jsonschema_rs.Draft202012Validator) -> dict[str, Any]:
    require_json(request.headers)
    body = parse_json(await read_body(request, services_of(request).settings.max_body_bytes))
    if errors := explain(validator, body):
        raise Problem("invalid_request", errors=errors)
    found: dict[str, Any] = body
    return found


def _id(request: Call, name: str) -> str:
    return request_id_of(request.path_params[name])


@get("/v1/admin/doubts")
async def list_doubts(request: Call) -> ASGIResponse:
    """What is in doubt or parked, oldest first, with what may be done about each and the proposal that is open."""
    desk, _ = await _at(request)
    query = Query(request, {"state", "service", "reason", "proposed", "limit", "cursor"})
    states = query.words("state", [state.value for state in WAITING])
    filters = DoubtFilters(states, query.text("service"), query.text("reason"), query.flag("proposed"))
    limit, after = query.limit(), query.cursor()
    query.finish()
    cases, now = await desk.waiting(filters, after, limit + 1), services_of(request).clock.now_ms()
    items = [case_view(case, now) for case in cases[:limit]]
    return json_of({"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(cases) > limit else None})


@get("/v1/admin/doubts/{request_id:str}")
async def read_doubt(request: Call) -> ASGIResponse:
    """One of them, with what was said about it and every decision."""
    desk, _ = await _at(request)
    return json_of(await _whole(request, desk, _id(request, "request_id")))


async def _whole(request: Call, desk: DecisionDesk, request_id: str) -> dict[str, Any]:
    case, decisions = await desk.one(request_id)
    return case_view(case, services_of(request).clock.now_ms(), decisions)


@post("/v1/admin/doubts/{request_id:str}/inquire", status_code=202)
async def inquire_now(request: Call) -> ASGIResponse:
    """Ask the institution now; one person is enough."""
    desk, _ = await _at(request)
    request_id = _id(request, "request_id")
    await desk.inquire(request_id)
    return json_of(await _whole(request, desk, request_id), 202)


@post("/v1/admin/doubts/{request_id:str}/decisions")
async def propose_decision(request: Call) -> ASGIResponse:
    """Propose what became of it; what one person may decide alone is done at once."""
    desk, principal = await _at(request)
    body = await _body(request, _PROPOSAL)
    if "replaces" in body and len(body["replaces"]) != 36:
        raise Problem("invalid_request", errors=[field_error("/replaces", "wrong_format", expected="UUID")])
    wish = Wish(
        Action(body["action"]),
        body["reason"],
        body.get("evidence", ""),
        body.get("reference", ""),
        body.get("replaces"),
    )
    decision = await desk.propose(_id(request, "request_id"), wish, principal.id)
    return json_of(decision_view(decision), 201, {"location": f"/v1/admin/decisions/{decision.id}"})


@get("/v1/admin/decisions")
async def list_decisions(request: Call) -> ASGIResponse:
    """Every decision, oldest first."""
    desk, _ = await _at(request)
    query = Query(request, {"state", "limit", "cursor"})
    states = [State(word) for word in query.words("state", [state.value for state in State]) if word in set(State)]
    limit, after = query.limit(), query.cursor()
    query.finish()
    found = await desk.decisions(states, after, limit + 1)
    items = [decision_view(each) for each in found[:limit]]
    return json_of({"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(found) > limit else None})


@get("/v1/admin/decisions/{decision_id:str}")
async def read_decision(request: Call) -> ASGIResponse:
    """One decision."""
    desk, _ = await _at(request)
    return json_of(decision_view(await desk.decision(_id(request, "decision_id"))))


@post("/v1/admin/decisions/{decision_id:str}/approve", status_code=200)
async def approve_decision(request: Call) -> ASGIResponse:
    """Do what another operator proposed, named by its digest."""
    desk, principal = await _at(request)
    body = await _body(request, _APPROVAL)
    return json_of(decision_view(await desk.approve(_id(request, "decision_id"), body["digest"], principal.id)))


@post("/v1/admin/decisions/{decision_id:str}/refuse", status_code=200)
async def refuse_decision(request: Call) -> ASGIResponse:
    """Close a proposal unapproved; one's own is withdrawn by this."""
    desk, principal = await _at(request)
    body = await _body(request, _REFUSAL)
    return json_of(decision_view(await desk.refuse(_id(request, "decision_id"), principal.id, body["reason"])))


HANDLERS = [
    list_doubts,
    read_doubt,
    inquire_now,
    propose_decision,
    list_decisions,
    read_decision,
    approve_decision,
    refuse_decision,
]

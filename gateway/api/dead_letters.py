"""This file holds the endpoints for dead letters: what the machine gave up on, what a replay would mean, the replay."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from litestar import Request, get, post
from litestar.response.base import ASGIResponse

from gateway.api.acts import act_of, answer_of, body_of
from gateway.api.identity import caller
from gateway.api.parameters import Query, cursor_after, request_id_of
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.dead_letters.desk import DeadLetters, Order, shown, shown_plan
from gateway.errors import Problem
from gateway.logs import log
from gateway.security.principals import MAKER, Kind, Principal
from gateway.store.acts import Told, find_told, keep
from gateway.store.dead_letters import Choice
from gateway.store.decisions.records import require_role

Call = Request[Any, Any, Any]
_WORD = {"type": "string", "minLength": 1, "maxLength": 128}
SELECTION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "ids": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "uniqueItems": True,
            "items": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36},
        },
        "service": _WORD,
        "reason": _WORD,
        "lane": _WORD,
    },
}
REPLAY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["selection", "reason"],
    "properties": {
        "selection": {**SELECTION, "minProperties": 1},
        "reason": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"\S"},
        "per_second": {"type": "number", "minimum": 0.01, "maximum": 1000},
        "new_mapping": {"type": "boolean"},
    },
}
_SELECTION = jsonschema_rs.Draft202012Validator(SELECTION, validate_formats=True)
_REPLAY = jsonschema_rs.Draft202012Validator(REPLAY, validate_formats=True)


async def _at(request: Call) -> tuple[DeadLetters, Principal]:
    principal = await caller(request, Kind.OPERATOR)
    return services_of(request).dead_letters, principal


def _choice(given: Mapping[str, Any]) -> Choice:
    return Choice(given.get("service"), given.get("reason"), given.get("lane"))


@get("/v1/admin/dead-letters")
async def list_dead_letters(request: Call) -> ASGIResponse:
    """What waits for people, oldest first, each with what a replay would mean."""
    desk, _ = await _at(request)
    query = Query(request, {"service", "reason", "lane", "limit", "cursor"})
    choice = Choice(query.text("service"), query.text("reason"), query.text("lane"))
    limit, after = query.limit(), query.cursor()
    query.finish()
    found = await desk.parked(choice, limit + 1, after)
    items = [shown(each) for each in found[:limit]]
    return json_of({"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(found) > limit else None})


@get("/v1/admin/dead-letters/{request_id:str}")
async def read_dead_letter(request: Call) -> ASGIResponse:
    """One request, parked or not, and what a replay of it would mean."""
    desk, _ = await _at(request)
    planned = await desk.plan([request_id_of(request.path_params["request_id"])])
    if not planned:
        raise Problem("not_found")
    return json_of(shown(planned[0]))


@post("/v1/admin/dead-letters/plan", status_code=200)
async def plan_replay(request: Call) -> ASGIResponse:
    """What a replay of a selection would mean; nothing is done."""
    desk, _ = await _at(request)
    selection = await body_of(request, _SELECTION, required=False)
    planned = await desk.choose(_choice(selection), selection.get("ids", ()))
    return json_of(shown_plan(planned))


@post("/v1/admin/dead-letters/replay", status_code=202)
async def replay_dead_letters(request: Call) -> ASGIResponse:
    """Let what is safe go on, and what may have arrived be asked about, at a pace."""
    desk, principal = await _at(request)
    store = services_of(request).store
    await store.read(require_role, principal.id, MAKER)
    body = await body_of(request, _REPLAY, required=True)
    act = act_of(request, principal, "dead-letters/replay", body, required=True)
    assert act is not None
    if (told := await store.read(find_told, act)) is None:
        selection = body["selection"]
        planned = await desk.choose(_choice(selection), selection.get("ids", ()))
        order = Order(
            by=principal.name,
            reason=body["reason"].strip(),
            per_second=float(body.get("per_second", Order.PER_SECOND)),
            accept_new_mapping=body.get("new_mapping", False),
        )
        plan = shown_plan(planned)
        told = Told({**plan, "went": await desk.replay(planned, order)})
        log.warning("replayed", count=sum(told.body["went"].values()), kind="dead_letters")
        # a process that dies before this line has let each go once: under the same key the rest follows
        await store.write(keep, act, told.body)
    return answer_of(told, 202)


HANDLERS = [list_dead_letters, read_dead_letter, plan_replay, replay_dead_letters]

"""This file holds the endpoints for breaks of reconciliation: operators list, assign, annotate and close them."""

import re
from typing import Any

import jsonschema_rs
from litestar import Request, get, post
from litestar.response.base import ASGIResponse

from gateway.api.acts import body_of
from gateway.api.identity import caller
from gateway.api.parameters import Query, cursor_after
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.errors import Problem
from gateway.reconciliation.breaks import Kind as Type
from gateway.reconciliation.casework import LONGEST, STATES, BreakDesk
from gateway.security.principals import Kind, Principal
from gateway.store.reconciliation.casework import BreakFilters

Call = Request[Any, Any, Any]
_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"\S"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^\S[^\x00-\x1f\x7f]*$"}


def _body_of(**properties: Any) -> dict[str, Any]:
    required = [name for name in properties if name != "text" or len(properties) == 1]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


ASSIGNMENT, NOTE, CLOSURE = _body_of(to=_NAME, text=_TEXT), _body_of(text=_TEXT), _body_of(reason=_TEXT)
_ASSIGNMENT, _NOTE, _CLOSURE = map(jsonschema_rs.Draft202012Validator, (ASSIGNMENT, NOTE, CLOSURE))
_ID = re.compile(r"B[0-9A-F]{15}\Z")


async def _at(request: Call) -> tuple[BreakDesk, Principal]:
    principal = await caller(request, Kind.OPERATOR)
    return services_of(request).reconciler.breaks, principal


def _id(request: Call) -> str:
    text = str(request.path_params["break_id"])
    if _ID.match(text) is None:
        raise Problem("not_found")
    return text


@get("/v1/admin/breaks")
async def list_breaks(request: Call) -> ASGIResponse:
    """Breaks that people have not closed, of the oldest day first."""
    desk, _ = await _at(request)
    query = Query(request, {"state", "type", "source", "owner", "request", "limit", "cursor"})
    states = query.words("state", STATES) or STATES[:2]
    types = query.words("type", [kind.value for kind in Type])
    filters = BreakFilters(states, types, query.text("source"), query.text("owner"), query.text("request"))
    limit, after = query.limit(), query.cursor(_ID)
    query.finish()
    found = await desk.list(filters, after, limit + 1)
    items = found[:limit]
    return json_of({"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(found) > limit else None})


@get("/v1/admin/breaks/{break_id:str}")
async def read_break(request: Call) -> ASGIResponse:
    """One break with what was done about it."""
    desk, _ = await _at(request)
    return json_of(await desk.one(_id(request)))


@post("/v1/admin/breaks/{break_id:str}/assign", status_code=200)
async def assign_break(request: Call) -> ASGIResponse:
    """Give it to somebody."""
    desk, principal = await _at(request)
    body = await body_of(request, _ASSIGNMENT, required=True)
    return json_of(await desk.assign(_id(request), body["to"], body.get("text", ""), principal.name))


@post("/v1/admin/breaks/{break_id:str}/notes", status_code=200)
async def annotate_break(request: Call) -> ASGIResponse:
    """Write a note."""
    desk, principal = await _at(request)
    body = await body_of(request, _NOTE, required=True)
    return json_of(await desk.note(_id(request), body["text"], principal.name))


@post("/v1/admin/breaks/{break_id:str}/close", status_code=200)
async def close_break(request: Call) -> ASGIResponse:
    """Close it with a reason."""
    desk, principal = await _at(request)
    body = await body_of(request, _CLOSURE, required=True)
    return json_of(await desk.close(_id(request), body["reason"], principal.name))


HANDLERS = [list_breaks, read_break, assign_break, annotate_break, close_break]

"""This file holds the endpoints for webhooks: a channel has its own, an operator sees those of all."""

from typing import Any

import jsonschema_rs
from litestar import Request, delete, get, post
from litestar.response.base import ASGIResponse

from gateway.api.acts import act_of, answer_of, body_of
from gateway.api.identity import caller, scope_of
from gateway.api.parameters import Query, cursor_after, request_id_of
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.errors import Problem, field_error
from gateway.security.principals import Kind, Principal
from gateway.store.webhooks.endpoints import ALL_TYPES
from gateway.webhooks.desk import WebhookDesk, delivery_view, endpoint_view

Call = Request[Any, Any, Any]
STATES = ("waiting", "delivered", "failed", "dropped")
NEW_WEBHOOK: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "minLength": 1, "maxLength": 2048},
        "events": {
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "uniqueItems": True,
            "items": {"type": "string", "maxLength": 64},
        },
        "channel": {"type": "string", "minLength": 1, "maxLength": 128},
    },
}
ROTATION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"overlap_hours": {"type": "number", "minimum": 0, "maximum": 720}},
}
_NEW = jsonschema_rs.Draft202012Validator(NEW_WEBHOOK)
_ROTATION = jsonschema_rs.Draft202012Validator(ROTATION)


async def _at(request: Call) -> tuple[WebhookDesk, Principal, str | None]:
    """The desk, who calls, and whose webhooks the caller sees."""
    principal = await caller(request, Kind.CHANNEL, Kind.OPERATOR)
    return services_of(request).webhooks, principal, scope_of(principal)


def _id(request: Call, name: str = "webhook_id") -> str:
    return request_id_of(request.path_params[name])


@post("/v1/webhooks")
async def add_webhook(request: Call) -> ASGIResponse:
    """Add an address; its secret is told this once."""
    desk, principal, scope = await _at(request)
    body = await body_of(request, _NEW, required=True)
    channel = scope or await _channel_of(desk, body)
    if principal.kind is Kind.CHANNEL and "channel" in body:
        raise Problem("invalid_request", errors=[field_error("/channel", "unknown_field")])
    act = act_of(request, principal, "webhooks", body)
    told = await desk.add(channel, body["url"], body.get("events", [ALL_TYPES]), act)
    where = {"location": f"/v1/webhooks/{told.body['id']}"}
    return answer_of(told, 201 if "secret" in told.body else 200, where)


async def _channel_of(desk: WebhookDesk, body: dict[str, Any]) -> str:
    if "channel" not in body:
        raise Problem("invalid_request", errors=[field_error("/channel", "required")])
    return await desk.channel(body["channel"])


@get("/v1/webhooks")
async def list_webhooks(request: Call) -> ASGIResponse:
    """Every address, the oldest first."""
    desk, _, scope = await _at(request)
    return json_of({"items": [endpoint_view(*each) for each in await desk.all(scope)]})


@get("/v1/webhooks/{webhook_id:str}")
async def read_webhook(request: Call) -> ASGIResponse:
    """One address, without its secret."""
    desk, _, scope = await _at(request)
    return json_of(endpoint_view(*await desk.one(_id(request), scope)))


@delete("/v1/webhooks/{webhook_id:str}", status_code=200)
async def remove_webhook(request: Call) -> ASGIResponse:
    """Tell nothing more there."""
    desk, _, scope = await _at(request)
    await desk.remove(_id(request), scope)
    return ASGIResponse(status_code=204)


@post("/v1/webhooks/{webhook_id:str}/rotate")
async def rotate_webhook(request: Call) -> ASGIResponse:
    """A new secret; the old one signs beside it for a time."""
    desk, principal, scope = await _at(request)
    body = await body_of(request, _ROTATION, required=False)
    hours, act = body.get("overlap_hours"), act_of(request, principal, f"webhooks/{_id(request)}/rotate", body)
    return answer_of(
        await desk.rotate(_id(request), scope, hours=None if hours is None else float(hours), act=act), 200
    )


@post("/v1/webhooks/{webhook_id:str}/enable")
async def enable_webhook(request: Call) -> ASGIResponse:
    """Go on."""
    return await _switch(request, active=True)


@post("/v1/webhooks/{webhook_id:str}/disable")
async def disable_webhook(request: Call) -> ASGIResponse:
    """Rest."""
    return await _switch(request, active=False)


async def _switch(request: Call, *, active: bool) -> ASGIResponse:
    desk, _, scope = await _at(request)
    await desk.switch(_id(request), scope, active=active)
    return json_of(endpoint_view(*await desk.one(_id(request), scope)))


@post("/v1/webhooks/{webhook_id:str}/ping")
async def ping_webhook(request: Call) -> ASGIResponse:
    """Send an event that tells of nothing."""
    desk, principal, scope = await _at(request)
    act = act_of(request, principal, f"webhooks/{_id(request)}/ping", {})
    return answer_of(await desk.ping(_id(request), scope, act), 202)


@get("/v1/webhooks/{webhook_id:str}/deliveries")
async def list_deliveries(request: Call) -> ASGIResponse:
    """The delivery log, newest first."""
    desk, _, scope = await _at(request)
    query = Query(request, {"state", "request", "limit", "cursor"})
    states, about, limit, before = query.words("state", STATES), query.text("request"), query.limit(), query.cursor()
    query.finish()
    page = await desk.log(_id(request), scope, states=states, request_id=about, before=before, limit=limit)
    cursor = cursor_after(page.items[-1].event_id) if page.more else None
    return json_of({"items": [delivery_view(each) for each in page.items], "next_cursor": cursor})


@get("/v1/webhooks/{webhook_id:str}/deliveries/{event_id:str}")
async def read_delivery(request: Call) -> ASGIResponse:
    """One event with every try."""
    desk, _, scope = await _at(request)
    return json_of(delivery_view(*await desk.delivery(_id(request), _id(request, "event_id"), scope)))


@post("/v1/webhooks/{webhook_id:str}/deliveries/{event_id:str}/redeliver")
async def redeliver_event(request: Call) -> ASGIResponse:
    """Send an event again, under its id."""
    desk, principal, scope = await _at(request)
    endpoint_id, event_id = _id(request), _id(request, "event_id")
    act = act_of(request, principal, f"webhooks/{endpoint_id}/deliveries/{event_id}/redeliver", {})
    return answer_of(await desk.redeliver(endpoint_id, event_id, scope, act), 202)


@post("/v1/webhooks/{webhook_id:str}/redeliver")
async def redeliver_failed(request: Call) -> ASGIResponse:
    """Send again what was given up."""
    desk, principal, scope = await _at(request)
    act = act_of(request, principal, f"webhooks/{_id(request)}/redeliver", {})
    return answer_of(await desk.redeliver_failed(_id(request), scope, act), 202)


HANDLERS = [
    add_webhook,
    list_webhooks,
    read_webhook,
    remove_webhook,
    rotate_webhook,
    enable_webhook,
    disable_webhook,
    ping_webhook,
    list_deliveries,
    read_delivery,
    redeliver_event,
    redeliver_failed,
]

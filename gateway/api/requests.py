"""This file holds the endpoints that channels use for requests: submit, check, read, list, answer, cancel."""

from typing import Any

from litestar import Request, get, post
from litestar.response.base import ASGIResponse

from gateway.accept import Answer
from gateway.api.body import read_body
from gateway.api.correlation import traceparent
from gateway.api.identity import caller, scope_of
from gateway.api.negotiation import (
    Preferences,
    idempotency_key_of,
    language_of,
    preferences_of,
    require_json,
)
from gateway.api.parameters import Query, cursor_after, request_id_of
from gateway.api.responses import json_bytes, json_of
from gateway.api.services import Services
from gateway.api.views import document_response, event_view
from gateway.errors import Problem
from gateway.representation import represent
from gateway.security.principals import Kind
from gateway.store.queries import Filters, find_document, find_events, find_page, find_progress
from gateway.store.queues import find_standing
from mappings.status import Request as State

Call = Request[Any, Any, Any]
_STATUS = {"created": 201, "accepted": 202, "ok": 200}


def services_of(request: Call) -> Services:
    """What the application was built with."""
    services: Services = request.app.state["services"]
    return services


@post("/v1/requests")
async def submit(request: Call) -> ASGIResponse:
    """Take a request in, or only check it."""
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    preferences = _preferences(request, services)
    dry_run = preferences.check or _dry_run(request)
    key = idempotency_key_of(request.headers, required=not dry_run)
    require_json(request.headers)
    raw = await read_body(request, services.settings.max_body_bytes)
    checked = services.validator.check(principal, raw)
    if dry_run:
        language = language_of(request.headers.get("accept-language"))
        missing = await services.attachments.missing(principal.id, checked)
        told = await services.acceptor.preflight(principal, checked, language=language, missing=missing)
        return json_of(told, headers=_applied(preferences))
    await services.attachments.pin(principal.id, checked)
    answer = await services.acceptor.accept(
        principal,
        str(key),
        checked,
        language=language_of(request.headers.get("accept-language")),
        traceparent=traceparent(request.scope),
        wait_seconds=preferences.wait_seconds or 0.0,
    )
    return _answered(answer, preferences)


@get("/v1/requests")
async def list_requests(request: Call) -> ASGIResponse:
    """The channel's own requests, newest first."""
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    query = Query(request, {"state", "service", "reference", "created_from", "created_to", "limit", "cursor"})
    filters = Filters(
        channel_id=principal.id,
        states=query.states(),
        service=query.text("service"),
        reference=query.text("reference"),
        created_from=query.moment("created_from"),
        created_to=query.moment("created_to"),
    )
    limit, after = query.limit(), query.cursor()
    query.finish()
    found = await services.store.read(find_page, filters, after, limit + 1)
    items = [represent(item.view, services.catalogue.get(item.view.service)) for item in found[:limit]]
    return json_of({"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(found) > limit else None})


@get("/v1/requests/{request_id:str}")
async def read_request(request: Call) -> ASGIResponse:
    """One request as it stands."""
    request_id = request.path_params["request_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL, Kind.OPERATOR)
    view, standing = await services.store.read(find_standing, request_id_of(request_id), scope_of(principal))
    if view is None:
        raise Problem("not_in_backup" if services.mode.may_have_lost(request_id) else "not_found")
    await services.sooner.saw(view)
    expected_at = await services.outlooks.of_waiting(standing) if standing else None
    return json_of(represent(view, services.catalogue.get(view.service), expected_at))


@get("/v1/requests/{request_id:str}/events")
async def read_events(request: Call) -> ASGIResponse:
    """The timeline of one request, oldest first."""
    request_id = request.path_params["request_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL, Kind.OPERATOR)
    found = await services.store.read(find_events, request_id_of(request_id), scope_of(principal))
    if found is None:
        raise Problem("not_found")
    whole = principal.kind is Kind.OPERATOR
    return json_of({"items": [event_view(event, whole=whole) for event in found]})


@get("/v1/requests/{request_id:str}/documents/{number:str}")
async def read_document(request: Call) -> ASGIResponse:
    """The bytes of a document; only the channel that made the request may have them."""
    request_id = request.path_params["request_id"]
    number = request.path_params["number"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    if not (number.isascii() and number.isdigit() and len(number) <= 6):
        raise Problem("not_found")
    found = await services.store.read(find_document, request_id_of(request_id), principal.id, int(number))
    if found is None:
        raise Problem("not_found")
    return await document_response(services.store, found, request.headers.get("if-none-match"))


@get("/v1/requests/{request_id:str}/result")
async def read_result(request: Call) -> ASGIResponse:
    """The result of a completed request, where that is data; only for the channel that made the request."""
    request_id = request.path_params["request_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    found = await services.store.read(find_progress, request_id_of(request_id), principal.id)
    service = services.catalogue.get(found.service) if found is not None else None
    if found is None or service is None or service.result is None or found.state is not State.COMPLETED:
        raise Problem("not_found")
    return json_of({"service": service.id, "result": service.result_of(found.steps)})


@post("/v1/requests/{request_id:str}/actions/{action_id:str}")
async def answer_action(request: Call) -> ASGIResponse:
    """Take the citizen's answer to the request's next action."""
    request_id = request.path_params["request_id"]
    action_id = request.path_params["action_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    preferences = _preferences(request, services)
    key = idempotency_key_of(request.headers)
    require_json(request.headers)
    raw = await read_body(request, services.settings.max_body_bytes)
    answer = await services.actions.answer(
        principal,
        request_id_of(request_id),
        action_id,
        str(key),
        raw,
        traceparent=traceparent(request.scope),
        wait_seconds=preferences.wait_seconds,
    )
    return _answered(answer, preferences)


@post("/v1/requests/{request_id:str}/cancel")
async def cancel_request(request: Call) -> ASGIResponse:
    """Cancel, as long as the institution was not asked."""
    request_id = request.path_params["request_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    await read_body(request, services.settings.max_body_bytes)
    answer = await services.actions.cancel(principal, request_id_of(request_id))
    return _answered(answer, Preferences())


@post("/v1/requests/{request_id:str}/handed-over")
async def hand_over(request: Call) -> ASGIResponse:
    """Say that the citizen has taken the result over at the centre."""
    request_id = request.path_params["request_id"]
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL, Kind.OPERATOR)
    await read_body(request, services.settings.max_body_bytes)
    return _answered(await services.actions.hand_over(principal, request_id_of(request_id)), Preferences())


def _preferences(request: Call, services: Services) -> Preferences:
    given = ",".join(request.headers.getall("prefer", []))
    return preferences_of(given, max_wait_seconds=services.settings.max_wait_seconds)


def _dry_run(request: Call) -> bool:
    if not request.scope["query_string"]:
        return False
    query = Query(request, {"dry_run"})
    wanted = query.flag("dry_run")
    query.finish()
    return wanted


def _applied(preferences: Preferences) -> dict[str, str]:
    return {"preference-applied": preferences.applied} if preferences.applied else {}


def _answered(answer: Answer, preferences: Preferences) -> ASGIResponse:
    headers = {"location": f"/v1/requests/{answer.request_id}", **_applied(preferences)}
    if answer.replayed:
        headers["idempotency-replayed"] = "true"
    return json_bytes(answer.body, _STATUS[answer.status], headers)

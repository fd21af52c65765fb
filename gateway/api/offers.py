"""This file holds the endpoints of the catalogue: services, whether they can be used now, the problems' own words."""

from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from gateway.api.identity import caller
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.api.statuses import STATUSES
from gateway.api.views import centre_view, service_view
from gateway.catalogue import Service
from gateway.errors import AUDIENCES, CATALOGUE, Entry, Problem
from gateway.security.principals import Kind

Call = Request[Any, Any, Any]


@get("/v1/services")
async def list_services(request: Call) -> ASGIResponse:
    """The services that the caller may use."""
    principal = await caller(request)
    everything = services_of(request).catalogue
    shown = [each for each in everything if principal.kind is Kind.OPERATOR or principal.may_use(each.id)]
    return json_of({"items": [service_view(service) for service in shown]})


@get("/v1/services/{service_id:str}")
async def read_service(request: Call) -> ASGIResponse:
    """One service."""
    service_id = request.path_params["service_id"]
    await caller(request)
    return json_of(service_view(_service(request, service_id)))


@get("/v1/services/{service_id:str}/availability")
async def read_availability(request: Call) -> ASGIResponse:
    """Whether the service's institutions can be reached now."""
    service_id = request.path_params["service_id"]
    principal = await caller(request)
    service = _service(request, service_id)
    return json_of(await services_of(request).availability.of(service, principal))


@get("/v1/centres")
async def list_centres(request: Call) -> ASGIResponse:
    """Where a citizen can take a result over."""
    await caller(request)
    centres = services_of(request).centres.values()
    return json_of({"items": [centre_view(centre) for centre in centres]})


@get("/problems")
async def list_problems() -> ASGIResponse:
    """Every code of the catalogue with its words."""
    return json_of({"items": [_entry(entry) for entry in CATALOGUE.values()]})


@get("/problems/{code:str}")
async def read_problem(request: Call) -> ASGIResponse:
    """What a problem's `type` points to."""
    code = request.path_params["code"]
    entry = CATALOGUE.get(code)
    if entry is None:
        raise Problem("not_found")
    return json_of(_entry(entry))


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "code": entry.code,
        "status": STATUSES.get(entry.code),
        "safe_to_retry": entry.safe_to_retry,
        "texts": {audience: dict(getattr(entry, audience)) for audience in AUDIENCES},
    }


def _service(request: Call, service_id: str) -> Service:
    service = services_of(request).catalogue.get(service_id)
    if service is None:
        raise Problem("service_unknown")
    return service

"""This file holds the endpoints for operators."""

from datetime import date
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from gateway.api.identity import caller
from gateway.api.parameters import Query, cursor_after
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.errors import Problem
from gateway.moments import iso
from gateway.representation import represent
from gateway.restoring.standing import shown
from gateway.security.principals import Kind
from gateway.store.queries import Filters, find_page
from gateway.store.restores import standing


@get("/v1/admin/requests")
async def list_all_requests(request: Request[Any, Any, Any]) -> ASGIResponse:
    """Requests of all channels, oldest first, since what has stood longest needs people first."""
    services = services_of(request)
    await caller(request, Kind.OPERATOR)
    known = {"state", "service", "channel", "reference", "created_from", "created_to", "limit", "cursor"}
    query = Query(request, known)
    filters = Filters(
        channel_id=query.text("channel"),
        states=query.states(),
        service=query.text("service"),
        reference=query.text("reference"),
        created_from=query.moment("created_from"),
        created_to=query.moment("created_to"),
    )
    limit, after = query.limit(), query.cursor()
    query.finish()
    found = await services.store.read(_oldest_first, filters, after, limit + 1)
    items = [
        {
            **represent(item.view, services.catalogue.get(item.view.service)),
            "channel": item.channel_id,
            "state_since": iso(item.state_since),
        }
        for item in found[:limit]
    ]
    return json_of({"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(found) > limit else None})


@get("/v1/admin/reconciliation/{day:str}")
async def read_reconciliation(request: Request[Any, Any, Any]) -> ASGIResponse:
    """The last report of a day that was reconciled."""
    services = services_of(request)
    await caller(request, Kind.OPERATOR)
    try:
        run = await services.reconciler.report(date.fromisoformat(request.path_params["day"]))
    except ValueError:
        raise Problem("not_found") from None
    if run is None:
        raise Problem("not_found")
    return json_of({"number": run.number, "checksum": run.checksum, "report": run.report})


@get("/v1/admin/restore")
async def read_restore(request: Request[Any, Any, Any]) -> ASGIResponse:
    """How restore mode stands."""
    services = services_of(request)
    await caller(request, Kind.OPERATOR)
    return json_of(shown(await services.store.read(standing)))


def _oldest_first(conn: Any, filters: Filters, after: str | None, limit: int) -> Any:
    return find_page(conn, filters, after, limit, oldest_first=True)

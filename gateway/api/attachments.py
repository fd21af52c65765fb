"""This file takes uploads in, and tells a channel of its own."""

import re
from typing import Any

from litestar import Request, get, post
from litestar.response.base import ASGIResponse

from gateway.api.body import pieces_of
from gateway.api.identity import caller
from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.errors import Problem
from gateway.moments import iso
from gateway.security.principals import Kind
from gateway.settings import Settings
from gateway.store.attachments import Attachment, find_attachment

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@post("/v1/attachments")
async def upload(request: Request[Any, Any, Any]) -> ASGIResponse:
    """Keep the body as an attachment; the same bytes again are the same attachment."""
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    pieces = pieces_of(request, services.settings.max_attachment_bytes)
    promised = ",".join(request.headers.getall("content-digest", []))
    kept, new = await services.attachments.take(principal.id, pieces, promised)
    location = {"location": f"/v1/attachments/{kept.digest}"}
    return json_of(_view(kept, services.settings), 201 if new else 200, location)


@get("/v1/attachments/{digest:str}")
async def read_attachment(request: Request[Any, Any, Any]) -> ASGIResponse:
    """What the channel uploaded under a digest, without its bytes."""
    services = services_of(request)
    principal = await caller(request, Kind.CHANNEL)
    named = _DIGEST.fullmatch(request.path_params["digest"].lower())
    found = await services.store.read(find_attachment, principal.id, f"sha256:{named[1]}") if named else None
    if found is None:
        raise Problem("not_found")
    return json_of(_view(found, services.settings))


def _view(kept: Attachment, settings: Settings) -> dict[str, Any]:
    ends = None if kept.used else kept.created_at + int(settings.attachment_hours * 3_600_000)
    return {"digest": kept.digest, "media_type": kept.media_type, "size": kept.size, "expires_at": iso(ends)}

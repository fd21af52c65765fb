"""This file lets whoever holds a document ask when and by whom it was issued."""

import re
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.api.views import issued_view
from gateway.bucket import Bucket
from gateway.errors import Problem
from gateway.store.queries import find_issued

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@get("/v1/documents/{digest:str}/verify")
async def verify_document(request: Request[Any, Any, Any]) -> ASGIResponse:
    """No key is needed: only who has the document knows its digest, and what is told is about no person."""
    services = services_of(request)
    bucket: Bucket = request.app.state["verifications"]
    if not bucket.take():
        raise Problem("rate_limited")
    named = _DIGEST.fullmatch(request.path_params["digest"].lower())
    issued = await services.store.read(find_issued, f"sha256:{named[1]}") if named else None
    if issued is None:
        raise Problem("document_unknown")
    return json_of(issued_view(issued, services.catalogue.get(issued.service)))

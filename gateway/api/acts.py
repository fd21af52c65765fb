"""This file holds what acts that make no request have in common: a JSON body, an idempotency key, a kept answer."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import jsonschema_rs
from litestar import Request
from litestar.response.base import ASGIResponse

from gateway.api.body import read_body
from gateway.api.negotiation import idempotency_key_of, require_json
from gateway.api.requests import services_of
from gateway.api.responses import json_bytes
from gateway.errors import Problem
from gateway.packed import pack
from gateway.schema_errors import explain
from gateway.security.principals import Principal
from gateway.store.acts import Act, Told
from gateway.strict_json import canonical_json
from gateway.validation import read_object

Call = Request[Any, Any, Any]
_DAY_MS = 86_400_000


async def body_of(request: Call, validator: jsonschema_rs.Draft202012Validator, *, required: bool) -> dict[str, Any]:
    """The body, or {} for none where none is required. Raises Problem."""
    if required:
        require_json(request.headers)
    raw = await read_body(request, services_of(request).settings.max_body_bytes)
    if not raw and not required:
        return {}
    require_json(request.headers)
    body, errors = read_object(raw)
    errors += explain(validator, body, but_not={error.pointer for error in errors})
    if errors:
        raise Problem("invalid_request", errors=errors)
    return body


def act_of(
    request: Call, principal: Principal, scope: str, body: Mapping[str, Any], *, required: bool = False
) -> Act | None:
    """The act under the call's Idempotency-Key; None where none was given. Raises Problem (D4)."""
    key = idempotency_key_of(request.headers, required=required)
    if key is None:
        return None
    services = services_of(request)
    hashed = services.acceptor.body_hash(sha256(canonical_json(body)).digest())
    return Act(principal.id, key, scope, hashed, services.settings.idempotency_days * _DAY_MS)


def answer_of(told: Told, status: int, headers: Mapping[str, str] | None = None) -> ASGIResponse:
    """What was done now, or was answered before."""
    replayed = {"idempotency-replayed": "true"} if told.replayed else {}
    return json_bytes(pack(told.body), status, {**(headers or {}), **replayed})

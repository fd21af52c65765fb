"""This file holds the parts of which the API's reference is made: operations, answers, bodies, refusals."""

from typing import Any

from gateway.api.openapi_examples import DESCRIPTIONS
from gateway.api.openapi_schemas import ref
from gateway.api.statuses import STATUSES

TRACE_HEADER = {"traceparent": {"description": "W3C trace of this call.", "schema": {"type": "string"}}}
#: What any call with a key may be refused for.
GUARDED = ("unauthenticated", "forbidden", "rate_limited", "overloaded", "internal_error", "storage_unavailable")
#: And any with a body.
BODY = (
    *("malformed_json", "json_too_deep", "json_number_too_long", "invalid_request", "json_duplicate_key"),
    *("number_not_finite", "body_too_large", "unsupported_media_type", "request_timeout"),
)
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "One key per act, chosen by the caller: 1 to 255 visible ASCII characters. A UUID is good.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "7d0b2f0e-6b0e-4a55-9c53-3c1e5f7a0c11",
}
#: And any with a key.
KEYED = ("idempotency_key_missing", "idempotency_key_invalid", "idempotency_key_reused")


def operation(
    operation_id: str,
    summary: str,
    tag: str,
    parameters: list[dict[str, Any]],
    good: dict[str, Any],
    refusals: tuple[str, ...],
    *,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One operation; its description stands in openapi_examples.py."""
    told: dict[str, Any] = {"operationId": operation_id, "summary": summary, "tags": [tag]}
    told["description"] = DESCRIPTIONS[operation_id]
    if parameters:
        told["parameters"] = parameters
    if body is not None:
        told["requestBody"] = body
    told["responses"] = {**good, **_refusals(refusals)}
    return told


def _refusals(codes: tuple[str, ...]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(STATUSES[code], []).append(code)
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {
        str(status): {
            "description": "Refused: " + ", ".join(f"`{code}`" for code in names) + ".",
            "headers": TRACE_HEADER,
            "content": content,
        }
        for status, names in sorted(by_status.items())
    }


def json_answer(schema: str, description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    """A good answer of JSON."""
    return {
        "description": description,
        "headers": {**TRACE_HEADER, **(headers or {})},
        "content": {"application/json": {"schema": ref(schema)}},
    }


def json_body(schema: str | None, examples: dict[str, Any]) -> dict[str, Any]:
    """A body of JSON."""
    content = {"schema": ref(schema) if schema else {"type": "object"}, "examples": examples}
    return {"required": True, "content": {"application/json": content}}


def text_in_path(name: str) -> dict[str, Any]:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}

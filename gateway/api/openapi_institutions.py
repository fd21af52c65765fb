"""This file holds the part of the API's reference that is for institutions and for those who hold their documents."""

from typing import Any

from gateway.api.openapi_parts import json_answer, operation, text_in_path

_PUBLIC = ("internal_error", "storage_unavailable")


def institution_paths() -> dict[str, Any]:
    """The paths."""
    return {"/callbacks/{institution}": {"post": {**_callback(), "security": []}}}


def _callback() -> dict[str, Any]:
    parameter = {**text_in_path("institution"), "example": "takamol"}
    good = {"202": json_answer("CallbackReceipt", "On disk, and understood afterwards.")}
    refusals = (*_PUBLIC, "institution_unknown", "body_too_large", "request_timeout", "rate_limited", "commit_unknown")
    content = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
    body = {"required": True, "content": content, "description": "As the institution's package declares it; kept raw."}
    return operation(
        "receiveCallback", "Tell what became of an act", "Institutions", [parameter], good, refusals, body=body
    )

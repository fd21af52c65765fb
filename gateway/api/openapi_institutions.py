"""This file holds the part of the API's reference that is for institutions and for those who hold their documents."""

from typing import Any

from gateway.api.openapi_parts import json_answer, operation, text_in_path

_PUBLIC = ("internal_error", "storage_unavailable")


def institution_paths() -> dict[str, Any]:
    """The paths."""
    open_to_all: dict[str, Any] = {"security": []}
    return {
        "/callbacks/{institution}": {"post": {**_callback(), **open_to_all}},
        "/v1/documents/{digest}/verify": {"get": {**_verify(), **open_to_all}},
    }


def _verify() -> dict[str, Any]:
    words = "`sha256:` and 64 hex digits, or these alone: the SHA-256 of the file as it was received."
    parameter = {
        **text_in_path("digest"),
        "description": words,
        "example": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }
    good = {"200": json_answer("IssuedDocument", "Issued, unchanged.")}
    refusals = (*_PUBLIC, "document_unknown", "rate_limited")
    return operation("verifyDocument", "Ask whether a document is genuine", "Institutions", [parameter], good, refusals)


def _callback() -> dict[str, Any]:
    parameter = {**text_in_path("institution"), "example": "takamol"}
    good = {"202": json_answer("CallbackReceipt", "On disk, and understood afterwards.")}
    refusals = (*_PUBLIC, "institution_unknown", "body_too_large", "request_timeout", "rate_limited", "commit_unknown")
    content = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
    body = {"required": True, "content": content, "description": "As the institution's package declares it; kept raw."}
    return operation(
        "receiveCallback", "Tell what became of an act", "Institutions", [parameter], good, refusals, body=body
    )

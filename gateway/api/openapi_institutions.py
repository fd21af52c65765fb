"""This file holds the part of the API's reference about bytes that come in: uploads, callbacks, documents to verify."""

from typing import Any

from gateway.api.openapi_parts import GUARDED, json_answer, operation, text_in_path

_PUBLIC = ("internal_error", "storage_unavailable")


def institution_paths() -> dict[str, Any]:
    """The paths."""
    open_to_all: dict[str, Any] = {"security": []}
    return {
        "/v1/attachments": {"post": _upload()},
        "/v1/attachments/{digest}": {"get": _attachment()},
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


def _upload() -> dict[str, Any]:
    kinds = ("application/pdf", "image/jpeg", "image/png", "image/tiff")
    binary = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    body = {"required": True, "content": {**dict.fromkeys(kinds, binary), "application/octet-stream": binary}}
    digest = {
        "name": "Content-Digest",
        "in": "header",
        "description": "SHA-256 of the bytes (RFC 9530), if you wish it to be checked.",
        "schema": {"type": "string"},
    }
    where = {"Location": {"description": "Address of the attachment.", "schema": {"type": "string"}}}
    good = {
        "201": json_answer("Attachment", "Kept.", where),
        "200": json_answer("Attachment", "You had uploaded these bytes before.", where),
    }
    refusals = (
        *GUARDED,
        *("attachment_not_accepted", "attachment_damaged", "body_too_large", "request_timeout", "commit_unknown"),
        "too_many_uploads",
    )
    return operation(
        "uploadAttachment", "Upload a document or a picture", "Requests", [digest], good, refusals, body=body
    )


def _attachment() -> dict[str, Any]:
    good = {"200": json_answer("Attachment", "Your upload, without its bytes.")}
    summary = "Ask whether an upload is there"
    return operation("readAttachment", summary, "Requests", [text_in_path("digest")], good, (*GUARDED, "not_found"))


def _callback() -> dict[str, Any]:
    parameter = {**text_in_path("institution"), "example": "takamol"}
    good = {"202": json_answer("CallbackReceipt", "On disk, and understood afterwards.")}
    refusals = (*_PUBLIC, "institution_unknown", "body_too_large", "request_timeout", "rate_limited", "commit_unknown")
    content = {"application/json": {"schema": {"type": "object"}}}
    body = {"required": True, "content": content, "description": "As the institution's package declares it; kept raw."}
    return operation(
        "receiveCallback", "Tell what became of an act", "Institutions", [parameter], good, refusals, body=body
    )

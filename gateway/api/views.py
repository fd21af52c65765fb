"""This file renders what is not a request itself: events, documents, services."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import quote

from litestar.response.base import ASGIResponse

from gateway.catalogue import Service
from gateway.centres import Centre
from gateway.errors import Problem
from gateway.moments import iso
from gateway.representation import money, reason
from gateway.store.queries import Event, StoredDocument
from mappings.codes import table

_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}\Z")
_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def event_view(event: Event) -> dict[str, Any]:
    """One line of a timeline; `reason` gives the words of its code, when it has one."""
    code = event.facts.get("code")
    return {
        "id": event.id,
        "at": iso(event.at),
        "kind": event.kind,
        "state": event.state.value,
        "facts": event.facts,
        "reason": reason(code) if isinstance(code, str) else None,
    }


def document_response(document: StoredDocument, if_none_match: str | None) -> ASGIResponse:
    """The bytes with their digest (RFC 9530); never run or shown by a browser as a page of ours.

    Raises Problem("internal_error") when the bytes are not those that were stored.
    """
    digest = hashlib.sha256(document.content).digest()
    if document.digest != f"sha256:{digest.hex()}":
        raise Problem("internal_error")
    etag = f'"{digest.hex()}"'
    headers = {
        "etag": etag,
        "content-digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
        "content-disposition": _disposition(document.name),
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, no-cache",
    }
    if if_none_match is not None and etag in [tag.strip() for tag in if_none_match.split(",")]:
        return ASGIResponse(body=b"", status_code=304, headers=headers)
    kind = document.media_type.lower()
    return ASGIResponse(
        body=document.content,
        media_type=kind if _MEDIA_TYPE.match(kind) else "application/octet-stream",
        headers=headers,
    )


def _disposition(name: str) -> str:
    """An attachment with its name twice: plain for old clients, UTF-8 for the others (RFC 6266)."""
    plain = _UNSAFE_NAME.sub("_", name).strip("._") or "document"
    exact = quote("".join(letter for letter in name if letter.isprintable() and letter not in "/\\"), safe="")
    return f"attachment; filename=\"{plain[:100]}\"; filename*=UTF-8''{exact[:300]}"


def centre_view(centre: Centre) -> dict[str, Any]:
    """A centre in both languages, with its governorate's code and names."""
    governorates = table("governorates")
    return {
        "id": centre.id,
        "name": dict(centre.name),
        "governorate": {
            "code": centre.governorate,
            "name": {language: governorates.name_of(centre.governorate, language) for language in ("ar", "en")},
        },
    }


def service_view(service: Service) -> dict[str, Any]:
    """A service in both languages, with what a channel needs to build its form."""
    fee = None
    if service.fee is not None:
        methods = list(service.fee.methods)
        amount = money(service.fee.money) if service.fee.money else None
        fee = {"amount": amount, "methods": methods, "example": service.fee.example, "quoted": amount is None}
    href = f"/v1/services/{service.id}"
    return {
        "id": service.id,
        "institution": service.institution,
        "name": dict(service.name),
        "turnaround_hours": service.turnaround_hours,
        "required_documents": list(service.required_documents),
        "minimum_assurance": service.minimum_assurance,
        "delivery": list(service.delivery),
        "fee": fee,
        "steps": [step.kind for step in service.steps],
        "schema": service.schema,
        "labels": dict(service.labels),
        "result": {"schema": service.result, "labels": dict(service.result_labels)} if service.result else None,
        "links": {"self": href, "availability": f"{href}/availability"},
    }

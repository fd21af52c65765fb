"""This file renders what is not a request itself: events, documents, services."""

import base64
import hashlib
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import quote

from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse

from gateway.catalogue import Service
from gateway.centres import Centre
from gateway.documents.keep import chunks_of, is_whole
from gateway.errors import Problem
from gateway.moments import iso
from gateway.representation import money, reason
from gateway.store.engine import Store
from gateway.store.queries import Event, Issued, StoredDocument
from mappings.codes import table

_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}\Z")
_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


#: Who let a request go on and why: what operators wrote is for operators.
_FOR_OPERATORS = frozenset({"by", "because"})


def event_view(event: Event, *, whole: bool = False) -> dict[str, Any]:
    """One line of a timeline; `reason` gives the words of its code, when it has one. `whole` is for operators."""
    code = event.facts.get("code")
    return {
        "id": event.id,
        "at": iso(event.at),
        "kind": event.kind,
        "state": event.state.value,
        "facts": event.facts if whole else _without(event.facts, _FOR_OPERATORS),
        "reason": reason(code) if isinstance(code, str) else None,
    }


def _without(facts: Mapping[str, Any], names: AbstractSet[str]) -> Mapping[str, Any]:
    return facts if names.isdisjoint(facts) else {name: fact for name, fact in facts.items() if name not in names}


async def document_response(store: Store, document: StoredDocument, if_none_match: str | None) -> ASGIResponse:
    """The bytes with their digest (RFC 9530); never run or shown by a browser as a page of ours.

    Raises Problem("internal_error") when the bytes are not those that were stored; it is looked at before any is sent.
    """
    etag = f'"{document.digest.removeprefix("sha256:")}"'
    content_digest = base64.b64encode(bytes.fromhex(etag.strip('"'))).decode()
    headers = {
        "etag": etag,
        "content-digest": f"sha-256=:{content_digest}:",
        "content-disposition": _disposition(document.name),
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, no-cache",
    }
    if if_none_match is not None and etag in [tag.strip() for tag in if_none_match.split(",")]:
        return ASGIResponse(body=b"", status_code=304, headers=headers)
    kind = document.media_type.lower()
    media_type = kind if _MEDIA_TYPE.match(kind) else "application/octet-stream"
    if document.blob_id is not None:
        if not await is_whole(store, document.blob_id, document.digest):
            raise Problem("internal_error")
        return ASGIStreamingResponse(
            iterator=chunks_of(store, document.blob_id),
            media_type=media_type,
            headers={**headers, "content-length": str(document.size)},
        )
    if document.digest != f"sha256:{hashlib.sha256(document.content).hexdigest()}":
        raise Problem("internal_error")
    return ASGIResponse(body=document.content, media_type=media_type, headers=headers)


def issued_view(issued: Issued, service: Service | None) -> dict[str, Any]:
    """What a verifier is told: nothing about a person."""
    return {
        "digest": issued.digest,
        "media_type": issued.media_type,
        "size": issued.size,
        "institution": service.institution if service else issued.issuer,
        "service": {"id": issued.service, "name": dict(service.name) if service else None},
        "issued_at": iso(issued.issued_at),
    }


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

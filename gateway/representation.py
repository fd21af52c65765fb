"""How a request looks to channels: built from what the store holds, the same for every answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway import next_action
from gateway.catalogue import Service
from gateway.errors import CATALOGUE
from gateway.moments import iso
from gateway.packed import pack
from gateway.payments.fee_orders import paid_of, refund_minor
from gateway.work import Work
from mappings.money import Money, format_amount
from mappings.status import FINAL, Intent, Request


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document that a request brought, without its bytes."""

    number: int
    name: str
    media_type: str
    size: int
    digest: str


class View(Struct, frozen=True):
    """What is shown of a request; no personal data. Times are milliseconds since 1970 UTC."""

    id: str
    service: str
    state: Request
    step: int
    reason: str | None
    reference: str | None
    next_action: Mapping[str, Any] | None
    expires_at: int | None
    next_try_at: int | None
    created_at: int
    updated_at: int
    intent_state: Intent | None = None
    provider: str | None = None
    money: Money | None = None
    paid_minor: int = 0  #: What was paid when another amount was owed.
    test: bool = False
    documents: Sequence[DocumentView] = ()


def view_of(work: Work, now: int) -> View:
    """A request as a worker sees it, before anything is settled about it."""
    return View(
        id=work.request_id,
        service=work.service,
        state=work.state,
        step=work.step,
        reason=None,
        reference=work.reference,
        next_action=None,
        expires_at=None,
        next_try_at=None,
        created_at=work.created_at,
        updated_at=now,
        intent_state=work.intent_state,
        provider=(work.progress.get("payment") or {}).get("method"),
        money=Money(work.amount_minor, work.currency, work.denomination) if work.intent_id else None,
        paid_minor=work.paid_minor,
        test=work.test,
    )


def represent(view: View, service: Service | None, expected_at: datetime | None = None) -> dict[str, Any]:
    """The request as JSON for the wire: state, step, reason in both languages, payment, next action, documents.

    `expected_at` is the estimate of a request that waits for its turn (gateway/lanes/outlook.py).
    """
    href = f"/v1/requests/{view.id}"
    return {
        "id": view.id,
        "service": view.service,
        "state": view.state.value,
        "final": view.state in FINAL,
        "test": view.test,
        "step": _step(view, service),
        "reason": reason(view.reason),
        "next_try_at": iso(view.next_try_at),
        "expected_at": iso(int(expected_at.timestamp() * 1000)) if expected_at else None,
        "reference": view.reference,
        "payment": _payment(view),
        "next_action": _next_action(view),
        "documents": [_document(document, href) for document in view.documents],
        "created_at": iso(view.created_at),
        "updated_at": iso(view.updated_at),
        "links": {"self": href, "events": f"{href}/events", "stream": f"{href}/stream", **_result_link(view, service)},
    }


def to_json(representation: Mapping[str, Any]) -> bytes:
    """The bytes that are sent and, for an idempotent call, stored."""
    return pack(representation)


def reason(code: str | None) -> dict[str, Any] | None:
    """A code with its texts for citizen, clerk and technician, in both languages."""
    if code is None:
        return None
    entry = CATALOGUE.get(code)
    if entry is None:  # "with_institution" and the like are explained by the catalogue too; a house test holds that
        return {"code": code}
    return {
        "code": code,
        "citizen": dict(entry.citizen),
        "clerk": dict(entry.clerk),
        "technician": dict(entry.technician),
    }


def _result_link(view: View, service: Service | None) -> dict[str, str]:
    """Where a result that is data stands: it tells of the citizen, so it is no part of what operators see."""
    there = service is not None and service.result is not None and view.state is Request.COMPLETED
    return {"result": f"/v1/requests/{view.id}/result"} if there else {}


def _step(view: View, service: Service | None) -> dict[str, Any] | None:
    if service is None:
        return None
    return {"number": view.step + 1, "of": len(service.steps), "kind": service.steps[view.step].kind}


def _payment(view: View) -> dict[str, Any] | None:
    if view.money is None or view.intent_state is None:
        return None
    state, owed = view.intent_state, view.money
    paid = paid_of(state, owed.amount_minor, view.paid_minor)
    refund = refund_minor(view.state, state, owed.amount_minor, view.paid_minor)
    return {
        "state": state.value,
        "method": view.provider,
        "amount": money(owed),
        "paid": money(Money(paid, owed.currency, owed.denomination)),
        "refund_due": refund > 0,
        "refund": money(Money(refund, owed.currency, owed.denomination)) if refund else None,
    }


def money(value: Money) -> dict[str, Any]:
    """An amount on the wire: exact text, currency and denomination."""
    return {"value": format_amount(value), "currency": value.currency, "denomination": value.denomination}


def _next_action(view: View) -> dict[str, Any] | None:
    if view.next_action is None:
        return None
    return next_action.render(view.next_action, expires_at=iso(view.expires_at))


def _document(document: DocumentView, href: str) -> dict[str, Any]:
    return {
        "number": document.number,
        "name": document.name,
        "media_type": document.media_type,
        "size": document.size,
        "digest": document.digest,
        "href": f"{href}/documents/{document.number}",
    }

"""An outcome in the words of a sample's outcome.json: what the suite compares, `try` shows and the importer writes."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from connectors.kit.contract import Asked, Outcome, Quote
from connectors.kit.errors import ConnectorError


def shown(outcome: Outcome | ConnectorError) -> dict[str, Any]:
    """What came, in the words of outcome.json."""
    if isinstance(outcome, ConnectorError):
        return {"error": outcome.code}
    content: dict[str, Any] = {
        "status": outcome.status.value,
        "code": outcome.code,
        "institution_code": outcome.institution_code,
        "reference": outcome.reference,
        "data": dict(outcome.data),
        "documents": [
            {"name": d.name, "media_type": d.media_type, "sha256": hashlib.sha256(d.content).hexdigest()}
            for d in outcome.documents
        ],
    }
    if outcome.next_inquiry_seconds is not None:
        content["next_inquiry_seconds"] = outcome.next_inquiry_seconds
    if outcome.asked is not None:
        content["next_action"] = _asked(outcome.asked)
    if outcome.quote is not None:
        content["quote"] = quote_of(outcome.quote)
    return content


def _asked(asked: Asked) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": asked.kind}
    if asked.details:
        told["details"] = dict(asked.details)
    if asked.choices:
        told["choices"] = {name: [dict(choice) for choice in choices] for name, choices in asked.choices.items()}
    if asked.expires_in_seconds is not None:
        told["expires_in_seconds"] = asked.expires_in_seconds
    if asked.expires_at is not None:
        told["expires_at"] = moment(asked.expires_at)
    return told


def quote_of(quote: Quote) -> dict[str, Any]:
    """A quote as mappings read it and samples show it."""
    return {
        "id": quote.id,
        "amount_minor": quote.amount_minor,
        "currency": quote.currency,
        "denomination": quote.denomination,
        "valid_until": moment(quote.valid_until) if quote.valid_until else None,
    }


def moment(value: datetime) -> str:
    """RFC 3339 in UTC, with seconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

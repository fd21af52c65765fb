"""An outcome in the words of a sample's outcome.json: what the suite compares, `try` shows and the importer writes."""

import hashlib
from typing import Any

from connectors.kit.contract import Outcome
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
    return content

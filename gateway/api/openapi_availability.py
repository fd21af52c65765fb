"""This file holds the schema of what is known of a service's institutions now."""

from typing import Any

_MOMENT = {"type": "string", "format": "date-time"}
_TEXT = {"$ref": "#/components/schemas/Text"}

AVAILABILITY: dict[str, Any] = {
    "type": "object",
    "required": ["service", "state", "text", "waiting", "expected_at"],
    "properties": {
        "service": {"type": "string"},
        "state": {"type": "string", "enum": ["open", "busy", "closed", "unreachable"]},
        "opens_at": {
            **_MOMENT,
            "description": "Only when it is closed: from when on the institutions' operations work.",
        },
        "outage": {**_TEXT, "description": "Only in a planned outage: the institution's words for it."},
        "text": _TEXT,
        "institutions": {"type": "object", "additionalProperties": {"type": "string"}},
        "waiting": {
            "type": "integer",
            "minimum": 0,
            "description": "Requests that stand before one that is made now, where it takes longest.",
        },
        "expected_at": {
            **_MOMENT,
            "type": ["string", "null"],
            "description": "When the slowest operation would take a request that is made now: an estimate. Null when "
            "nobody knows when it opens.",
        },
    },
}

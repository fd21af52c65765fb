"""The events: CloudEvents 1.0 in JSON, with what the channel may see of its request and nothing about a person."""

from typing import Any

from gateway.moments import iso
from gateway.packed import pack
from gateway.store.webhooks.deliveries import Due
from gateway.store.webhooks.outbox import TYPE_PREFIX
from mappings.status import FINAL, Request

PING = "jisr.webhook.ping"
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
#: Every type that an endpoint may ask for; a ping comes whatever it asked for.
TYPES = tuple(f"{TYPE_PREFIX}{state.value}" for state in Request)
_SOURCE = "/v1/requests"


def body_of(due: Due) -> bytes:
    """The event; the same bytes at every try."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": due.event_id,
        "source": _SOURCE,
        "type": due.type,
        "time": iso(due.at),
        "datacontenttype": "application/json",
    }
    if due.request_id is None:
        return pack({**event, "data": {}})
    state = Request(due.facts["state"])
    data = {
        "request_id": due.request_id,
        "service": due.service,
        "state": state.value,
        "final": state in FINAL,
        "test": due.test,
        "reason": due.facts["reason"],
        "next_action": due.facts["next_action"],
        "links": {"self": f"{_SOURCE}/{due.request_id}", "events": f"{_SOURCE}/{due.request_id}/events"},
    }
    return pack({**event, "subject": due.request_id, "sequence": f"{due.sequence:08}", "data": data})

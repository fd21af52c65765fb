"""This file holds the part of the API's reference about webhooks: paths, schemas, examples, words."""

from typing import Any

from gateway.api.openapi_parts import BODY, GUARDED, KEY, KEYED, json_answer, json_body, operation
from gateway.api.webhooks import NEW_WEBHOOK, ROTATION, STATES
from gateway.webhooks.events import PING, TYPES
from gateway.webhooks.post import OUTCOMES

_ONE = {"name": "webhook_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_EVENT = {"name": "event_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_TIME = {"type": "string", "format": "date-time"}
_KEY = {**KEY, "description": f"{KEY['description']} With one, the same call again is answered as the first time."}
_MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_RESTS = (
    "Why it rests: `asked`; `gone`: the receiver answered 410; `failing`: for days, at every try; `revoked`: the "
    "channel's key."
)

ADDITIONS: dict[str, Any] = {
    "all": {"summary": "Every event", "value": {"url": "https://channel.example.com/jisr"}},
    "ends": {
        "summary": "Only how requests end",
        "value": {
            "url": "https://channel.example.com/jisr-results",
            "events": ["jisr.request.completed", "jisr.request.refused"],
        },
    },
}
ROTATIONS: dict[str, Any] = {
    "default": {"summary": "Both sign for as long as is set", "value": {}},
    "at_once": {"summary": "The old secret leaked", "value": {"overlap_hours": 0}},
}


def webhook_paths() -> dict[str, Any]:
    """The paths."""
    one = "/v1/webhooks/{webhook_id}"
    event = f"{one}/deliveries/{{event_id}}"
    told = (*GUARDED, "not_found")
    acts = (*told, *KEYED[1:], "webhook_disabled", "commit_unknown")
    return {
        "/v1/webhooks": {"post": _add(), "get": _call("listWebhooks", "List webhooks", [], "WebhookList", GUARDED)},
        one: {
            "get": _call("readWebhook", "Read a webhook", [_ONE], "Webhook", told),
            "delete": _remove(),
        },
        f"{one}/rotate": {"post": _rotate()},
        f"{one}/enable": {"post": _call("enableWebhook", "Go on", [_ONE], "Webhook", (*told, "commit_unknown"))},
        f"{one}/disable": {"post": _call("disableWebhook", "Rest", [_ONE], "Webhook", (*told, "commit_unknown"))},
        f"{one}/ping": {"post": _call("pingWebhook", "Send a ping", [_ONE, _KEY], "Delivery", acts, "202")},
        f"{one}/redeliver": {
            "post": _call("redeliverFailed", "Send again what was given up", [_ONE, _KEY], "Redelivered", acts, "202")
        },
        f"{one}/deliveries": {"get": _log()},
        event: {"get": _call("readDelivery", "Read an event with its tries", [_ONE, _EVENT], "Delivery", told)},
        f"{event}/redeliver": {
            "post": _call("redeliverEvent", "Send an event again", [_ONE, _EVENT, _KEY], "Delivery", acts, "202")
        },
    }


def _call(
    operation_id: str,
    summary: str,
    parameters: list[dict[str, Any]],
    schema: str,
    refusals: tuple[str, ...],
    status: str = "200",
) -> dict[str, Any]:
    return operation(operation_id, summary, "Webhooks", parameters, {status: json_answer(schema, summary)}, refusals)


def _add() -> dict[str, Any]:
    where = {"Location": {"description": "Address of the webhook.", "schema": {"type": "string"}}}
    good = {
        "201": json_answer("NewWebhook", "Added. The secret is told this once.", where),
        "200": json_answer("Webhook", "You have this address already; it stays as it is.", where),
    }
    refusals = (*GUARDED, *BODY, *KEYED[1:], "too_many_webhooks", "commit_unknown")
    body = json_body("WebhookAddition", ADDITIONS)
    return operation("addWebhook", "Add a webhook", "Webhooks", [_KEY], good, refusals, body=body)


def _rotate() -> dict[str, Any]:
    good = {"200": json_answer("NewWebhook", "The new secret is told this once.")}
    refusals = (*GUARDED, *BODY, *KEYED[1:], "not_found", "commit_unknown")
    body = {**json_body("WebhookRotation", ROTATIONS), "required": False}
    return operation("rotateWebhook", "Change the secret", "Webhooks", [_ONE, _KEY], good, refusals, body=body)


def _remove() -> dict[str, Any]:
    good = {"204": {"description": "Nothing is told there any more."}}
    refusals = (*GUARDED, "not_found", "commit_unknown")
    return operation("removeWebhook", "Remove a webhook", "Webhooks", [_ONE], good, refusals)


def _log() -> dict[str, Any]:
    states = {"type": "array", "items": {"type": "string", "enum": list(STATES)}}
    text = {"type": "string", "minLength": 1, "maxLength": 128}
    parameters: list[dict[str, Any]] = [
        _ONE,
        {"name": "state", "in": "query", "description": "One or more states.", "schema": states},
        {"name": "request", "in": "query", "description": "Id of a request.", "schema": text},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    ]
    good = {"200": json_answer("DeliveryPage", "One page, newest first.")}
    refusals = (*GUARDED, "not_found", "invalid_query")
    return operation("listDeliveries", "Read the delivery log", "Webhooks", parameters, good, refusals)


def webhook_schemas() -> dict[str, Any]:
    """Every schema by its name."""
    webhook = {
        "id": {"type": "string", "format": "uuid"},
        "channel": {"type": "string"},
        "url": {"type": "string"},
        "events": {"type": "array", "items": {"type": "string"}, "description": f"`*`, or some of {_listed(TYPES)}."},
        "state": {"type": "string", "enum": ["active", "disabled"]},
        "reason": {**_MAYBE_TEXT, "description": _RESTS},
        "failures": {"type": "integer", "description": "In a row."},
        "failing_since": {**_MAYBE_TIME, "description": "The first of them."},
        "waiting": {"type": "integer", "description": "Events that are not delivered yet."},
        "old_secret_until": {**_MAYBE_TIME, "description": "Until then the secret before the last change signs too."},
        "created_at": _TIME,
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    secret = {"type": "string", "pattern": "^whsec_", "description": "Keep it: it is told this once."}
    delivery = {
        "id": {"type": "string", "format": "uuid", "description": "The event's `webhook-id`."},
        "type": {"type": "string", "description": f"{_listed((*TYPES, PING))}."},
        "request": {**_MAYBE_TEXT, "description": "The request that it tells of."},
        "sequence": {"type": "integer", "description": "Counts the events of one request at this address."},
        "at": _TIME,
        "state": {"type": "string", "enum": list(STATES)},
        "tried": {"type": "integer"},
        "outcome": {"type": ["string", "null"], "enum": [*OUTCOMES, None], "description": "Of the last try."},
        "http_status": {"type": ["integer", "null"]},
        "next_try_at": _MAYBE_TIME,
        "gives_up_at": _MAYBE_TIME,
        "settled_at": _MAYBE_TIME,
    }
    tried = {
        "number": {"type": "integer"},
        "at": _TIME,
        "milliseconds": {"type": "integer"},
        "outcome": {"type": "string", "enum": list(OUTCOMES)},
        "http_status": {"type": ["integer", "null"]},
    }
    cursor = {"type": ["string", "null"], "description": "Give it as `cursor` to read on; null on the last page."}
    return {
        "WebhookAddition": {**NEW_WEBHOOK, "description": "`channel` is for operators, who name whose it is."},
        "WebhookRotation": ROTATION,
        "Webhook": _object(webhook),
        "NewWebhook": _object({**webhook, "secret": secret}),
        "WebhookList": _object({"items": _array("Webhook")}),
        "Delivery": {
            **_object(delivery),
            "properties": {**delivery, "tries": {"type": "array", "items": _object(tried)}},
        },
        "DeliveryPage": _object({"items": _array("Delivery"), "next_cursor": cursor}),
        "Redelivered": _object({"count": {"type": "integer", "description": "Of the oldest thousand."}}),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _array(schema: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)

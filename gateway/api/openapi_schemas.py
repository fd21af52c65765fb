"""This file holds the schemas of the API's reference: what is sent, what is answered."""

from typing import Any

from gateway.api.openapi_availability import AVAILABILITY
from gateway.api.statuses import STATUSES
from gateway.catalogue import DELIVERY
from gateway.documents.references import PATTERN
from gateway.envelope import applicant_schema, attachments_schema, delivery_schema, payment_schema
from mappings.status import Intent, Request

_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds."}


def ref(name: str) -> dict[str, str]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], properties: dict[str, Any], description: str = "", **more: Any) -> dict[str, Any]:
    words = {"description": description} if description else {}
    return {"type": "object", **words, "required": required, "properties": properties, **more}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if set(schema) == {"$ref"}:
        return {"oneOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _page(item: str, description: str) -> dict[str, Any]:
    cursor = {"type": ["string", "null"], "description": "Give it as `cursor` to read on; null on the last page."}
    properties = {"items": {"type": "array", "items": ref(item)}, "next_cursor": cursor}
    return _object(["items", "next_cursor"], properties, description)


def _list(item: str, description: str) -> dict[str, Any]:
    return _object(["items"], {"items": {"type": "array", "items": ref(item)}}, description)


def _request() -> dict[str, Any]:
    step = _object(
        ["number", "of", "kind"],
        {"number": {"type": "integer"}, "of": {"type": "integer"}, "kind": {"type": "string"}},
        "Which of the service's steps it stands at.",
    )
    payment = _object(
        ["state", "amount", "paid", "refund_due", "refund"],
        {
            "state": {"type": "string", "enum": [state.value for state in Intent]},
            "method": {"type": ["string", "null"]},
            "amount": ref("Money"),
            "paid": ref("Money"),
            "refund_due": {"type": "boolean", "description": "Paid and the service was not given, or paid too much."},
            "refund": _nullable(ref("Money")),
        },
        "The fee order; null when the service is free.",
    )
    properties = {
        "id": _UUID,
        "service": {"type": "string"},
        "state": ref("State"),
        "final": {"type": "boolean", "description": "The state will not change any more."},
        "test": {"type": "boolean", "description": "Of a test channel: nothing real was done."},
        "step": _nullable(step),
        "reason": _nullable(ref("Reason")),
        "next_try_at": _nullable(_TIME),
        "expected_at": {
            **_nullable(_TIME),
            "description": "Only of one request that waits for its turn: when it is expected to be sent; an estimate.",
        },
        "reference": {"type": ["string", "null"], "description": "The channel's own reference."},
        "payment": _nullable(payment),
        "next_action": _nullable(ref("NextAction")),
        "documents": {"type": "array", "items": ref("Document")},
        "created_at": _TIME,
        "updated_at": _TIME,
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    required = [name for name in properties if name != "step"]
    return _object(required, properties, "A citizen's request as it stands. Nothing personal is in it.")


def schemas() -> dict[str, Any]:
    """Every schema by its name."""
    return {
        "Text": _object(["ar", "en"], {"ar": {"type": "string"}, "en": {"type": "string"}}, "In both languages."),
        "Texts": _object(
            ["citizen", "clerk", "technician"],
            {name: ref("Text") for name in ("citizen", "clerk", "technician")},
            "One sentence for each of three readers.",
        ),
        "Money": _object(
            ["value", "currency", "denomination"],
            {
                "value": {"type": "string", "description": "Exact decimal in major units.", "examples": ["25.00"]},
                "currency": {"type": "string", "examples": ["SYP"]},
                "denomination": {"type": "string", "examples": ["SYP-new"], "description": "Old or new pounds."},
            },
        ),
        "Attachment": _attachment(),
        "CallbackReceipt": _callback_receipt(),
        "IssuedDocument": _issued_document(),
        "ReconciliationRun": _object(
            ["number", "checksum", "report"],
            {
                "number": {"type": "integer", "description": "Of the day's runs that found something new, from 1."},
                "checksum": {"type": "string", "description": "SHA-256 of the report."},
                "report": {
                    "type": "object",
                    "description": "Sources with proof; breaks, resolved, closed.",
                },
            },
        ),
        "Applicant": applicant_schema(),
        "Centre": _object(
            ["id", "name", "governorate"],
            {
                "id": {"type": "string"},
                "name": ref("Text"),
                "governorate": _object(["code", "name"], {"code": {"type": "string"}, "name": ref("Text")}),
            },
        ),
        "CentreList": _list("Centre", "Where citizens can take results over."),
        "Delivery": delivery_schema(DELIVERY),
        "Payment": payment_schema(),
        "NewRequest": _object(
            ["service", "applicant", "input"],
            {
                "service": {"type": "string", "description": "Id of a service of GET /v1/services."},
                "applicant": ref("Applicant"),
                "input": {"type": "object", "description": "As the service's own `schema` says."},
                "delivery": ref("Delivery"),
                "attachments": attachments_schema(),
                "payment": ref("Payment"),
                "reference": {"type": "string", "minLength": 1, "maxLength": 100, "description": "The channel's own."},
            },
            "What the citizen asks for. Unknown fields are refused.",
            additionalProperties=False,
        ),
        "State": {"type": "string", "enum": [state.value for state in Request], "description": "Where it stands."},
        "Reason": _object(
            ["code"],
            {"code": {"type": "string"}, **{name: ref("Text") for name in ("citizen", "clerk", "technician")}},
            "Why it waits, is in doubt, is parked or was refused.",
        ),
        "NextAction": _object(
            ["id", "kind", "schema", "text"],
            {
                "id": {"type": "string"},
                "kind": {"type": "string", "examples": ["confirm_otp", "choose_payment"]},
                "expires_at": _nullable(_TIME),
                "schema": {"type": "object", "description": "JSON Schema 2020-12 of the answer."},
                "text": ref("Text"),
                "labels": {
                    "type": "object",
                    "description": "Asked by an institution: words of the fields and choices.",
                },
                "details": {"type": "object", "description": "Asked by an institution: amounts, reasons, times."},
            },
            "What only the citizen can give; answer it at /v1/requests/{request_id}/actions/{action_id}.",
        ),
        "Document": _object(
            ["number", "name", "media_type", "size", "digest", "href"],
            {
                "number": {"type": "integer"},
                "name": {"type": "string"},
                "media_type": {"type": "string"},
                "size": {"type": "integer", "description": "Bytes."},
                "digest": {"type": "string", "description": "sha256:<hex> of the bytes."},
                "href": {"type": "string"},
            },
        ),
        "Result": _object(
            ["service", "result"],
            {
                "service": {"type": "string"},
                "result": {"type": "object", "description": "As the service's `result.schema` says."},
            },
            "The result of a completed request, where that is data.",
        ),
        "Request": _request(),
        "RequestPage": _page("Request", "Requests, newest first."),
        "AdminRequest": {
            "allOf": [
                ref("Request"),
                _object(["channel", "state_since"], {"channel": {"type": "string"}, "state_since": _TIME}),
            ]
        },
        "AdminRequestPage": _page("AdminRequest", "Requests of all channels, oldest first."),
        "Event": _object(
            ["id", "at", "kind", "state", "facts", "reason"],
            {
                "id": _UUID,
                "at": _TIME,
                "kind": {"type": "string", "examples": ["accepted", "sending", "advanced", "completed"]},
                "state": ref("State"),
                "facts": {"type": "object", "description": "Step, connector, operation, attempt, code, milliseconds …"},
                "reason": _nullable(ref("Reason")),
            },
            "One line of the timeline.",
        ),
        "EventList": _list("Event", "The timeline, oldest first."),
        "Preflight": _object(
            ["service", "acceptable", "fee", "payment_methods", "missing_documents", "availability"],
            {
                "service": {"type": "string"},
                "acceptable": {"type": "boolean"},
                "fee": _nullable(ref("Money")),
                "payment_methods": {"type": "array", "items": {"type": "string"}},
                "turnaround_hours": {"type": "integer"},
                "missing_documents": {"type": "array", "items": {"type": "string"}},
                "availability": ref("Availability"),
                "quote": _nullable(
                    _object(
                        ["amount", "valid_until"],
                        {"amount": ref("Money"), "valid_until": _nullable(_TIME)},
                        "The price that the institution names now; only for services with a step `quote`.",
                    )
                ),
                "reason": _nullable(ref("Reason")),
            },
            "The same checks as a submission; nothing was stored. Only a price is asked for at its institution.",
        ),
        "Availability": AVAILABILITY,
        "Service": _service(),
        "ServiceList": _list("Service", "The services that the caller may use."),
        "FieldError": _object(
            ["pointer", "code", "detail", "message"],
            {
                "pointer": {"type": "string", "description": "JSON pointer (RFC 6901), or a query parameter's name."},
                "code": {"type": "string"},
                "detail": {"type": "string", "description": "In the reader's language."},
                "message": ref("Text"),
            },
        ),
        "Problem": _problem(),
        "CatalogueEntry": _object(
            ["code", "status", "safe_to_retry", "texts"],
            {
                "code": {"type": "string"},
                "status": {"type": ["integer", "null"]},
                "safe_to_retry": {"type": "boolean"},
                "texts": ref("Texts"),
            },
        ),
        "Catalogue": _list("CatalogueEntry", "Every code with its words."),
        "Health": _object(
            ["status"],
            {
                "status": {"type": "string", "enum": ["ok", "failing"]},
                "mode": {"type": "string", "enum": ["normal", "restore"]},
                "checks": {"type": "object", "additionalProperties": {"type": "string", "enum": ["ok", "failing"]}},
                "webhooks": {
                    "type": "object",
                    "properties": {name: {"type": "integer"} for name in ("failing", "waiting", "oldest_seconds")},
                    "description": "Addresses of channels that fail, and what waits to be told. For people: it makes "
                    "nothing unready.",
                },
            },
        ),
    }


def _service() -> dict[str, Any]:
    strings = {"type": "array", "items": {"type": "string"}}
    fee = _object(
        ["amount", "methods", "example", "quoted"],
        {
            "amount": _nullable(ref("Money")),
            "quoted": {"type": "boolean", "description": "The institution names the price: `amount` is null."},
            "methods": strings,
            "example": {"type": "boolean", "description": "The amount is an example, not a tariff."},
        },
    )
    properties = {
        "id": {"type": "string"},
        "institution": {"type": "string"},
        "name": ref("Text"),
        "turnaround_hours": {"type": "integer"},
        "required_documents": strings,
        "minimum_assurance": {"type": "string", "enum": ["low", "substantial", "high"]},
        "delivery": strings,
        "fee": _nullable(fee),
        "steps": strings,
        "schema": {"type": "object", "description": "JSON Schema 2020-12 of `input`."},
        "labels": {"type": "object", "description": "Names, hints and codes of the input's fields, in both languages."},
        "result": _nullable(
            _object(
                ["schema", "labels"],
                {
                    "schema": {"type": "object", "description": "JSON Schema 2020-12 of the result."},
                    "labels": {"type": "object", "description": "As those of the input."},
                },
                "What GET /v1/requests/{request_id}/result gives; null when the result is documents alone.",
            )
        ),
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    return _object(list(properties), properties)


def _problem() -> dict[str, Any]:
    properties = {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "For the citizen, in the language of Accept-Language."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For the technician, in the language of Accept-Language."},
        "code": {"type": "string", "enum": sorted(STATUSES)},
        "correlation": {"type": "string", "description": "Quote it to support: the trace id of this call."},
        "safe_to_retry": {"type": "boolean", "description": "The same call with the same key may be repeated."},
        "texts": ref("Texts"),
        "errors": {"type": "array", "items": ref("FieldError"), "description": "All faults of the body at once."},
    }
    required = [name for name in properties if name != "errors"]
    return _object(required, properties, "RFC 9457 problem details with a stable code.")


def _callback_receipt() -> dict[str, Any]:
    properties = {
        "id": _UUID,
        "again": {"type": "boolean", "description": "Exactly this message had come before."},
    }
    return _object(list(properties), properties, "Quote `id` to support.")


def _issued_document() -> dict[str, Any]:
    service = _object(["id", "name"], {"id": {"type": "string"}, "name": _nullable(ref("Text"))})
    properties = {
        "digest": {"type": "string"},
        "media_type": {"type": "string"},
        "size": {"type": "integer"},
        "institution": {"type": "string", "description": "Who issued it."},
        "service": service,
        "issued_at": {**_TIME, "description": "When the institution handed it over. RFC 3339, UTC, milliseconds."},
    }
    return _object(list(properties), properties, "What may be known of a document without knowing whose it is.")


def _attachment() -> dict[str, Any]:
    properties = {
        "digest": {"type": "string", "description": "Refer to it by this.", "pattern": PATTERN},
        "media_type": {"type": "string", "description": "As its bytes say."},
        "size": {"type": "integer"},
        "expires_at": {**_nullable(_TIME), "description": "Unless a request refers to it; null once one does."},
    }
    return _object(list(properties), properties)

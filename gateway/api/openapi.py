"""This file builds the OpenAPI 3.1 document of the API; `python -m gateway.api.openapi` prints it.

It is written by hand because it says more than signatures can; a test holds it against the routes in both directions.
"""

import json
import sys
from typing import Any

from gateway.api.openapi_breaks import break_paths, break_schemas
from gateway.api.openapi_dead_letters import dead_letter_paths, dead_letter_schemas
from gateway.api.openapi_decisions import decision_paths, decision_schemas
from gateway.api.openapi_examples import ACTIONS, REQUESTS
from gateway.api.openapi_institutions import institution_paths
from gateway.api.openapi_parts import (
    BODY,
    GUARDED,
    KEY,
    KEYED,
    TRACE_HEADER,
    json_answer,
    json_body,
    operation,
    text_in_path,
)
from gateway.api.openapi_restore import restore_paths, restore_schemas
from gateway.api.openapi_schemas import schemas
from gateway.api.openapi_webhooks import webhook_paths, webhook_schemas
from gateway.api.parameters import DEFAULT_LIMIT, MAX_LIMIT
from mappings.status import Request

VERSION = "1.0.0"
_INTRODUCTION = """\
One API in front of all institutions. A channel submits a citizen's request, answers what only the citizen can give, and
reads how it stands; it never meets an institution's own protocol.

**Calling.** Send `Authorization: Bearer <key>`; `jisr channel add NAME` makes a key. Bodies are JSON in UTF-8. Unknown
fields are refused, amounts are exact decimal text, Arabic-Indic and Persian digits are understood.

**Repeating.** Every act carries an `Idempotency-Key`: the same key and body give the same answer and act once; another
body under the same key is refused (422). A 2xx answer is on disk. `Prefer: wait=N` lets the answer wait up to N seconds
for the outcome; otherwise it is 202 at once, and the request is followed by reading it or its event stream.

**Errors** are problem details (RFC 9457) with a stable `code`, words for citizen, clerk and technician in Arabic and
English, `safe_to_retry`, and, for a body, all its faults at once with JSON pointers.
"""
_TAGS = [
    {"name": "Requests", "description": "Submit, follow, answer, cancel."},
    {"name": "Services", "description": "What can be asked for."},
    {"name": "Webhooks", "description": "Be told what becomes of requests, instead of asking."},
    {"name": "Institutions", "description": "For ministries and for whoever holds a document of theirs."},
    {"name": "Operators", "description": "For the people who resolve what is stuck."},
    {"name": "Problems", "description": "The words of every error code."},
    {"name": "Health", "description": "For monitoring; keep it inside your network."},
]
_ID = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=N`: answer when it is done or after N seconds. `check`: only check (pre-flight).",
    "schema": {"type": "string"},
    "example": "wait=10",
}
_LOCATION = {"Location": {"description": "Address of the request.", "schema": {"type": "string"}}}
_CURSOR = {
    "name": "cursor",
    "in": "query",
    "description": "`next_cursor` of the page before.",
    "schema": {"type": "string"},
}
_LIMIT = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
}
_KEYED = (*KEYED, "idempotency_in_progress")


def build_document() -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Jisr", "version": VERSION, "summary": "جسر", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": _TAGS,
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": {
                **schemas(),
                **webhook_schemas(),
                **dead_letter_schemas(),
                **decision_schemas(),
                **break_schemas(),
                **restore_schemas(),
            },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key that `jisr channel add` or `jisr operator add` showed once.",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    one = "/v1/requests/{request_id}"
    open_to_all: dict[str, Any] = {"security": []}
    return {
        "/v1/requests": {"post": _submit(), "get": _list_requests()},
        one: {"get": _read("readRequest", "Read a request", "Request", [_ID])},
        f"{one}/events": {"get": _read("readEvents", "Read the timeline", "EventList", [_ID])},
        f"{one}/stream": {"get": _stream()},
        f"{one}/documents/{{number}}": {"get": _document()},
        f"{one}/result": {"get": _read("readResult", "Read a result that is data", "Result", [_ID])},
        f"{one}/actions/{{action_id}}": {"post": _action()},
        f"{one}/cancel": {"post": _cancel()},
        f"{one}/handed-over": {"post": _hand_over()},
        "/v1/centres": {"get": _read("listCentres", "List the centres", "CentreList", [], tag="Services")},
        "/v1/services": {"get": _read("listServices", "List the services", "ServiceList", [], tag="Services")},
        "/v1/services/{service_id}": {"get": _service("readService", "Read a service", "Service")},
        "/v1/services/{service_id}/availability": {
            "get": _service("readAvailability", "Ask whether a service can be used now", "Availability")
        },
        **webhook_paths(),
        **institution_paths(),
        **dead_letter_paths(),
        **decision_paths(),
        **break_paths(),
        **restore_paths(),
        "/v1/admin/requests": {"get": _admin_list()},
        "/v1/admin/reconciliation/{day}": {"get": _admin_reconciliation()},
        "/problems": {"get": {**_words("listProblems", "List all codes", "Catalogue", []), **open_to_all}},
        "/problems/{code}": {
            "get": {**_words("readProblem", "Read a code's words", "CatalogueEntry", ["code"]), **open_to_all}
        },
        "/health/live": {"get": {**_health("live", "Does the process answer"), **open_to_all}},
        "/health/stranded": {"get": {**_stranded(), **open_to_all}},
        "/health/ready": {"get": {**_health("ready", "Can it commit requests"), **open_to_all}},
        "/metrics": {"get": {**_metrics(), **open_to_all}},
    }


def _submit() -> dict[str, Any]:
    dry_run = {
        "name": "dry_run",
        "in": "query",
        "description": "Only check: the same checks, the fee, the missing documents, the availability.",
        "schema": {"type": "boolean", "default": False},
    }
    key = {**KEY, "description": f"{KEY['description']} Required, unless the call only checks."}
    return operation(
        "submitRequest",
        "Submit a request",
        "Requests",
        [key, _PREFER, dry_run],
        {
            "200": json_answer("Preflight", "Only checked; nothing was stored."),
            "201": json_answer("Request", "Finished within the wait.", _LOCATION),
            "202": json_answer("Request", "On disk and under way; see `next_action` and `state`.", _LOCATION),
        },
        (
            *GUARDED,
            *BODY,
            *_KEYED,
            "service_not_allowed",
            "not_testable",
            "invalid_query",
            "commit_unknown",
            "overloaded",
        ),
        body=json_body("NewRequest", REQUESTS),
    )


def _list_requests() -> dict[str, Any]:
    good = {"200": json_answer("RequestPage", "One page, newest first.")}
    refusals = (*GUARDED, "invalid_query")
    return operation("listRequests", "List the channel's own requests", "Requests", _filters(), good, refusals)


def _admin_list() -> dict[str, Any]:
    channel = {"name": "channel", "in": "query", "description": "Id of a channel.", "schema": {"type": "string"}}
    good = {"200": json_answer("AdminRequestPage", "One page, oldest first.")}
    summary = "List the requests of all channels"
    parameters = [*_filters(), channel]
    return operation("listAllRequests", summary, "Operators", parameters, good, (*GUARDED, "invalid_query"))


def _filters() -> list[dict[str, Any]]:
    states = {"type": "array", "items": {"type": "string", "enum": [state.value for state in Request]}}
    moment = {"type": "string", "format": "date-time"}
    return [
        {"name": "state", "in": "query", "description": "One or more states.", "schema": states},
        {"name": "service", "in": "query", "schema": {"type": "string", "minLength": 1, "maxLength": 128}},
        {"name": "reference", "in": "query", "schema": {"type": "string", "minLength": 1, "maxLength": 128}},
        {"name": "created_from", "in": "query", "description": "Not before.", "schema": moment},
        {"name": "created_to", "in": "query", "description": "Before.", "schema": moment},
        _LIMIT,
        _CURSOR,
    ]


def _document() -> dict[str, Any]:
    header = {"type": "string"}
    headers = {
        "Content-Digest": {"description": "SHA-256 of the bytes (RFC 9530).", "schema": header},
        "ETag": {"description": "The digest; If-None-Match is honoured.", "schema": header},
        "Content-Disposition": {"description": "The document's name.", "schema": header},
    }
    content = {"application/pdf": {"schema": {"type": "string", "contentMediaType": "application/pdf"}}}
    content["*/*"] = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    number = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    good = {
        "200": {"description": "The bytes.", "headers": {**TRACE_HEADER, **headers}, "content": content},
        "304": {"description": "The bytes that the caller has already."},
    }
    summary = "Fetch a document"
    return operation("readDocument", summary, "Requests", [_ID, number], good, (*GUARDED, "not_found"))


def _stream() -> dict[str, Any]:
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "Resume after this event.",
        "schema": {"type": "string"},
    }
    words = "Each message's `id` is the event's, `event` its kind, `data` an Event. Ends after a final state."
    good = {
        "200": {
            "description": words,
            "headers": TRACE_HEADER,
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    }
    summary = "Follow the timeline as it happens"
    return operation("streamEvents", summary, "Requests", [_ID, last], good, (*GUARDED, "not_found"))


def _action() -> dict[str, Any]:
    return operation(
        "answerAction",
        "Answer what is asked of the citizen",
        "Requests",
        [_ID, text_in_path("action_id"), {**KEY, "required": True}, _PREFER],
        {
            "200": json_answer("Request", "The outcome of the answer.", _LOCATION),
            "201": json_answer("Request", "The request finished within the wait.", _LOCATION),
            "202": json_answer("Request", "Taken; its outcome follows.", _LOCATION),
        },
        (*GUARDED, *BODY, *_KEYED, "not_found", "action_not_open", "action_expired", "conflict", "overloaded"),
        body=json_body(None, ACTIONS),
    )


def _cancel() -> dict[str, Any]:
    good = {"200": json_answer("Request", "Cancelled; cancelling twice is once, so no key is needed.", _LOCATION)}
    refusals = (*GUARDED, "not_found", "cannot_cancel", "conflict", "body_too_large", "request_timeout")
    return operation("cancelRequest", "Cancel a request", "Requests", [_ID], good, refusals)


def _hand_over() -> dict[str, Any]:
    good = {"200": json_answer("Request", "Completed; saying it twice is once, so no key is needed.", _LOCATION)}
    refusals = (*GUARDED, "not_found", "cannot_hand_over", "conflict", "body_too_large", "request_timeout")
    return operation("handOver", "Say that a result was handed over", "Requests", [_ID], good, refusals)


def _admin_reconciliation() -> dict[str, Any]:
    parameter = {**text_in_path("day"), "example": "2026-11-24"}
    good = {"200": json_answer("ReconciliationRun", "The last report of that day.")}
    summary = "Read how a day was reconciled (operators)"
    return operation("readReconciliation", summary, "Operators", [parameter], good, (*GUARDED, "not_found"))


def _service(operation_id: str, summary: str, schema: str) -> dict[str, Any]:
    parameter = {**text_in_path("service_id"), "example": "education.secondary-certificate-copy"}
    good = {"200": json_answer(schema, summary)}
    return operation(operation_id, summary, "Services", [parameter], good, (*GUARDED, "service_unknown"))


def _read(
    operation_id: str, summary: str, schema: str, parameters: list[dict[str, Any]], *, tag: str = "Requests"
) -> dict[str, Any]:
    refusals = (*GUARDED, "not_found") if parameters else GUARDED
    return operation(operation_id, summary, tag, parameters, {"200": json_answer(schema, summary)}, refusals)


def _words(operation_id: str, summary: str, schema: str, in_path: list[str]) -> dict[str, Any]:
    parameters = [text_in_path(name) for name in in_path]
    refusals = ("not_found", "internal_error") if in_path else ("internal_error",)
    return operation(operation_id, summary, "Problems", parameters, {"200": json_answer(schema, summary)}, refusals)


def _health(operation_id: str, summary: str) -> dict[str, Any]:
    good = {"200": json_answer("Health", "Yes."), "503": json_answer("Health", "No.")}
    return operation(operation_id, summary, "Health", [], good, ())


def _stranded() -> dict[str, Any]:
    words = {name: {"type": "string"} for name in ("state", "institution")}
    item = {"type": "object", "required": [*words, "count"], "properties": {**words, "count": {"type": "integer"}}}
    told = {
        "status": {"type": "string", "enum": ["ok", "stranded"]},
        "total": {"type": "integer"},
        "items": {"type": "array", "items": item},
    }
    schema = {"type": "object", "required": list(told), "properties": told}
    content = {"application/json": {"schema": schema}}
    good = {"200": {"description": "By state and institution.", "headers": TRACE_HEADER, "content": content}}
    refusals = ("internal_error", "storage_unavailable")
    return operation("stranded", "Requests that stand for too long", "Health", [], good, refusals)


def _metrics() -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    good = {"200": {"description": "Prometheus' text format.", "headers": TRACE_HEADER, "content": content}}
    refusals = ("internal_error", "storage_unavailable")
    return operation("metrics", "Figures for Prometheus", "Health", [], good, refusals)


if __name__ == "__main__":
    json.dump(build_document(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")

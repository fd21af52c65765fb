"""Rows as the gateway leaves them, for tests of reading that need a request in a state of its own."""

import hashlib
import json
from typing import Any

from sqlalchemy import Connection, insert

from gateway.ids import new_id
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER
from gateway.store.tables import attempts, documents, events, intents, jobs, request_documents, requests

PDF = b"%PDF-1.7 invented"
#: Where a parked vehicle statement rests.
PARKED_AT = "transport.vehicle-statement"


def put_request(conn: Connection, channel_id: str, state: str = "accepted", **more: Any) -> str:
    """A request without a job, so that nothing moves it; `events_` are (kind, state, facts)."""
    now = now_ms(conn)
    happened: list[tuple[str, str, dict[str, Any]]] = more.pop("events_", [("accepted", "accepted", {})])
    values: dict[str, Any] = {
        "id": new_id(),
        "channel_id": channel_id,
        "service": "transport.vehicle-statement",
        "language": "ar",
        "priority": 2,
        "reference": None,
        "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        "state": state,
        "step": 0,
        "phase": "",
        "content": b"{}",
        "applicant_index": b"x",
        "mapping_version": "1",
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "state_since": now,
    } | more
    conn.execute(insert(requests).values(values))
    for kind, reached, facts in happened:
        put_event(conn, values["id"], kind, reached, facts)
    return str(values["id"])


def put_event(conn: Connection, request_id: str, kind: str, state: str, facts: dict[str, Any] | None = None) -> str:
    event_id = new_id()
    row = {"id": event_id, "request_id": request_id, "at": now_ms(conn), "kind": kind, "state": state}
    conn.execute(insert(events).values(**row, facts=json.dumps(facts or {})))
    return event_id


def put_document(
    conn: Connection,
    request_id: str,
    name: str,
    content: bytes = PDF,
    *,
    media_type: str = "application/pdf",
    spoilt: bool = False,
) -> str:
    """A document; `spoilt` stores other bytes than its digest says."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    stored = content + b"!" if spoilt else content
    row = {"digest": digest, "media_type": media_type, "size": len(content), "content": stored, "created_at": 1}
    conn.execute(insert(documents).values(row))
    link = {"request_id": request_id, "number": 1, "digest": digest, "name": name, "issuer": "transport"}
    conn.execute(insert(request_documents).values(link))
    return digest


def put_intent(conn: Connection, request_id: str, state: str) -> None:
    now = now_ms(conn)
    row = {"id": new_id(), "request_id": request_id, "state": state, "amount_minor": 2500, "currency": "SYP"}
    row |= {"denomination": "SYP-new", "provider": "syriatel_cash", "version": 1, "created_at": now, "updated_at": now}
    conn.execute(insert(intents).values(row))


def put_parked(conn: Connection, channel_id: str = "web", *, mapping: str = "transport@1", **attempt: Any) -> str:
    """A vehicle statement that was parked before anything was sent, or after `attempt`."""
    request_id = put_request(conn, channel_id, "parked", reason="mapping_failed", mapping_version=mapping)
    job: dict[str, Any] = {
        "request_id": request_id,
        "lane": PARKED_AT,
        "priority": 2,
        "due_at": NEVER,
        "token": 3,
        "tries": 5,
    }
    job |= {"waits": 0, "inquiries": 0, "absences": 0, "channel_id": channel_id}
    conn.execute(insert(jobs).values(job))
    if attempt:
        made: dict[str, Any] = {
            "id": request_id,
            "request_id": request_id,
            "operation_id": request_id,
            "role": "submit",
            "number": 1,
        }
        made |= {"payload_hash": "", "token": 1, "sending_at": 1} | attempt
        conn.execute(insert(attempts).values(made))
    return request_id

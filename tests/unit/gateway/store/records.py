"""Rows of dispatch for the tests of the store."""

import json
from typing import Any

from sqlalchemy import select

from connectors.kit.contract import Exchange
from gateway.ids import new_id
from gateway.store.jobs import Intending
from gateway.store.requests import NewIntent, NewRequest
from gateway.work import Evidence, Happened, NewAttempt, Settlement, Settling
from mappings.status import Attempt, Intent, Request

LANE = "ministry.submit"


def new_request(channel: str, **more) -> NewRequest:
    values: dict[str, Any] = {
        "id": new_id(),
        "channel_id": channel,
        "key": new_id(),
        "body_hash": b"h",
        "answer": b"{}",
        "service": "a.service",
        "language": "ar",
        "priority": 2,
        "reference": None,
        "traceparent": "",
        "content": json.dumps({"applicant": {}, "input": {}, "delivery": {}}).encode(),
        "progress": b"{}",
        "applicant_index": b"i",
        "mapping_version": "1",
        "step": 0,
        "phase": "",
        "lane": LANE,
        "intent": NewIntent(new_id(), 2500, "SYP", "SYP-new"),
        "keep_key_ms": 1000,
        "created_at": 1,
        "claim_for": "w1",
        "lease_ms": 30_000,
    }
    return NewRequest(**values | more)


def new_attempt(**more) -> NewAttempt:
    values: dict[str, Any] = {
        "id": new_id(),
        "connector": "ministry",
        "operation": "submit",
        "role": "submit",
        "operation_id": "op-1",
        "number": 1,
        "payload_hash": "x",
        "moves_money": False,
    }
    return NewAttempt(**values | more)


def sending(row: NewRequest, attempt: NewAttempt) -> Intending:
    return Intending(row.id, 1, row.intent.id if row.intent else None, attempt)


def settling(row: NewRequest, attempt: NewAttempt, **more) -> Settling:
    done = Settlement(Request.COMPLETED, 0, "", {"reference": "R"}, attempt_state=Attempt.SUCCEEDED)
    done.happened = [Happened("completed", Request.COMPLETED, {})]
    done.evidence = Evidence("answer", "succeeded", "", exchange=Exchange(b"ask", b"tell", 200, "text/xml", 7))
    done.intent_state = Intent.SUCCEEDED
    values: dict[str, Any] = {
        "request_id": row.id,
        "token": 1,
        "previous": Request.IN_PROGRESS,
        "settlement": done,
        "attempt_id": attempt.id,
        "attempt": attempt,
        "intended": True,
        "intent_id": row.intent.id if row.intent else None,
        "keep_for": None,
        "answered": None,
    }
    return Settling(**values | more)


async def rows_of(store, table, **where):
    query = select(table)
    for name, value in where.items():
        query = query.where(table.c[name] == value)
    return await store.read(lambda conn: conn.execute(query).all())

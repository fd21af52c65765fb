"""What an exchange leaves behind: its attempt's state, the evidence, the documents."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connectors.kit.contract import Document
from gateway.ids import new_id
from gateway.packed import pack
from gateway.store.clock import now_ms
from gateway.store.jobs import attempt_values, seen_attempt
from gateway.store.tables import attempts, documents, request_documents
from gateway.store.together import Part, Rows, Write, rows_of
from gateway.work import RANK, Evidence, KeptDocument, OpenAttempt, Settling
from mappings.status import Attempt

_UPDATE_ATTEMPT = Write(
    lambda given: (
        update(attempts)
        .where(attempts.c.id == given("key"))
        .values(
            state=given("state"),
            code=given("code"),
            reference=given("reference"),
            milliseconds=given("milliseconds"),
            settled_at=given("settled_at"),
        )
    ),
    {"key": attempts.c.id}
    | {name: attempts.c[name] for name in ("state", "code", "reference", "milliseconds", "settled_at")},
)
#: Earlier tries of the same act share its operation id and so its truth.
_UPDATE_EARLIER = Write(
    lambda given: (
        update(attempts)
        .where(
            attempts.c.operation_id == given("act"),
            attempts.c.id != given("key"),
            attempts.c.role == given("same_role"),
            attempts.c.state == Attempt.IN_DOUBT.value,
        )
        .values(state=given("new_state"), settled_at=given("now"))
    ),
    {
        "act": attempts.c.operation_id,
        "key": attempts.c.id,
        "same_role": attempts.c.role,
        "new_state": attempts.c.state,
        "now": attempts.c.settled_at,
    },
)


def attempt_writes(rows: Sequence[Settling], now: int) -> list[tuple[Part, Rows]]:
    """Settle the attempts that were intended and earlier tries of the same acts; write those of safe exchanges.

    A safe exchange had no row before it was made.
    """
    decided = [row for row in rows if row.settlement.attempt_state is not None]
    new = [
        attempt_values(row.request_id, row.token, row.intent_id, row.attempt, now - (_milliseconds(row) or 0))
        | _outcome(row, now)
        for row in decided
        if row.attempt is not None and not row.intended
    ]
    old = [{"key": row.attempt_id} | _outcome(row, now) for row in decided if row.attempt is None or row.intended]
    return [
        rows_of(attempts, new),
        (_UPDATE_ATTEMPT, old),
        (_UPDATE_EARLIER, [each for row in rows for each in _earlier(row, now)]),
    ]


def _outcome(row: Settling, now: int) -> dict[str, Any]:
    """The columns of an attempt that its settlement decides."""
    settlement = row.settlement
    assert settlement.attempt_state is not None
    return {
        "state": settlement.attempt_state.value,
        "code": settlement.attempt_code or None,
        "reference": settlement.attempt_reference or None,
        "milliseconds": _milliseconds(row),
        "settled_at": now,
    }


def _milliseconds(row: Settling) -> int | None:
    seen = row.settlement.evidence
    return seen.exchange.milliseconds if seen and seen.exchange else None


def _earlier(row: Settling, now: int) -> list[dict[str, Any]]:
    state, made = row.settlement.attempt_state, row.attempt
    if made is None or made.number == 1 or state not in (Attempt.SUCCEEDED, Attempt.DECLINED):
        return []
    return [
        {
            "act": made.operation_id,
            "key": made.id,
            "same_role": made.role,
            "new_state": state.value,
            "now": now,
        }
    ]


def evidence_rows(rows: Sequence[Settling], now: int) -> list[dict[str, Any]]:
    """What the exchanges brought."""
    return [
        evidence_values(row.attempt_id, seen, fenced=False, now=now)
        for row in rows
        if (seen := row.settlement.evidence) is not None
    ]


def fenced_evidence_rows(rows: Sequence[Settling], now: int) -> list[dict[str, Any]]:
    """Fencing guards state, never evidence: what a stale worker received is kept, marked as such.

    An attempt that was not intended has no row, so nothing can be kept about it.
    """
    return [
        evidence_values(row.attempt_id, seen, fenced=True, now=now)
        for row in rows
        if (seen := row.settlement.evidence) is not None and (row.intended or row.attempt is None)
    ]


def evidence_values(attempt_id: str, seen: Evidence, *, fenced: bool, now: int) -> dict[str, Any]:
    """The columns of one evidence row."""
    exchange = seen.exchange
    detail = {"institution_code": seen.institution_code, "message": seen.message}
    return {
        "id": new_id(),
        "attempt_id": attempt_id,
        "source": seen.source,
        "rank": RANK[seen.source],
        "status": seen.status,
        "code": seen.code,
        "fenced": fenced,
        "detail": pack(detail),
        "request_bytes": exchange.request if exchange else None,
        "response_bytes": exchange.response if exchange else None,
        "http_status": exchange.status if exchange else 0,
        "content_type": exchange.content_type if exchange else "",
        "at": now,
    }


def find_attempt(conn: Connection, attempt_id: str) -> OpenAttempt | None:
    """The attempt as it stands."""
    row = conn.execute(select(attempts).where(attempts.c.id == attempt_id)).one_or_none()
    return None if row is None else seen_attempt(row, now_ms(conn))


def write_documents(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    """Store each document once, by its digest, and link it to its request."""
    contents: dict[str, dict[str, Any]] = {}
    links: list[dict[str, Any]] = []
    for row in rows:
        for number, document in enumerate(row.settlement.documents, start=row.settlement.first_document):
            digest = digest_of(document)
            contents[digest] = {
                "digest": digest,
                "media_type": document.media_type,
                "size": size_of(document),
                "content": b"" if isinstance(document, KeptDocument) else document.content,
                "blob_id": document.blob_id if isinstance(document, KeptDocument) else None,
                "created_at": now,
            }
            links.append(
                {
                    "request_id": row.request_id,
                    "number": number,
                    "digest": digest,
                    "name": document.name,
                    "issuer": row.settlement.issuer,
                }
            )
    if links:
        dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
        conn.execute(dialect.insert(documents).on_conflict_do_nothing(), list(contents.values()))
        conn.execute(insert(request_documents), links)


def digest_of(document: Document | KeptDocument) -> str:
    """A document's name: "sha256:<hex>" of its clear bytes."""
    if isinstance(document, KeptDocument):
        return document.digest
    return f"sha256:{hashlib.sha256(document.content).hexdigest()}"


def size_of(document: Document | KeptDocument) -> int:
    """Of its clear bytes."""
    return document.size if isinstance(document, KeptDocument) else len(document.content)

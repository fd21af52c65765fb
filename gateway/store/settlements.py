"""Settle: state, timeline, evidence, documents, fee order and next job of many exchanges in one transaction."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway import crash
from gateway.ids import new_id
from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER, attempt_values, holders, lanes_with_due_work
from gateway.store.tables import (
    attempts,
    documents,
    events,
    evidence,
    idempotency,
    intents,
    jobs,
    request_documents,
    requests,
)
from gateway.work import RANK, Evidence, NewAttempt, Settlement
from mappings.status import FINAL, Attempt, Request


@dataclass(frozen=True, slots=True)
class Answered:
    """What a waiting caller is told with this settlement, stored under its idempotency key."""

    channel_id: str
    key: str
    status: str  #: created | ok
    body: bytes


@dataclass(frozen=True, slots=True)
class Settling:
    """One settlement, with the token that entitles to it."""

    request_id: str
    token: int
    previous: Request
    settlement: Settlement
    attempt_id: str
    attempt: NewAttempt | None  #: The exchange that was made; None for an inquiry about an older attempt.
    intended: bool  #: Its row stands already (SENDING); a safe exchange is only written now.
    intent_id: str | None
    keep_for: str | None  #: The worker that has a place for the next job and would go on at once.
    answered: Answered | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a settlement."""

    valid: bool  #: False: the token was stale; the evidence was kept, nothing else changed.
    kept: bool  #: The next job is still this worker's.


def settle(conn: Connection, rows: Sequence[Settling]) -> list[Settled]:
    """Write everything that the rows say. One result per row."""
    now = now_ms(conn)
    valid = holders(conn, {row.request_id: row.token for row in rows})
    good = [row for row in rows if row.request_id in valid]
    _requests(conn, good, now)
    _attempts(conn, good, now)
    _evidence(conn, rows, valid, now)
    _events(conn, good, now)
    _intents(conn, good, now)
    _documents(conn, good, now)
    _answers(conn, good)
    kept = _jobs(conn, good, now)
    return [Settled(row.request_id in valid, row.request_id in kept) for row in rows]


def _many(conn: Connection, statement: Any, values: list[dict[str, Any]]) -> None:
    if values:
        conn.execute(statement, values)


_UPDATE_REQUEST = (
    update(requests)
    .where(requests.c.id == bindparam("key"))
    .values(
        state=bindparam("new_state"),
        step=bindparam("new_step"),
        phase=bindparam("new_phase"),
        reason=bindparam("new_reason"),
        next_try_at=bindparam("new_next_try_at"),
        expires_at=bindparam("new_expires_at"),
        next_action=bindparam("new_next_action"),
        progress=bindparam("new_progress", type_=requests.c.progress.type),
        version=requests.c.version + 1,
        updated_at=bindparam("now"),
    )
)
_UPDATE_SINCE = update(requests).where(requests.c.id == bindparam("key")).values(state_since=bindparam("now"))


def _requests(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    _many(conn, _UPDATE_REQUEST, [_request_values(row, now) for row in rows])
    changed = [row for row in rows if row.settlement.state is not row.previous]
    _many(conn, _UPDATE_SINCE, [{"key": row.request_id, "now": now} for row in changed])


def _request_values(row: Settling, now: int) -> dict[str, Any]:
    settlement, following = row.settlement, row.settlement.next
    return {
        "key": row.request_id,
        "new_state": settlement.state.value,
        "new_step": settlement.step,
        "new_phase": settlement.phase,
        "new_reason": settlement.reason,
        "new_next_try_at": now + following.delay_ms if following and following.delay_ms else None,
        "new_expires_at": now + settlement.expires_in_ms if settlement.expires_in_ms is not None else None,
        "new_next_action": json.dumps(settlement.next_action) if settlement.next_action else None,
        "new_progress": json.dumps(settlement.progress, ensure_ascii=False).encode(),
        "now": now,
    }


_UPDATE_ATTEMPT = (
    update(attempts)
    .where(attempts.c.id == bindparam("key"))
    .values(
        state=bindparam("new_state"),
        code=bindparam("new_code"),
        reference=bindparam("new_reference"),
        milliseconds=bindparam("new_milliseconds"),
        settled_at=bindparam("now"),
    )
)
#: Earlier tries of the same act share its operation id and so its truth.
_UPDATE_EARLIER = (
    update(attempts)
    .where(
        attempts.c.operation_id == bindparam("act"),
        attempts.c.id != bindparam("key"),
        attempts.c.role == bindparam("same_role"),
        attempts.c.state == Attempt.IN_DOUBT.value,
    )
    .values(state=bindparam("new_state"), settled_at=bindparam("now"))
)


def _attempts(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    new, old, earlier = [], [], []
    for row in rows:
        settlement = row.settlement
        if settlement.attempt_state is None:
            continue
        exchange = settlement.evidence.exchange if settlement.evidence else None
        milliseconds = exchange.milliseconds if exchange else None
        if row.attempt is not None and not row.intended:
            known = attempt_values(row.request_id, row.token, row.intent_id, row.attempt, now - (milliseconds or 0))
            outcome = {
                "state": settlement.attempt_state.value,
                "code": settlement.attempt_code or None,
                "reference": settlement.attempt_reference or None,
                "milliseconds": milliseconds,
                "settled_at": now,
            }
            new.append(known | outcome)
        else:
            old.append(
                {
                    "key": row.attempt_id,
                    "new_state": settlement.attempt_state.value,
                    "new_code": settlement.attempt_code or None,
                    "new_reference": settlement.attempt_reference or None,
                    "new_milliseconds": milliseconds,
                    "now": now,
                }
            )
    _many(conn, insert(attempts), new)
    _many(conn, _UPDATE_ATTEMPT, old)
    for row in rows:
        earlier += _earlier(row, now)
    _many(conn, _UPDATE_EARLIER, earlier)


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


def _evidence(conn: Connection, rows: Sequence[Settling], valid: set[str], now: int) -> None:
    """Fencing guards state, never evidence: what a stale worker received is kept, marked as such."""
    values = []
    for row in rows:
        seen, fenced = row.settlement.evidence, row.request_id not in valid
        if seen is not None and not (fenced and row.attempt and not row.intended):
            values.append(evidence_values(row.attempt_id, seen, fenced=fenced, now=now))
    _many(conn, insert(evidence), values)


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
        "detail": json.dumps(detail, ensure_ascii=False).encode(),
        "request_bytes": exchange.request if exchange else None,
        "response_bytes": exchange.response if exchange else None,
        "http_status": exchange.status if exchange else 0,
        "content_type": exchange.content_type if exchange else "",
        "at": now,
    }


def _events(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    _many(
        conn,
        insert(events),
        [
            {
                "id": new_id(),
                "request_id": row.request_id,
                "at": now,
                "kind": happened.kind,
                "state": happened.state.value,
                "facts": json.dumps(happened.facts),
            }
            for row in rows
            for happened in row.settlement.happened
        ],
    )


_UPDATE_INTENT = (
    update(intents)
    .where(intents.c.id == bindparam("key"))
    .values(
        state=bindparam("new_state"),
        provider=bindparam("new_provider"),
        version=intents.c.version + 1,
        updated_at=bindparam("now"),
    )
)


def _intents(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    _many(
        conn,
        _UPDATE_INTENT,
        [
            {
                "key": row.intent_id,
                "new_state": row.settlement.intent_state.value,
                "new_provider": row.settlement.provider or row.settlement.progress.get("payment", {}).get("method"),
                "now": now,
            }
            for row in rows
            if row.intent_id and row.settlement.intent_state
        ],
    )


def _documents(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    contents: dict[str, dict[str, Any]] = {}
    links: list[dict[str, Any]] = []
    for row in rows:
        for number, document in enumerate(row.settlement.documents, start=1):
            digest = digest_of(document.content)
            contents[digest] = {
                "digest": digest,
                "media_type": document.media_type,
                "size": len(document.content),
                "content": document.content,
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


def digest_of(content: bytes) -> str:
    """A document's name: "sha256:<hex>" of its clear bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


_UPDATE_ANSWER = (
    update(idempotency)
    .where(idempotency.c.channel_id == bindparam("channel"), idempotency.c.key == bindparam("used_key"))
    .values(status=bindparam("new_status"), answer=bindparam("new_answer", type_=idempotency.c.answer.type))
)


def _answers(conn: Connection, rows: Sequence[Settling]) -> None:
    _many(
        conn,
        _UPDATE_ANSWER,
        [
            {"channel": told.channel_id, "used_key": told.key, "new_status": told.status, "new_answer": told.body}
            for told in (row.answered for row in rows)
            if told is not None
        ],
    )


_UPDATE_JOB = (
    update(jobs)
    .where(jobs.c.request_id == bindparam("key"))
    .values(
        lane=bindparam("new_lane"),
        due_at=bindparam("new_due_at"),
        claimed_by=bindparam("new_claimed_by"),  # the lease of a kept job goes on as it is
        tries=bindparam("new_tries"),
        waits=bindparam("new_waits"),
        inquiries=bindparam("new_inquiries"),
        absences=bindparam("new_absences"),
    )
)


def _jobs(conn: Connection, rows: Sequence[Settling], now: int) -> set[str]:
    """Move, keep or remove the jobs; the requests whose job stayed claimed."""
    wanted = {row.settlement.next.lane for row in rows if row.keep_for and row.settlement.next}
    waiting = lanes_with_due_work(conn, wanted, now)
    moved: list[dict[str, Any]] = []
    over = [row.request_id for row in rows if row.settlement.state in FINAL]
    resting = [row.request_id for row in rows if row.settlement.state not in FINAL and row.settlement.next is None]
    for row in rows:
        following = row.settlement.next
        if following is None:
            continue
        stays = row.keep_for if following.lane not in waiting else None
        moved.append(
            {
                "key": row.request_id,
                "new_lane": following.lane,
                "new_due_at": now + following.delay_ms,
                "new_claimed_by": stays,
                "new_tries": following.tries,
                "new_waits": following.waits,
                "new_inquiries": following.inquiries,
                "new_absences": following.absences,
            }
        )
    _many(conn, _UPDATE_JOB, moved)
    if resting:  # the row stays, because its token must go on growing
        rest = update(jobs).where(jobs.c.request_id.in_(resting)).values(due_at=NEVER, claimed_by=None)
        conn.execute(rest)
    if over:
        conn.execute(delete(jobs).where(jobs.c.request_id.in_(over)))
    crash.point("settle.before_commit")
    return {values["key"] for values in moved if values["new_claimed_by"]}

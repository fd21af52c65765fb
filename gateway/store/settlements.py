"""Settle many exchanges in one transaction: state, timeline, fee order, stored answer and next job."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, case, delete, null, update

from gateway import crash
from gateway.ids import new_id
from gateway.packed import pack, pack_text
from gateway.store.claims import lanes_with_due_work
from gateway.store.clock import now_ms
from gateway.store.exchanges import attempt_writes, evidence_rows, fenced_evidence_rows, write_documents
from gateway.store.fee_orders import fee_order_writes
from gateway.store.jobs import NEVER, holders, write_if_held
from gateway.store.tables import events, evidence, idempotency, intents, jobs, requests
from gateway.store.together import Part, Rows, Write, rows_of, write_together
from gateway.store.webhooks.outbox import Move, moved_part
from gateway.work import Settled, Settling, expiry
from mappings.status import FINAL


def settle(conn: Connection, rows: Sequence[Settling]) -> list[Settled]:
    """Write everything that the rows say. One result per row."""
    now = now_ms(conn)
    tokens = {row.request_id: row.token for row in rows}
    if not any(row.settlement.documents for row in rows):
        moved = _moved_jobs(conn, rows, now)
        crash.point("settle.before_commit")
        if write_if_held(conn, tokens, *_parts(conn, rows, moved, now)):
            kept = _kept(moved)
            return [Settled(valid=True, kept=row.request_id in kept) for row in rows]
    valid = holders(conn, tokens)
    good = [row for row in rows if row.request_id in valid]
    stale = [row for row in rows if row.request_id not in valid]
    moved = _moved_jobs(conn, good, now)
    write_documents(conn, good, now)
    write_together(conn, *_parts(conn, good, moved, now), rows_of(evidence, fenced_evidence_rows(stale, now)))
    crash.point("settle.before_commit")
    kept = _kept(moved)
    return [Settled(row.request_id in valid, row.request_id in kept) for row in rows]


def _parts(conn: Connection, rows: Sequence[Settling], moved: Rows, now: int) -> list[tuple[Part, Rows]]:
    """What is written for rows whose token still stands, but for their documents."""
    return [
        moved_part(conn, _moves(rows, now), now),
        (_UPDATE_REQUEST, [_request_values(row, now) for row in rows]),
        *attempt_writes(rows, now),
        rows_of(evidence, evidence_rows(rows, now)),
        rows_of(events, _events(rows, now)),
        (_UPDATE_INTENT, _intents(rows, now)),
        *fee_order_writes(rows, now),
        (_UPDATE_ANSWER, _answers(rows)),
        (_MOVE_JOB, moved),
        (_REST_JOB, _resting(rows)),
        (_END_JOB, [{"key": row.request_id} for row in rows if row.settlement.state in FINAL]),
    ]


def _moves(rows: Sequence[Settling], now: int) -> Iterator[Move]:
    """Those that may come into another state, or ask something."""
    for row in rows:
        done = row.settlement
        if done.state is not row.previous or done.next_action is not None:
            yield Move(row.request_id, done.state, row.channel_id, done.reason, done.next_action, expiry(done, now))


def _kept(moved: Rows) -> set[str]:
    """The jobs that stay with their worker."""
    return {values["key"] for values in moved if values["new_claimed_by"]}


_UPDATE_REQUEST = Write(
    lambda given: (
        update(requests)
        .where(requests.c.id == given("key"))
        .values(
            state=given("new_state"),
            step=given("new_step"),
            phase=given("new_phase"),
            reason=given("new_reason"),
            next_try_at=given("new_next_try_at"),
            expires_at=given("new_expires_at"),
            next_action=given("new_next_action"),
            progress=given("new_progress"),
            version=requests.c.version + 1,
            updated_at=given("now"),
            state_since=case((requests.c.state == given("new_state"), requests.c.state_since), else_=given("now")),
        )
    ),
    {
        "key": requests.c.id,
        "new_state": requests.c.state,
        "new_step": requests.c.step,
        "new_phase": requests.c.phase,
        "new_reason": requests.c.reason,
        "new_next_try_at": requests.c.next_try_at,
        "new_expires_at": requests.c.expires_at,
        "new_next_action": requests.c.next_action,
        "new_progress": requests.c.progress,
        "now": requests.c.updated_at,
    },
)


def _request_values(row: Settling, now: int) -> dict[str, Any]:
    settlement, following = row.settlement, row.settlement.next
    return {
        "key": row.request_id,
        "new_state": settlement.state.value,
        "new_step": settlement.step,
        "new_phase": settlement.phase,
        "new_reason": settlement.reason,
        "new_next_try_at": now + following.delay_ms if following and following.delay_ms else None,
        "new_expires_at": expiry(settlement, now),
        "new_next_action": pack_text(settlement.next_action) if settlement.next_action else None,
        "new_progress": pack(settlement.progress),
        "now": now,
    }


def _events(rows: Sequence[Settling], now: int) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "request_id": row.request_id,
            "at": now,
            "kind": happened.kind,
            "state": happened.state.value,
            "facts": pack_text(happened.facts),
        }
        for row in rows
        for happened in row.settlement.happened
    ]


_UPDATE_INTENT = Write(
    lambda given: (
        update(intents)
        .where(intents.c.id == given("key"))
        .values(
            state=given("new_state"),
            provider=given("new_provider"),
            version=intents.c.version + 1,
            updated_at=given("now"),
        )
    ),
    {
        "key": intents.c.id,
        "new_state": intents.c.state,
        "new_provider": intents.c.provider,
        "now": intents.c.updated_at,
    },
)


def _intents(rows: Sequence[Settling], now: int) -> list[dict[str, Any]]:
    return [
        {
            "key": row.intent_id,
            "new_state": row.settlement.intent_state.value,
            "new_provider": row.settlement.provider or row.settlement.progress.get("payment", {}).get("method"),
            "now": now,
        }
        for row in rows
        if row.intent_id and row.settlement.intent_state and row.settlement.fee_order is None
    ]


_UPDATE_ANSWER = Write(
    lambda given: (
        update(idempotency)
        .where(idempotency.c.channel_id == given("channel"), idempotency.c.key == given("used_key"))
        .values(status=given("new_status"), answer=given("new_answer"))
    ),
    {
        "channel": idempotency.c.channel_id,
        "used_key": idempotency.c.key,
        "new_status": idempotency.c.status,
        "new_answer": idempotency.c.answer,
    },
)


def _answers(rows: Sequence[Settling]) -> list[dict[str, Any]]:
    return [
        {"channel": told.channel_id, "used_key": told.key, "new_status": told.status, "new_answer": told.body}
        for told in (row.answered for row in rows)
        if told is not None
    ]


_MOVE_JOB = Write(
    lambda given: (
        update(jobs)
        .where(jobs.c.request_id == given("key"))
        .values(
            lane=given("new_lane"),
            due_at=given("new_due_at"),
            claimed_by=given("new_claimed_by"),  # the lease of a kept job goes on as it is
            tries=given("new_tries"),
            waits=given("new_waits"),
            inquiries=given("new_inquiries"),
            absences=given("new_absences"),
            stumbles=0,
        )
    ),
    {
        "key": jobs.c.request_id,
        "new_lane": jobs.c.lane,
        "new_due_at": jobs.c.due_at,
        "new_claimed_by": jobs.c.claimed_by,
        "new_tries": jobs.c.tries,
        "new_waits": jobs.c.waits,
        "new_inquiries": jobs.c.inquiries,
        "new_absences": jobs.c.absences,
    },
)
#: The row stays, because its token must go on growing.
_REST_JOB = Write(
    lambda given: (
        update(jobs).where(jobs.c.request_id == given("key")).values(due_at=given("never"), claimed_by=null())
    ),
    {"key": jobs.c.request_id, "never": jobs.c.due_at},
)
_END_JOB = Write(lambda given: delete(jobs).where(jobs.c.request_id == given("key")), {"key": jobs.c.request_id})


def _moved_jobs(conn: Connection, rows: Sequence[Settling], now: int) -> list[dict[str, Any]]:
    """The jobs that go on; one stays claimed when its worker has a place for it and nobody waits there."""
    wanted = {row.settlement.next.lane for row in rows if row.keep_for and row.settlement.next}
    waiting = lanes_with_due_work(conn, wanted, now)
    return [
        {
            "key": row.request_id,
            "new_lane": following.lane,
            "new_due_at": now + following.delay_ms,
            "new_claimed_by": row.keep_for if following.lane not in waiting else None,
            "new_tries": following.tries,
            "new_waits": following.waits,
            "new_inquiries": following.inquiries,
            "new_absences": following.absences,
        }
        for row in rows
        if (following := row.settlement.next) is not None
    ]


def _resting(rows: Sequence[Settling]) -> list[dict[str, Any]]:
    return [
        {"key": row.request_id, "never": NEVER}
        for row in rows
        if row.settlement.state not in FINAL and row.settlement.next is None
    ]

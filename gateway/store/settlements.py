"""Settle many exchanges in one transaction: state, timeline, fee order, stored answer and next job."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, update

from gateway import crash
from gateway.ids import new_id
from gateway.packed import pack, pack_text
from gateway.store.clock import now_ms
from gateway.store.exchanges import attempt_rows, evidence_rows, settle_attempts, write_documents
from gateway.store.jobs import NEVER, holders, lanes_with_due_work
from gateway.store.one_of import for_each_dialect
from gateway.store.prepared import Prepared
from gateway.store.tables import attempts, events, evidence, idempotency, intents, jobs, requests
from gateway.store.together import insert_together
from gateway.work import Settled, Settling
from mappings.status import FINAL


def settle(conn: Connection, rows: Sequence[Settling]) -> list[Settled]:
    """Write everything that the rows say. One result per row."""
    now = now_ms(conn)
    valid = holders(conn, {row.request_id: row.token for row in rows})
    good = [row for row in rows if row.request_id in valid]
    _requests(conn, good, now)
    settle_attempts(conn, good, now)
    made = {attempts: attempt_rows(good, now), evidence: evidence_rows(rows, valid, now), events: _events(good, now)}
    insert_together(conn, made)
    _intents(conn, good, now)
    write_documents(conn, good, now)
    _answers(conn, good)
    kept = _jobs(conn, good, now)
    return [Settled(row.request_id in valid, row.request_id in kept) for row in rows]


_UPDATE_REQUEST = Prepared(
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
        state_since=case((requests.c.state == bindparam("new_state"), requests.c.state_since), else_=bindparam("now")),
    )
)


def _requests(conn: Connection, rows: Sequence[Settling], now: int) -> None:
    _UPDATE_REQUEST.many(conn, [_request_values(row, now) for row in rows])


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


_UPDATE_INTENT = Prepared(
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
    _UPDATE_INTENT.many(
        conn,
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


_UPDATE_ANSWER = Prepared(
    update(idempotency)
    .where(idempotency.c.channel_id == bindparam("channel"), idempotency.c.key == bindparam("used_key"))
    .values(status=bindparam("new_status"), answer=bindparam("new_answer", type_=idempotency.c.answer.type))
)


def _answers(conn: Connection, rows: Sequence[Settling]) -> None:
    _UPDATE_ANSWER.many(
        conn,
        [
            {"channel": told.channel_id, "used_key": told.key, "new_status": told.status, "new_answer": told.body}
            for told in (row.answered for row in rows)
            if told is not None
        ],
    )


_UPDATE_JOB = Prepared(
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


_END_JOBS = Prepared(for_each_dialect(lambda one_of: delete(jobs).where(one_of(jobs.c.request_id, "ids"))))


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
    _UPDATE_JOB.many(conn, moved)
    if resting:  # the row stays, because its token must go on growing
        rest = update(jobs).where(jobs.c.request_id.in_(resting)).values(due_at=NEVER, claimed_by=None)
        conn.execute(rest)
    if over:
        _END_JOBS.one(conn, ids=over)
    crash.point("settle.before_commit")
    return {values["key"] for values in moved if values["new_claimed_by"]}

"""Accept: request, idempotency key, first event, fee order and first job, for many requests in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from msgspec import Struct
from sqlalchemy import Connection, Dialect, bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway import crash
from gateway.ids import new_id
from gateway.store.claims import lanes_with_due_work
from gateway.store.clock import now_ms
from gateway.store.jobs import HELD, HELD_CODE
from gateway.store.prepared import Compiled, Prepared, compiled, run
from gateway.store.tables import events, idempotency, intents, jobs, requests
from gateway.store.together import columns_of, rows_of, unnested, write_together
from gateway.store.webhooks.outbox import accepted_part


@dataclass(frozen=True, slots=True)
class NewIntent:
    """The fee order of a request that costs something."""

    id: str
    amount_minor: int
    currency: str
    denomination: str


class NewRequest(Struct, frozen=True):
    """A checked request, ready to be committed."""

    id: str
    channel_id: str
    key: str
    body_hash: bytes
    answer: bytes  #: What is answered (and replayed) once this is committed.
    service: str
    language: str
    priority: int
    reference: str | None
    traceparent: str
    content: bytes
    progress: bytes
    applicant_index: bytes
    mapping_version: str
    step: int
    phase: str
    lane: str
    intent: NewIntent | None
    keep_key_ms: int
    created_at: int
    claim_for: str | None  #: The worker that has a free place for it; None leaves the job to whoever comes.
    lease_ms: int
    test: bool = False  #: Of a test channel.
    held: bool = False  #: It came in restore mode, and waits for its end.


@dataclass(frozen=True, slots=True)
class Accepted:
    """Committed. `token` is the fencing token when the job was claimed at once, else None."""

    token: int | None


@dataclass(frozen=True, slots=True)
class Existing:
    """The idempotency key was used before; what was answered then."""

    scope: str
    body_hash: bytes
    request_id: str
    status: str  #: accepted | created | ok
    answer: bytes


REQUESTS_SCOPE = "requests"


def accept(conn: Connection, rows: Sequence[NewRequest]) -> list[Accepted | Existing]:
    """Commit what is new; for a key that was used before, give what stands. One result per row."""
    now = now_ms(conn)
    won = claim_keys(conn, [_key_row(row, now) for row in rows])
    new = [row for row in rows if row.id in won]
    results: dict[str, Accepted | Existing] = {}
    if new:
        results |= _insert(conn, new, now)
    lost = [row for row in rows if row.id not in won]
    if lost:
        standing = find_keys(conn, [(row.channel_id, row.key) for row in lost])
        results |= {row.id: standing[row.channel_id, row.key] for row in lost}
    crash.point("accept.before_commit")
    return [results[row.id] for row in rows]


_CLAIM_KEY = Prepared(
    sqlite.insert(idempotency)
    .values({column.name: bindparam(column.name, type_=column.type) for column in idempotency.columns})
    .on_conflict_do_nothing()
    .returning(idempotency.c.request_id)
)


@lru_cache(maxsize=4)
def _claim_from_arrays(columns: tuple[str, ...], dialect: Dialect) -> Compiled:
    source = select(*unnested({name: idempotency.c[name] for name in columns}).values())
    claim = postgresql.insert(idempotency).from_select(list(columns), source).on_conflict_do_nothing()
    return compiled(claim.returning(idempotency.c.request_id), dialect)


def claim_keys(conn: Connection, rows: list[dict[str, object]]) -> set[str]:
    """Insert idempotency rows; the request ids (unique per row of one batch) of those that were not there before."""
    if conn.dialect.name == "sqlite":
        return {request_id for row in rows for (request_id,) in _CLAIM_KEY.one(conn, **row)}
    claim = _claim_from_arrays(tuple(rows[0]), conn.dialect)
    won = run(conn, claim.sql, claim.parameters(columns_of(rows)))
    return {request_id for (request_id,) in won}


def find_keys(conn: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Existing]:
    """What stands under these (channel, key) pairs."""
    table = idempotency.c
    found = conn.execute(select(idempotency).where(tuple_(table.channel_id, table.key).in_(keys)))
    return {
        (row.channel_id, row.key): Existing(row.scope, row.body_hash, row.request_id, row.status, row.answer)
        for row in found
    }


def _key_row(row: NewRequest, now: int) -> dict[str, object]:
    return {
        "channel_id": row.channel_id,
        "key": row.key,
        "scope": REQUESTS_SCOPE,
        "body_hash": row.body_hash,
        "request_id": row.id,
        "status": "accepted",
        "answer": row.answer,
        "created_at": now,
        "expires_at": now + row.keep_key_ms,
    }


def _insert(conn: Connection, rows: Sequence[NewRequest], now: int) -> dict[str, Accepted | Existing]:
    waiting = lanes_with_due_work(conn, {row.lane for row in rows if row.claim_for}, now)
    claimed = {row.id: row.claim_for if row.lane not in waiting else None for row in rows}
    write_together(
        conn,
        rows_of(requests, [_request_row(row) for row in rows]),
        rows_of(intents, [_intent_row(row, row.intent) for row in rows if row.intent]),
        rows_of(events, [_event_row(row) for row in rows]),
        rows_of(jobs, [_job_row(row, claimed[row.id], now) for row in rows]),
        accepted_part(conn, [(row.id, row.channel_id) for row in rows], now),
    )
    if held := [row.id for row in rows if row.held]:
        conn.execute(update(requests).where(requests.c.id.in_(held)).values(reason=HELD_CODE))
    return {row.id: Accepted(1 if claimed[row.id] else None) for row in rows}


def _request_row(row: NewRequest) -> dict[str, object]:
    return {
        "id": row.id,
        "channel_id": row.channel_id,
        "service": row.service,
        "language": row.language,
        "priority": row.priority,
        "reference": row.reference,
        "traceparent": row.traceparent,
        "state": "accepted",
        "step": row.step,
        "phase": row.phase,
        "progress": row.progress,
        "content": row.content,
        "applicant_index": row.applicant_index,
        "mapping_version": row.mapping_version,
        "version": 1,
        "created_at": row.created_at,
        "updated_at": row.created_at,
        "state_since": row.created_at,
        "test": row.test,
    }


def _intent_row(row: NewRequest, intent: NewIntent) -> dict[str, object]:
    return {
        "id": intent.id,
        "request_id": row.id,
        "state": "created",
        "amount_minor": intent.amount_minor,
        "currency": intent.currency,
        "denomination": intent.denomination,
        "provider": None,
        "version": 1,
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }


def _event_row(row: NewRequest) -> dict[str, object]:
    return {
        "id": new_id(),
        "request_id": row.id,
        "at": row.created_at,
        "kind": "accepted",
        "state": "accepted",
        "facts": "{}",
    }


def _job_row(row: NewRequest, worker: str | None, now: int) -> dict[str, object]:
    return {
        "request_id": row.id,
        "lane": row.lane,
        "priority": row.priority,
        "due_at": HELD if row.held else now,
        "token": 1 if worker else 0,
        "claimed_by": worker,
        "lease_until": now + row.lease_ms if worker else None,
        "tries": 0,
        "waits": 0,
        "inquiries": 0,
        "absences": 0,
        "channel_id": row.channel_id,
    }

"""Load, intend and release: what a claimed job needs, and what is committed before anything is sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, select, update

from gateway.ids import new_id
from gateway.packed import pack_text, unpack
from gateway.store.clock import now_ms
from gateway.store.one_of import for_each_dialect
from gateway.store.prepared import Prepared
from gateway.store.tables import attempts, events, intents, jobs, lanes, requests
from gateway.store.together import Guard, Part, Rows, Write, rows_of, write_guarded, write_together
from gateway.store.webhooks.outbox import begun_part
from gateway.work import NewAttempt, OpenAttempt, Work
from mappings.status import Attempt, Intent, Request

#: Due time of a job that waits for a person, not for a time.
NEVER = 2**62
#: And of the first job of a request that came in restore mode: it waits for people to end that.
HELD = NEVER + 1
#: Why such a request is not begun.
HELD_CODE = "held_by_restore"
_OPEN = (Attempt.SENDING.value, Attempt.PENDING.value, Attempt.IN_DOUBT.value)


def load_works(conn: Connection, request_ids: Sequence[str], now: int) -> list[Work]:
    """The claimed jobs with their requests, fee orders and open attempts, in the order of `request_ids`."""
    if not request_ids:
        return []
    joined = (
        select(requests, jobs, intents.c.id.label("intent_id"), intents.c.state.label("intent_state"))
        .add_columns(intents.c.amount_minor, intents.c.currency, intents.c.denomination)
        .add_columns(intents.c.paid_minor)
        .join(jobs, jobs.c.request_id == requests.c.id)
        .outerjoin(intents, intents.c.request_id == requests.c.id)
        .where(requests.c.id.in_(request_ids))
    )
    open_attempts = _open_attempts(conn, request_ids, now)
    works = {row.id: _work(row, open_attempts.get(row.id)) for row in conn.execute(joined)}
    return [works[request_id] for request_id in request_ids]


def _open_attempts(conn: Connection, request_ids: Sequence[str], now: int) -> dict[str, OpenAttempt]:
    """The newest open attempt of each request, if the request is still about it."""
    found = conn.execute(
        select(attempts)
        .where(attempts.c.request_id.in_(request_ids), attempts.c.state.in_(_OPEN))
        .order_by(attempts.c.id)
    )
    return {row.request_id: seen_attempt(row, now) for row in found}


def seen_attempt(row: Row[Any], now: int) -> OpenAttempt:
    """A row of `attempts` as whoever goes on with its act wants to know it."""
    return OpenAttempt(
        row.id,
        row.operation_id,
        row.connector,
        row.operation,
        row.role,
        Attempt(row.state),
        row.reference or "",
        now - row.sending_at,
    )


def _work(row: Row[Any], open_attempt: OpenAttempt | None) -> Work:
    return Work(
        request_id=row.id,
        service=row.service,
        language=row.language,
        traceparent=row.traceparent,
        reference=row.reference,
        priority=row.priority,
        state=Request(row.state),
        step=row.step,
        phase=row.phase,
        version=row.version,
        created_at=row.created_at,
        expires_at=row.expires_at,
        content=unpack(row.content),
        progress=unpack(row.progress) if row.progress else {},
        lane=row.lane,
        token=row.token,
        tries=row.tries,
        waits=row.waits,
        inquiries=row.inquiries,
        absences=row.absences,
        intent_id=row.intent_id,
        intent_state=Intent(row.intent_state) if row.intent_state else None,
        amount_minor=row.amount_minor or 0,
        currency=row.currency or "",
        denomination=row.denomination or "",
        paid_minor=row.paid_minor or 0,
        open_attempt=open_attempt,
        test=bool(row.test),
        channel_id=row.channel_id,
        since=row.state_since,
    )


@dataclass(frozen=True, slots=True)
class Intending:
    """What is about to be sent, and under which token."""

    request_id: str
    token: int
    intent_id: str | None
    attempt: NewAttempt


_BEGIN_REQUEST = Write(
    lambda given: (
        update(requests)
        .where(requests.c.id == given("key"), requests.c.state == Request.ACCEPTED.value)
        .values(state=Request.IN_PROGRESS.value, state_since=given("now"), updated_at=given("now"))
    ),
    {"key": requests.c.id, "now": requests.c.updated_at},
)


def intend(conn: Connection, rows: Sequence[Intending]) -> list[bool]:
    """Commit SENDING before the first byte leaves. False for a row whose token is stale: it must not send."""
    now = now_ms(conn)
    tokens = {row.request_id: row.token for row in rows}
    if write_if_held(conn, tokens, *_intend_parts(conn, rows, now)):
        return [True] * len(rows)
    valid = holders(conn, tokens)
    write_together(conn, *_intend_parts(conn, [row for row in rows if row.request_id in valid], now))
    return [row.request_id in valid for row in rows]


def _intend_parts(conn: Connection, rows: Sequence[Intending], now: int) -> list[tuple[Part, Rows]]:
    return [
        rows_of(attempts, [_attempt_row(row, now) for row in rows]),
        begun_part(conn, [row.request_id for row in rows], now),
        (_BEGIN_REQUEST, [{"key": row.request_id, "now": now} for row in rows]),
        rows_of(events, [_sending_event(row, now) for row in rows]),
    ]


_HOLDERS = Prepared(
    for_each_dialect(
        lambda one_of: (
            select(jobs.c.request_id, jobs.c.token, jobs.c.claimed_by)
            .where(one_of(jobs.c.request_id, "ids"))
            .order_by(jobs.c.request_id)
            .with_for_update()
        )
    )
)


def holders(conn: Connection, tokens: Mapping[str, int]) -> set[str]:
    """Those requests whose job still carries the given token; their job rows stay locked until COMMIT."""
    found = _HOLDERS.one(conn, ids=list(tokens))
    return {held for held, token, worker in found if worker is not None and token == tokens[held]}


#: The jobs that still carry their token, so that whoever holds it may change their requests.
_HELD = Guard(
    lambda given: (
        select(jobs.c.request_id)
        .where(
            jobs.c.request_id == given("held_id"), jobs.c.token == given("held_token"), jobs.c.claimed_by.is_not(None)
        )
        .order_by(jobs.c.request_id)
        .with_for_update(of=jobs)
    ),
    {"held_id": jobs.c.request_id, "held_token": jobs.c.token},
)


def write_if_held(conn: Connection, tokens: Mapping[str, int], *parts: tuple[Part, Rows]) -> bool:
    """Carry out the parts if every one of these jobs still carries its token; whether it did. See `write_guarded`."""
    return write_guarded(conn, _HELD, [{"held_id": key, "held_token": token} for key, token in tokens.items()], *parts)


def _attempt_row(row: Intending, now: int) -> dict[str, Any]:
    return attempt_values(row.request_id, row.token, row.intent_id, row.attempt, now) | {
        "state": Attempt.SENDING.value,
        "code": None,
        "reference": None,
        "milliseconds": None,
        "settled_at": None,
    }


def attempt_values(request_id: str, token: int, intent_id: str | None, attempt: NewAttempt, now: int) -> dict[str, Any]:
    """The columns of an attempt that are known before its answer."""
    return {
        "id": attempt.id,
        "request_id": request_id,
        "intent_id": intent_id if attempt.moves_money else None,
        "connector": attempt.connector,
        "operation": attempt.operation,
        "role": attempt.role,
        "operation_id": attempt.operation_id,
        "number": attempt.number,
        "token": token,
        "payload_hash": attempt.payload_hash,
        "sending_at": now,
    }


def _sending_event(row: Intending, now: int) -> dict[str, Any]:
    attempt = row.attempt
    facts = {"connector": attempt.connector, "operation": attempt.operation, "attempt": attempt.number}
    return {
        "id": new_id(),
        "request_id": row.request_id,
        "at": now,
        "kind": "sending",
        "state": Request.IN_PROGRESS.value,
        "facts": pack_text(facts),
    }


def renew(conn: Connection, worker: str, lease_ms: int, held: Collection[str]) -> int:
    """Prolong the leases of the jobs that `worker` has in hand, by their requests' ids; how many there were.

    What the row says it holds and it has not in hand, it does not know of: the answer to the COMMIT of its claim was
    lost. That lease must run out, or nobody would ever work on the job.
    """
    mine = update(jobs).where(jobs.c.claimed_by == worker, jobs.c.request_id.in_(list(held)))
    return int(conn.execute(mine.values(lease_until=now_ms(conn) + lease_ms)).rowcount)


def held_by_the_dead(conn: Connection, worker: str | None) -> ColumnElement[bool]:
    """The jobs that `rescue` frees."""
    if worker is not None:
        return and_(jobs.c.claimed_by.is_not(None), jobs.c.claimed_by != worker)
    return and_(jobs.c.claimed_by.is_not(None), jobs.c.lease_until < now_ms(conn))


def rescue(conn: Connection, worker: str | None) -> list[tuple[str, int]]:
    """Free the jobs of the dead. SQLite (`worker` given): all that another generation held, whatever the clock says.
    PostgreSQL (None): all whose lease has run out by the database's clock. The token grows, so that a worker that was
    only slow changes no state any more. Each with how many workers failed at it in a row by now. What they held may
    have been the probe of an open lane: it is free again, so that nobody waits for the dead. A job that rested while
    it was held (somebody told what had become of its act) rests on: nobody may send because of that."""
    freed = (
        update(jobs)
        .where(held_by_the_dead(conn, worker))
        .values(claimed_by=None, lease_until=None, token=jobs.c.token + 1)
        .values(due_at=case((jobs.c.due_at < NEVER, now_ms(conn)), else_=NEVER))
        .values(stumbles=jobs.c.stumbles + 1)
        .returning(jobs.c.request_id, jobs.c.stumbles, jobs.c.lane)
    )
    found = conn.execute(freed).all()
    if found:
        probes = update(lanes).where(lanes.c.open, lanes.c.name.in_({row.lane for row in found}))
        conn.execute(probes.values(probe_until=0))
    return [(row.request_id, row.stumbles) for row in found]


def release(conn: Connection, worker: str) -> int:
    """Give back what `worker` holds and has not sent (graceful stop); what is SENDING stays for a rescuer to judge."""
    sending = select(attempts.c.request_id).where(attempts.c.state == Attempt.SENDING.value)
    freed = (
        update(jobs)
        .where(jobs.c.claimed_by == worker, jobs.c.request_id.not_in(sending))
        .values(claimed_by=None, lease_until=None)
    )
    return int(conn.execute(freed).rowcount)

"""What people do to a request: answer a next action, cancel, let it expire.

Each is a compare-and-set in one transaction.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.errors import Problem
from gateway.ids import new_id
from gateway.packed import pack, pack_text, unpack
from gateway.steps import PICKUP
from gateway.store.clock import now_ms
from gateway.store.fee_orders import write_order
from gateway.store.jobs import Intending, attempt_values, load_works
from gateway.store.requests import Existing, claim_keys, find_keys
from gateway.store.tables import attempts, events, intents, jobs, requests
from gateway.store.webhooks.outbox import Move
from gateway.store.webhooks.outbox import tell as tell_listeners
from gateway.work import RESTORED, FeeOrder, NewAttempt, Work
from mappings.status import FINAL, UNSETTLED, Attempt, Intent, Request, move

#: Attempts that tell that the institution or the payer's money may be touched: no cancelling any more.
#: Why a request ended whose citizen said no.
DECLINED = "citizen_declined"
_TOUCHED = (*UNSETTLED, Attempt.SUCCEEDED, Attempt.REVIEW)


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key and what it stands for."""

    channel_id: str
    key: str
    scope: str
    body_hash: bytes
    answer: bytes
    keep_ms: int


@dataclass(frozen=True, slots=True)
class Taking:
    """An answer to a next action, about to be taken."""

    request_id: str
    action_id: str
    kind: str
    key: Key
    version: int  #: Of the request as it was read; another version lost the race.
    progress: dict[str, Any]
    phase: str
    lane: str
    worker: str | None  #: Whose place it takes; None leaves the job to whoever comes.
    lease_ms: int
    attempt: NewAttempt | None  #: Committed as SENDING with the answer, where the exchange carries a secret.
    step: int
    facts: dict[str, Any] = field(default_factory=dict)  #: For the timeline, without personal data.
    fee_order: FeeOrder | None = None  #: The price that the citizen consented to.
    intent_id: str | None = None


def find_request(conn: Connection, channel_id: str, request_id: str) -> Row[Any] | None:
    """The request row, if it is this channel's."""
    query = select(requests).where(requests.c.id == request_id, requests.c.channel_id == channel_id)
    return conn.execute(query).one_or_none()


def find_key(conn: Connection, channel_id: str, key: str) -> Existing | None:
    """What stands under the key, if it was used."""
    return find_keys(conn, [(channel_id, key)]).get((channel_id, key))


def load_work(conn: Connection, request_id: str) -> Work | None:
    """The request with its job row, claimed or not."""
    exists = conn.scalar(select(jobs.c.request_id).where(jobs.c.request_id == request_id))
    return load_works(conn, [request_id], now_ms(conn))[0] if exists else None


def take(conn: Connection, taking: Taking) -> int | Existing:
    """Close the next action and claim the job; the new fencing token, or what the key stood for already.

    Raises Problem("action_not_open") when the request has moved on; nothing is written then, the key included.
    """
    now = now_ms(conn)
    if not claim_keys(conn, [key_values(taking.key, taking.request_id, now)]):
        return find_keys(conn, [(taking.key.channel_id, taking.key.key)])[taking.key.channel_id, taking.key.key]
    row = conn.execute(select(requests).where(requests.c.id == taking.request_id).with_for_update()).one()
    if row.version != taking.version or row.state != Request.AWAITING_CITIZEN.value:
        raise Problem("action_not_open")
    state = move(Request.AWAITING_CITIZEN, "answered")
    tell_listeners(conn, Move(taking.request_id, state, row.channel_id), now)
    conn.execute(
        update(requests)
        .where(requests.c.id == taking.request_id)
        .values(
            state=state.value,
            step=taking.step,
            phase=taking.phase,
            reason=None,
            next_action=None,
            expires_at=None,
            progress=pack(taking.progress),
            version=requests.c.version + 1,
            updated_at=now,
            state_since=now,
        )
    )
    _tell(conn, taking.request_id, "answered", state, {"kind": taking.kind, **taking.facts}, now)
    if taking.fee_order is not None:
        write_order(conn, taking.request_id, taking.fee_order, now, new=taking.intent_id is None)
    token = _claim(conn, taking, now)
    if taking.attempt is not None:
        _send(conn, taking, taking.attempt, token, now)
    return token


def decline(conn: Connection, request_id: str, version: int, kind: str, key: Key) -> Existing | None:
    """End a request whose citizen said no to what the institution asked; what the key stood for already, or None.

    Raises Problem("action_not_open") when the request has moved on; nothing is written then, the key included.
    """
    now = now_ms(conn)
    if not claim_keys(conn, [key_values(key, request_id, now)]):
        return find_keys(conn, [(key.channel_id, key.key)])[key.channel_id, key.key]
    row = conn.execute(select(requests).where(requests.c.id == request_id).with_for_update()).one()
    if row.version != version or row.state != Request.AWAITING_CITIZEN.value:
        raise Problem("action_not_open")
    state = move(Request.AWAITING_CITIZEN, "cancelled")
    _tell(conn, request_id, "declined", Request.AWAITING_CITIZEN, {"kind": kind}, now)
    end(conn, request_id, state, "cancelled", Intent.CANCELLED, now, reason=DECLINED)
    return None


def key_values(key: Key, request_id: str, now: int) -> dict[str, Any]:
    """The columns of an idempotency row."""
    return {
        "channel_id": key.channel_id,
        "key": key.key,
        "scope": key.scope,
        "body_hash": key.body_hash,
        "request_id": request_id,
        "status": "ok",
        "answer": key.answer,
        "created_at": now,
        "expires_at": now + key.keep_ms,
    }


def _tell(conn: Connection, request_id: str, kind: str, state: Request, facts: dict[str, Any], now: int) -> None:
    conn.execute(
        insert(events).values(
            id=new_id(), request_id=request_id, at=now, kind=kind, state=state.value, facts=pack_text(facts)
        )
    )


def _claim(conn: Connection, taking: Taking, now: int) -> int:
    claimed = (
        update(jobs)
        .where(jobs.c.request_id == taking.request_id)
        .values(
            lane=taking.lane,
            due_at=now,
            claimed_by=taking.worker,
            lease_until=now + taking.lease_ms if taking.worker else None,
            token=jobs.c.token + 1,
            tries=0,
            waits=0,
            inquiries=0,
            absences=0,
        )
        .returning(jobs.c.token)
    )
    return int(conn.execute(claimed).scalar_one())


def _send(conn: Connection, taking: Taking, attempt: NewAttempt, token: int, now: int) -> None:
    intent = conn.execute(select(intents).where(intents.c.request_id == taking.request_id).with_for_update()).one()
    row = Intending(taking.request_id, token, intent.id, attempt)
    due = intent.amount_minor - intent.paid_minor if attempt.moves_money else None
    values = attempt_values(row.request_id, token, intent.id, attempt, now)
    conn.execute(insert(attempts).values(**values, state=Attempt.SENDING.value, amount_minor=due))
    if attempt.moves_money:
        state = move(Intent(intent.state), "initiated")
        conn.execute(
            update(intents)
            .where(intents.c.id == intent.id)
            .values(state=state.value, version=intents.c.version + 1, updated_at=now)
        )
    facts = {"connector": attempt.connector, "operation": attempt.operation, "attempt": attempt.number}
    _tell(conn, taking.request_id, "sending", Request.IN_PROGRESS, facts, now)


def cancel(conn: Connection, channel_id: str, request_id: str, touching_roles: tuple[str, ...]) -> None:
    """Cancel before anything that cannot be taken back: an exchange of one of `touching_roles` that may have arrived.

    A request that is cancelled already is left as it is. Raises Problem("not_found") or Problem("cannot_cancel").
    """
    now = now_ms(conn)
    mine = requests.c.id == request_id, requests.c.channel_id == channel_id
    job = conn.execute(select(jobs).where(jobs.c.request_id == request_id).with_for_update()).one_or_none()
    row = conn.execute(select(requests).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise Problem("not_found")
    state = Request(row.state)
    if state is Request.CANCELLED:
        return
    since_backup = RESTORED in unpack(row.progress or b"{}")  # what was done since is not known
    if state in FINAL or job is None or since_backup or _touched(conn, request_id, touching_roles):
        raise Problem("cannot_cancel")
    if state not in (Request.ACCEPTED, Request.IN_PROGRESS, Request.AWAITING_CITIZEN, Request.PARKED):
        raise Problem("cannot_cancel")
    end(conn, request_id, move(state, "cancelled"), "cancelled", Intent.CANCELLED, now, reason="cancelled_by_channel")


def hand_over(conn: Connection, channel_id: str | None, request_id: str) -> None:
    """Complete a request whose result waited at a centre; one that is completed already is left as it is.

    `channel_id` None may hand over any. Raises Problem("not_found") or Problem("cannot_hand_over").
    """
    now = now_ms(conn)
    conn.execute(select(jobs).where(jobs.c.request_id == request_id).with_for_update()).one_or_none()
    row = conn.execute(select(requests).where(requests.c.id == request_id).with_for_update()).one_or_none()
    if row is None or channel_id not in (None, row.channel_id):
        raise Problem("not_found")
    if row.phase != PICKUP or row.state not in (Request.DELIVERING.value, Request.COMPLETED.value):
        raise Problem("cannot_hand_over")
    if row.state == Request.DELIVERING.value:
        end(conn, request_id, move(Request.DELIVERING, "delivered"), "delivered", Intent.CANCELLED, now, reason=None)


def _touched(conn: Connection, request_id: str, touching_roles: tuple[str, ...]) -> bool:
    touching = attempts.c.role.in_(touching_roles) & attempts.c.state.in_([state.value for state in _TOUCHED])
    return conn.scalar(select(attempts.c.id).where(attempts.c.request_id == request_id, touching).limit(1)) is not None


def end(
    conn: Connection, request_id: str, state: Request, kind: str, intent: Intent, now: int, *, reason: str | None
) -> None:
    """Write a final state that no exchange brought; a worker that still holds the job finds its token gone."""
    tell_listeners(conn, Move(request_id, state, reason=reason), now)
    conn.execute(
        update(requests)
        .where(requests.c.id == request_id)
        .values(
            state=state.value,
            reason=reason,
            next_action=None,
            expires_at=None,
            next_try_at=None,
            version=requests.c.version + 1,
            updated_at=now,
            state_since=now,
        )
    )
    conn.execute(
        update(intents)
        .where(intents.c.request_id == request_id, intents.c.state.in_(["created", "payer_action", "in_progress"]))
        .values(state=intent.value, version=intents.c.version + 1, updated_at=now)
    )
    conn.execute(delete(jobs).where(jobs.c.request_id == request_id))
    _tell(conn, request_id, kind, state, {}, now)


def expire(conn: Connection, limit: int) -> list[str]:
    """End the requests whose citizen did not answer in time; their ids."""
    now = now_ms(conn)
    late = conn.execute(
        select(requests.c.id, requests.c.next_action)
        .where(requests.c.state == Request.AWAITING_CITIZEN.value, requests.c.expires_at <= now)
        .order_by(requests.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in late:
        asked = row.next_action is not None and "then" in json.loads(row.next_action)
        reason = "not_answered_in_time" if asked else "not_paid_in_time"
        end(conn, row.id, move(Request.AWAITING_CITIZEN, "expired"), "expired", Intent.EXPIRED, now, reason=reason)
    return [row.id for row in late]

"""The messages that institutions send by themselves: kept once, looked at until there is a verdict, then forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.callback_verdict import WORTHLESS, Verdict
from gateway.ids import new_id
from gateway.packed import pack, unpack
from gateway.store.actions import load_work
from gateway.store.clock import now_ms
from gateway.store.exchanges import evidence_values
from gateway.store.jobs import NEVER, seen_attempt
from gateway.store.settlements import settle
from gateway.store.tables import attempts, callbacks, evidence, jobs
from gateway.work import Evidence, OpenAttempt, Settled, Settling, Work
from mappings.status import Attempt

#: Verdicts are counted over this long for metrics.
_COUNTED_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as it came, about to be kept."""

    institution: str
    digest: bytes  #: Blind index of body and signing headers: the same message again has the same.
    body: bytes
    headers: Mapping[str, str]
    received_at: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """It is on disk."""

    id: str
    again: bool  #: Exactly this had come before.


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that waits for its verdict, and that one worker looks at now."""

    id: str
    institution: str
    body: bytes
    headers: Mapping[str, str]
    received_at: int
    age_ms: int
    tries: int  #: This look included.


@dataclass(frozen=True, slots=True)
class Act:
    """The attempt that a message is about."""

    request_id: str
    attempt: OpenAttempt

    @property
    def state(self) -> Attempt:
        return self.attempt.state


def keep(conn: Connection, arrived: Arrived) -> Receipt:
    """Keep it, once: what came before is counted."""
    row = {
        "id": new_id(),
        "institution": arrived.institution,
        "digest": arrived.digest,
        "body": arrived.body,
        "headers": pack(dict(arrived.headers)),
        "received_at": arrived.received_at,
        "deliveries": 1,
        "due_at": now_ms(conn),
        "tries": 0,
    }
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    insert = (
        dialect.insert(callbacks)
        .values(row)
        .on_conflict_do_update(
            index_elements=["institution", "digest"], set_={"deliveries": callbacks.c.deliveries + 1}
        )
        .returning(callbacks.c.id, callbacks.c.deliveries)
    )
    kept = conn.execute(insert).one()
    return Receipt(kept.id, kept.deliveries > 1)


def next_due_in(conn: Connection) -> int | None:
    """Milliseconds until the next message is to be looked at, 0 or less when it is due; None when none waits."""
    due = conn.scalar(select(func.min(callbacks.c.due_at)).where(callbacks.c.verdict.is_(None)))
    return None if due is None else int(due - now_ms(conn))


def take_due(conn: Connection, most: int, lease_ms: int) -> list[Kept]:
    """Due messages, oldest first; whoever dies over one leaves it due again after the lease."""
    now = now_ms(conn)
    rows = conn.execute(
        select(callbacks)
        .where(callbacks.c.verdict.is_(None), callbacks.c.due_at <= now)
        .order_by(callbacks.c.due_at, callbacks.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        conn.execute(
            update(callbacks)
            .where(callbacks.c.id.in_([row.id for row in rows]))
            .values(due_at=now + lease_ms, tries=callbacks.c.tries + 1)
        )
    return [
        Kept(
            row.id,
            row.institution,
            row.body,
            unpack(row.headers),
            row.received_at,
            now - row.received_at,
            row.tries + 1,
        )
        for row in rows
    ]


def postpone(conn: Connection, callback_id: str, delay_ms: int) -> None:
    """Look at it again later."""
    due = update(callbacks).where(callbacks.c.id == callback_id, callbacks.c.verdict.is_(None))
    conn.execute(due.values(due_at=now_ms(conn) + delay_ms))


def conclude(conn: Connection, callback_id: str, verdict: Verdict, request_id: str | None = None) -> None:
    """Its verdict; the first one stands."""
    done = update(callbacks).where(callbacks.c.id == callback_id, callbacks.c.verdict.is_(None))
    conn.execute(done.values(verdict=verdict.value, request_id=request_id, judged_at=now_ms(conn)))


def find_act(conn: Connection, connector: str, operation_id: str) -> Act | None:
    """The newest attempt of this act at this institution."""
    row = conn.execute(
        select(attempts)
        .where(attempts.c.operation_id == operation_id, attempts.c.connector == connector)
        .order_by(attempts.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Act(row.request_id, seen_attempt(row, now_ms(conn)))


def hold(conn: Connection, request_id: str, attempt: OpenAttempt | None, worker: str, lease_ms: int) -> Work | None:
    """Claim the request's job if nobody holds it and the attempt stands as it did; the work under the new token."""
    token = conn.execute(
        update(jobs)
        .where(jobs.c.request_id == request_id, jobs.c.claimed_by.is_(None))
        .values(claimed_by=worker, lease_until=now_ms(conn) + lease_ms, token=jobs.c.token + 1)
        .returning(jobs.c.token)
    ).scalar_one_or_none()
    if token is None:
        return None
    # only now: whoever settled it a moment ago held the job until then
    if attempt is not None and attempt.state.value != _state_of(conn, attempt.id):
        let_go(conn, request_id, token)
        return None
    return load_work(conn, request_id)


def _state_of(conn: Connection, attempt_id: str) -> str | None:
    state: str | None = conn.scalar(select(attempts.c.state).where(attempts.c.id == attempt_id))
    return state


def let_go(conn: Connection, request_id: str, token: int) -> None:
    """Give the job back as it was."""
    free = update(jobs).where(jobs.c.request_id == request_id, jobs.c.token == token)
    conn.execute(free.values(claimed_by=None, lease_until=None))


def settle_callback(conn: Connection, row: Settling, callback_id: str) -> Settled:
    """The settlement and the message's verdict, both or neither."""
    (settled,) = settle(conn, [row])
    if settled.valid:
        conclude(conn, callback_id, Verdict.APPLIED, row.request_id)
    return settled


def record(conn: Connection, act: Act, seen: Evidence, callback_id: str, verdict: Verdict) -> None:
    """Keep what it says as evidence; nothing moves."""
    now = now_ms(conn)
    conn.execute(evidence.insert().values(evidence_values(act.attempt.id, seen, fenced=False, now=now)))
    conclude(conn, callback_id, verdict, act.request_id)


def ask_now(conn: Connection, act: Act, lane: str, callback_id: str, quiet_ms: int) -> Verdict:
    """Make the inquiry about an act due at once, unless another message did so within `quiet_ms`."""
    now = now_ms(conn)
    last = conn.scalar(
        select(func.max(callbacks.c.judged_at)).where(
            callbacks.c.request_id == act.request_id, callbacks.c.verdict == Verdict.INQUIRED.value
        )
    )
    asked = 0
    if last is None or now - last >= quiet_ms:
        earlier = (
            update(jobs)
            .where(
                jobs.c.request_id == act.request_id,
                jobs.c.claimed_by.is_(None),
                jobs.c.due_at > now,
                (jobs.c.lane == lane) | (jobs.c.due_at == NEVER),
            )
            # a stranger's message spends none of the schedule's inquiries
            .values(lane=lane, due_at=now, inquiries=case((jobs.c.inquiries > 0, jobs.c.inquiries - 1), else_=0))
        )
        asked = int(conn.execute(earlier).rowcount)
    verdict = Verdict.INQUIRED if asked else Verdict.IGNORED
    conclude(conn, callback_id, verdict, act.request_id)
    return verdict


@dataclass(frozen=True, slots=True)
class CallbackFigures:
    """What a scrape tells of messages."""

    judged: Mapping[tuple[str, str], int]  #: Within the last hour, by institution and verdict.
    waiting: Mapping[str, int]  #: By institution.
    oldest_ms: int  #: How long the oldest waits.


def callback_figures(conn: Connection) -> CallbackFigures:
    """Counted now."""
    now, table = now_ms(conn), callbacks.c
    judged = conn.execute(
        select(table.institution, table.verdict, func.count())
        .where(table.judged_at > now - _COUNTED_MS)
        .group_by(table.institution, table.verdict)
    ).all()
    waiting = conn.execute(
        select(table.institution, func.count(), func.min(table.received_at))
        .where(table.verdict.is_(None))
        .group_by(table.institution)
    ).all()
    return CallbackFigures(
        {(name, verdict): count for name, verdict, count in judged},
        {name: count for name, count, _ in waiting},
        max((now - first for _, _, first in waiting), default=0),
    )


def forget(conn: Connection, keep_ms: int, keep_worthless_ms: int, most: int) -> int:
    """Delete judged messages past their time; how many."""
    now, table = now_ms(conn), callbacks.c
    old = (table.judged_at < now - keep_ms) | (
        table.verdict.in_([each.value for each in WORTHLESS]) & (table.judged_at < now - keep_worthless_ms)
    )
    ids: Sequence[str] = conn.scalars(select(table.id).where(old).limit(most)).all()
    if ids:
        conn.execute(delete(callbacks).where(table.id.in_(ids)))
    return len(ids)

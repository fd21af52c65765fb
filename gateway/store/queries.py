"""This file reads what channels and operators look at: requests, timelines, documents, pages, figures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select, text, update

from gateway.ids import first_id_at
from gateway.packed import unpack
from gateway.representation import DocumentView, View
from gateway.store.clock import now_ms
from gateway.store.tables import attempts, documents, events, intents, jobs, owner, request_documents, requests
from gateway.testing import name_apart
from mappings.money import Money
from mappings.status import Intent, Request

#: Attempts are counted over this long: their ids sort by time, so the count reads that part of the index only.
ATTEMPTS_WINDOW_MS = 3_600_000

_COLUMNS = (
    requests.c.id,
    requests.c.channel_id,
    requests.c.service,
    requests.c.state,
    requests.c.step,
    requests.c.reason,
    requests.c.reference,
    requests.c.next_action,
    requests.c.expires_at,
    requests.c.next_try_at,
    requests.c.created_at,
    requests.c.updated_at,
    requests.c.state_since,
    intents.c.state.label("intent_state"),
    intents.c.provider,
    intents.c.amount_minor,
    intents.c.currency,
    intents.c.denomination,
    intents.c.paid_minor,
    requests.c.test,
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which requests a page shows; None and () do not narrow. Times are milliseconds since 1970 UTC."""

    channel_id: str | None = None
    states: Sequence[str] = ()
    service: str | None = None
    reference: str | None = None
    created_from: int | None = None
    created_to: int | None = None  #: Exclusive.


@dataclass(frozen=True, slots=True)
class Found:
    """A request as a page shows it."""

    view: View
    channel_id: str
    state_since: int


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline."""

    id: str
    at: int
    kind: str
    state: Request
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with its bytes."""

    name: str
    media_type: str
    digest: str  #: "sha256:<hex>" of the bytes.
    size: int
    content: bytes  #: Empty when they stand in a blob.
    blob_id: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What the steps of a request brought so far."""

    service: str
    state: Request
    steps: dict[str, dict[str, Any]]  #: Step kind -> data of its outcome.


@dataclass(frozen=True, slots=True)
class Figures:
    """What a scrape tells. Ages are milliseconds."""

    requests: dict[str, int] = field(default_factory=dict)  #: By state.
    tests: dict[str, int] = field(default_factory=dict)  #: Requests of test channels by state; not among `requests`.
    oldest: dict[str, int] = field(default_factory=dict)  #: By state: how long the longest has stood in it.
    intents: dict[str, int] = field(default_factory=dict)
    attempts: dict[tuple[str, str, str], int] = field(default_factory=dict)  #: By connector, operation, state.
    waiting: dict[str, int] = field(default_factory=dict)  #: Jobs that nobody holds, by lane.


def find_view(conn: Connection, request_id: str, channel_id: str | None) -> View | None:
    """The request, or None when there is none or it is another channel's; `channel_id` None sees all."""
    query = _select().where(requests.c.id == request_id)
    if channel_id is not None:
        query = query.where(requests.c.channel_id == channel_id)
    row = conn.execute(query).first()
    return None if row is None else _view(row, _documents(conn, [request_id]).get(request_id, []))


def find_events(
    conn: Connection, request_id: str, channel_id: str | None, after: str | None = None
) -> list[Event] | None:
    """The timeline after the event `after`, oldest first; None when the caller may not see the request."""
    visible = select(requests.c.id).where(requests.c.id == request_id)
    if channel_id is not None:
        visible = visible.where(requests.c.channel_id == channel_id)
    if conn.execute(visible).first() is None:
        return None
    query = select(events).where(events.c.request_id == request_id).order_by(events.c.id)
    if after is not None:
        query = query.where(events.c.id > after)
    return [Event(row.id, row.at, row.kind, Request(row.state), json.loads(row.facts)) for row in conn.execute(query)]


def find_document(conn: Connection, request_id: str, channel_id: str, number: int) -> StoredDocument | None:
    """The document of that number with its bytes; None when there is none or the request is another channel's."""
    query = (
        select(request_documents.c.name, documents.c.media_type, documents.c.digest, documents.c.size)
        .add_columns(documents.c.content, documents.c.blob_id)
        .join(documents, documents.c.digest == request_documents.c.digest)
        .join(requests, requests.c.id == request_documents.c.request_id)
        .where(
            request_documents.c.request_id == request_id,
            request_documents.c.number == number,
            requests.c.channel_id == channel_id,
        )
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    return StoredDocument(row.name, row.media_type, row.digest, row.size, row.content, row.blob_id)


@dataclass(frozen=True, slots=True)
class Issued:
    """What anybody who holds a document may know of it."""

    digest: str
    media_type: str
    size: int
    issuer: str  #: Connector.
    service: str
    issued_at: int


def find_issued(conn: Connection, digest: str) -> Issued | None:
    """Who issued the document of this digest first, and when; None when nobody did, or a test system only."""
    row = conn.execute(
        select(documents.c.digest, documents.c.media_type, documents.c.size, documents.c.created_at)
        .add_columns(request_documents.c.issuer, requests.c.service)
        .join(request_documents, request_documents.c.digest == documents.c.digest)
        .join(requests, requests.c.id == request_documents.c.request_id)
        .where(documents.c.digest == digest, request_documents.c.issuer.not_like(name_apart("%")))
        .order_by(request_documents.c.request_id)
        .limit(1)
    ).first()
    if row is None:
        return None
    return Issued(row.digest, row.media_type, row.size, row.issuer, row.service, row.created_at)


def find_progress(conn: Connection, request_id: str, channel_id: str) -> Progress | None:
    """What the request's steps brought; None when there is no such request, or it is another channel's."""
    columns = (requests.c.service, requests.c.state, requests.c.progress)
    row = conn.execute(select(*columns).where(requests.c.id == request_id, requests.c.channel_id == channel_id)).first()
    if row is None:
        return None
    steps = unpack(row.progress).get("steps", {}) if row.progress else {}
    return Progress(row.service, Request(row.state), steps)


def find_page(
    conn: Connection, filters: Filters, after: str | None, limit: int, *, oldest_first: bool = False
) -> list[Found]:
    """Up to `limit` requests after the id `after`, by age."""
    query = _filtered(_select(), filters).limit(limit)
    query = query.order_by(requests.c.id if oldest_first else requests.c.id.desc())
    if after is not None:
        query = query.where(requests.c.id > after if oldest_first else requests.c.id < after)
    rows = conn.execute(query).all()
    brought = _documents(conn, [row.id for row in rows])
    return [Found(_view(row, brought.get(row.id, [])), row.channel_id, row.state_since) for row in rows]


def figures(conn: Connection) -> Figures:
    """Counts and ages for metrics; every query walks an index."""
    now = now_ms(conn)
    by_state = conn.execute(
        select(requests.c.state, func.count(), func.min(requests.c.state_since)).group_by(requests.c.state)
    ).all()
    since = first_id_at(now - ATTEMPTS_WINDOW_MS)
    columns = (attempts.c.connector, attempts.c.operation, attempts.c.state)
    recent = conn.execute(select(*columns, func.count()).where(attempts.c.id >= since).group_by(*columns))
    lanes = select(jobs.c.lane, func.count()).where(jobs.c.claimed_by.is_(None)).group_by(jobs.c.lane)
    tests = _counts(conn, select(requests.c.state, func.count()).where(text("test")).group_by(requests.c.state))
    return Figures(
        requests={state: count - tests.get(state, 0) for state, count, _ in by_state},
        tests=tests,
        oldest={state: max(0, now - oldest) for state, _, oldest in by_state},
        intents=_counts(conn, select(intents.c.state, func.count()).group_by(intents.c.state)),
        attempts={(connector, operation, state): count for connector, operation, state, count in recent},
        waiting=_counts(conn, lanes),
    )


def prove_writable(conn: Connection) -> None:
    """Write one row as it is: raises what the database raises when it cannot be written."""
    conn.execute(update(owner).values(generation=owner.c.generation))


def _counts(conn: Connection, query: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(query)}


def _select() -> Select[Any]:
    return select(*_COLUMNS).outerjoin(intents, intents.c.request_id == requests.c.id)


def _filtered(query: Select[Any], filters: Filters) -> Select[Any]:
    conditions = []
    if filters.channel_id is not None:
        conditions.append(requests.c.channel_id == filters.channel_id)
    if filters.states:
        conditions.append(requests.c.state.in_(filters.states))
    if filters.service is not None:
        conditions.append(requests.c.service == filters.service)
    if filters.reference is not None:
        conditions.append(requests.c.reference == filters.reference)
    if filters.created_from is not None:
        conditions.append(requests.c.created_at >= filters.created_from)
    if filters.created_to is not None:
        conditions.append(requests.c.created_at < filters.created_to)
    return query.where(and_(*conditions)) if conditions else query


def _documents(conn: Connection, request_ids: Sequence[str]) -> dict[str, list[DocumentView]]:
    query = (
        select(request_documents, documents.c.media_type, documents.c.size)
        .join(documents, documents.c.digest == request_documents.c.digest)
        .where(request_documents.c.request_id.in_(request_ids))
        .order_by(request_documents.c.request_id, request_documents.c.number)
    )
    found: dict[str, list[DocumentView]] = {}
    for row in conn.execute(query) if request_ids else ():
        view = DocumentView(row.number, row.name, row.media_type, row.size, row.digest)
        found.setdefault(row.request_id, []).append(view)
    return found


def _view(row: Row[Any], brought: Sequence[DocumentView]) -> View:
    owed = row.intent_state is not None
    return View(
        id=row.id,
        service=row.service,
        state=Request(row.state),
        step=row.step,
        reason=row.reason,
        reference=row.reference,
        next_action=json.loads(row.next_action) if row.next_action else None,
        expires_at=row.expires_at,
        next_try_at=row.next_try_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        intent_state=Intent(row.intent_state) if owed else None,
        provider=row.provider,
        money=Money(row.amount_minor, row.currency, row.denomination) if owed else None,
        paid_minor=row.paid_minor or 0,
        test=bool(row.test),
        documents=brought,
    )

"""Finds what people may have to decide about, with everything that is known of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.decisions.doubts import WAITING, Decision, Doubt, Subject, Told, is_open
from gateway.store.clock import now_ms
from gateway.store.dead_letters import letters_of
from gateway.store.decisions.tables import decisions
from gateway.store.jobs import load_works, seen_attempt
from gateway.store.reconciliation.tables import match_groups, match_members
from gateway.store.tables import attempts, evidence, jobs, requests
from mappings.status import Attempt, Request


@dataclass(frozen=True, slots=True)
class DoubtFilters:
    """Which doubts; what is empty does not narrow."""

    states: Sequence[str] = ()
    service: str | None = None
    reason: str | None = None
    proposed: bool = False  #: Only those about which a proposal is open.


def find_doubts(conn: Connection, filters: DoubtFilters, after: str | None, limit: int) -> list[str]:
    """The ids of requests that are in doubt or parked, oldest first."""
    states = list(filters.states) or [state.value for state in WAITING]
    query = select(requests.c.id).where(requests.c.state.in_(states)).order_by(requests.c.id).limit(limit)
    if filters.service is not None:
        query = query.where(requests.c.service == filters.service)
    if filters.reason is not None:
        query = query.where(requests.c.reason == filters.reason)
    if filters.proposed:
        query = query.where(requests.c.id.in_(select(decisions.c.request_id).where(decisions.c.state == "proposed")))
    if after is not None:
        query = query.where(requests.c.id > after)
    return list(conn.scalars(query))


def doubts_of(conn: Connection, ids: Sequence[str], proposals: dict[str, Decision]) -> list[Doubt]:
    """The requests of these ids in their order, whatever state they are in; ids that no request has are left out."""
    now = now_ms(conn)
    found = {row.id: row for row in conn.execute(select(requests).where(requests.c.id.in_(ids)))}
    known = [each for each in ids if each in found]
    held = set(conn.scalars(select(jobs.c.request_id).where(jobs.c.request_id.in_(known))))
    works = {work.request_id: work for work in load_works(conn, [each for each in known if each in held], now)}
    letters = {letter.id: letter for letter in letters_of(conn, known)}
    subjects = _subjects(conn, known, now)
    return [
        Doubt(
            request_id=each,
            service=found[each].service,
            state=Request(found[each].state),
            since=found[each].state_since,
            reason=found[each].reason,
            test=bool(found[each].test),
            channel_id=found[each].channel_id,
            letter=letters[each],
            work=works.get(each),
            subject=subjects.get(each),
            proposal=proposals.get(each),
        )
        for each in known
    ]


def _subjects(conn: Connection, ids: Sequence[str], now: int) -> dict[str, Subject]:
    """The newest exchange of each request whose truth is not known."""
    states = [state.value for state in Attempt if is_open(state)]
    rows = conn.execute(
        select(attempts).where(attempts.c.request_id.in_(ids), attempts.c.state.in_(states)).order_by(attempts.c.id)
    ).all()
    newest = {row.request_id: row for row in rows}
    acts = sorted({row.operation_id for row in newest.values()})
    told, statements = _told(conn, acts), _statements(conn, acts)
    return {
        request_id: Subject(
            attempt=seen_attempt(row, now),
            number=row.number,
            sending_at=row.sending_at,
            moves_money=row.intent_id is not None,
            told=[said for attempt_id, said in told[_act(row)] if attempt_id == row.id or said.at >= row.sending_at],
            statement=statements.get(row.operation_id),
        )
        for request_id, row in newest.items()
    }


def _act(row: Row[Any]) -> tuple[str, str, str]:
    """All exchanges of a payment share its id, so the operation is part of the name."""
    return row.connector, row.operation, row.operation_id


def _told(conn: Connection, acts: Sequence[str]) -> dict[tuple[str, str, str], list[tuple[str, Told]]]:
    """What was said about each act, oldest first, with the try that it was said about."""
    found = defaultdict(list)
    for row in conn.execute(
        select(attempts.c.connector, attempts.c.operation, attempts.c.operation_id, evidence.c.attempt_id)
        .add_columns(evidence.c.source, evidence.c.status, evidence.c.code, evidence.c.fenced, evidence.c.at)
        .join(evidence, evidence.c.attempt_id == attempts.c.id)
        .where(attempts.c.operation_id.in_(acts))
        .order_by(evidence.c.id)
    ):
        found[_act(row)].append((row.attempt_id, Told(row.source, row.status, row.code, bool(row.fenced), row.at)))
    return found


def _statements(conn: Connection, acts: Sequence[str]) -> dict[str, str]:
    """What statements have decided about acts, told to them or not."""
    rows = conn.execute(
        select(match_members.c.item, match_groups.c.decision)
        .join(match_groups, match_groups.c.id == match_members.c.group_id)
        .where(
            match_members.c.item.in_([f"act:{each}" for each in acts]),
            match_members.c.void.is_(False),
            match_groups.c.decision.is_not(None),
        )
    )
    return {row.item.removeprefix("act:"): row.decision for row in rows}

"""Keeps decisions: proposed once at a time about a request, and closed by a compare-and-set.

Whoever closes one locks the request's job first, as everything does that changes a request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, insert, select, update

from gateway.decisions.doubts import Action, Decision, Doubt, State, Told
from gateway.errors import Problem
from gateway.ids import new_id
from gateway.packed import pack_text, unpack
from gateway.security.principals import CHECKER, MAKER, Kind
from gateway.store.clock import now_ms
from gateway.store.dead_letters import Replaying, replay
from gateway.store.decisions.doubts import doubts_of
from gateway.store.decisions.tables import decisions
from gateway.store.principals import find_principal
from gateway.store.settlements import settle
from gateway.store.tables import events, evidence, jobs, principals, requests
from gateway.work import RANK, Settled, Settling
from mappings.status import Request

#: What may be said later that contradicts an action.
_AGAINST: Mapping[str, str] = {
    Action.DONE.value: "refused",
    Action.NOT_DONE.value: "succeeded",
    Action.RESEND.value: "succeeded",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision about to be proposed."""

    request_id: str
    action: Action
    people: int
    told: Mapping[str, Any]
    reason: str
    evidence: str
    reference: str
    by: str  #: Id of the operator.
    doubt: str  #: What was known when its consequences were weighed.
    replaces: str | None  #: The open proposal whose place it takes.
    keep_ms: int
    lane: str = ""  #: Where it goes at once, when one person is enough.


def doubts(conn: Connection, ids: Sequence[str]) -> list[Doubt]:
    """The doubts with the proposals that are open about them."""
    found = find_decisions(conn, [State.PROPOSED], ids)
    return doubts_of(conn, ids, {each.request_id: each for each in found})


def find_decisions(
    conn: Connection,
    states: Sequence[State] = (),
    request_ids: Sequence[str] | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[Decision]:
    """The decisions, oldest first."""
    query = _query().order_by(decisions.c.id).limit(limit)
    if states:
        query = query.where(decisions.c.state.in_([state.value for state in states]))
    if request_ids is not None:
        query = query.where(decisions.c.request_id.in_(request_ids))
    if after is not None:
        query = query.where(decisions.c.id > after)
    return _seen(conn, conn.execute(query).all())


def find_decision(conn: Connection, decision_id: str) -> Decision:
    """One. Raises Problem("not_found")."""
    row = conn.execute(_query().where(decisions.c.id == decision_id)).one_or_none()
    if row is None:
        raise Problem("not_found")
    return _seen(conn, [row])[0]


_MAKERS, _CHECKERS = principals.alias("makers"), principals.alias("checkers")


def _query() -> Any:
    return (
        select(decisions, _MAKERS.c.name.label("proposer"), _CHECKERS.c.name.label("decider"))
        .join(_MAKERS, _MAKERS.c.id == decisions.c.proposed_by)
        .outerjoin(_CHECKERS, _CHECKERS.c.id == decisions.c.decided_by)
    )


def _seen(conn: Connection, rows: Sequence[Row[Any]]) -> list[Decision]:
    said = _contradictions(conn, [row for row in rows if row.state == State.APPROVED.value])
    return [
        Decision(
            id=row.id,
            request_id=row.request_id,
            attempt_id=row.attempt_id,
            action=Action(row.action),
            people=row.people,
            told=unpack(row.told),
            reason=row.reason.decode(),
            evidence=row.evidence.decode() if row.evidence else "",
            reference=row.reference or "",
            doubt=row.doubt,
            digest=row.digest,
            state=State(row.state),
            proposed_by=row.proposed_by,
            proposer=row.proposer,
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            decided_by=row.decided_by,
            decider=row.decider,
            decided_at=row.decided_at,
            answer=row.answer.decode() if row.answer else "",
            contradicted=said.get(row.id),
        )
        for row in rows
    ]


def _contradictions(conn: Connection, rows: Sequence[Row[Any]]) -> dict[str, Told]:
    """What was said after a decision, about what it decided, by somebody who knows better and says otherwise."""
    about = {row.attempt_id: row for row in rows if row.attempt_id is not None and row.people > 1}
    if not about:
        return {}
    found: dict[str, Told] = {}
    for said in conn.execute(
        select(evidence).where(_outranking(evidence.c.attempt_id.in_(about))).order_by(evidence.c.id)
    ):
        row = about[said.attempt_id]
        if said.at >= row.decided_at and said.status == _AGAINST[row.action]:
            found.setdefault(row.id, Told(said.source, said.status, said.code, bool(said.fenced), said.at))
    return found


def _outranking(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition & (evidence.c.rank > RANK["operator"]) & evidence.c.status.in_(["succeeded", "refused"])


def propose(conn: Connection, proposal: Proposal) -> str:
    """Write it; its id. What one person may do alone happens at once.

    Raises Problem: role_missing, doubt_resolved, doubt_changed, decision_open.
    """
    now = now_ms(conn)
    conn.execute(select(jobs.c.token).where(jobs.c.request_id == proposal.request_id).with_for_update())
    require_role(conn, proposal.by, MAKER)
    (doubt,) = doubts(conn, [proposal.request_id])
    if not doubt.waits:
        raise Problem("doubt_resolved")
    if doubt.mark != proposal.doubt:
        raise Problem("doubt_changed")
    if doubt.proposal is not None:
        _make_way(conn, doubt, doubt.proposal, proposal, now)
    decision_id = new_id()
    alone = proposal.people == 1
    draft = _drafted(decision_id, doubt, proposal, now)
    conn.execute(
        insert(decisions).values(
            id=draft.id,
            request_id=draft.request_id,
            attempt_id=draft.attempt_id,
            action=draft.action.value,
            people=draft.people,
            told=pack_text(draft.told),
            reason=draft.reason.encode(),
            evidence=draft.evidence.encode() or None,
            reference=draft.reference or None,
            doubt=draft.doubt,
            digest=draft.seal,
            state=State.APPROVED.value if alone else State.PROPOSED.value,
            proposed_by=draft.proposed_by,
            proposed_at=now,
            expires_at=draft.expires_at,
            decided_by=None,
            decided_at=now if alone else None,
        )
    )
    facts = {"source": "operator", "decision": decision_id}
    if alone and not replay(conn, [Replaying(draft.request_id, proposal.lane, facts=facts)]):
        raise Problem("conflict")
    return decision_id


def _drafted(decision_id: str, doubt: Doubt, proposal: Proposal, now: int) -> Decision:
    return Decision(
        id=decision_id,
        request_id=proposal.request_id,
        attempt_id=doubt.subject.attempt.id if doubt.subject else None,
        action=proposal.action,
        people=proposal.people,
        told=proposal.told,
        reason=proposal.reason,
        evidence=proposal.evidence,
        reference=proposal.reference,
        doubt=doubt.mark,
        digest="",
        state=State.PROPOSED,
        proposed_by=proposal.by,
        proposer="",
        proposed_at=now,
        expires_at=now + proposal.keep_ms,
        decided_by=None,
        decider=None,
        decided_at=None,
        answer="",
    )


def _make_way(conn: Connection, doubt: Doubt, earlier: Decision, proposal: Proposal, now: int) -> None:
    """End the proposal that is open: one that may still be approved only by the name that the new one gives."""
    if proposal.replaces == earlier.id:
        _close(conn, earlier.id, State.SUPERSEDED, proposal.by, now)
    elif earlier.expires_at <= now or earlier.doubt != doubt.mark:
        _close(conn, earlier.id, State.EXPIRED, None, now)
    else:
        raise Problem("decision_open")


def may_approve(conn: Connection, decision_id: str, digest: str, by: str) -> tuple[Decision, Doubt]:
    """The proposal and its doubt, if this operator may approve it now.

    Raises Problem: not_found, role_missing, same_person, decision_closed, decision_changed, proposer_not_allowed,
    doubt_resolved, doubt_changed, evidence_contradicts.
    """
    found = find_decision(conn, decision_id)
    require_role(conn, by, CHECKER)
    if found.proposed_by == by:
        raise Problem("same_person")
    if found.state is not State.PROPOSED or found.expires_at <= now_ms(conn):
        raise Problem("decision_closed")
    if not digest == found.digest == found.seal:
        raise Problem("decision_changed")
    if not _has_role(conn, found.proposed_by, MAKER):
        raise Problem("proposer_not_allowed")
    (doubt,) = doubts(conn, [found.request_id])
    if not doubt.waits:
        raise Problem("doubt_resolved")
    if doubt.mark != found.doubt:
        raise Problem("doubt_changed")
    if doubt.denies(found.action):
        raise Problem("evidence_contradicts")
    return found, doubt


def approve(conn: Connection, row: Settling, decision_id: str, digest: str, by: str) -> Settled:
    """Settle as it was decided, and close it: both or neither. Raises Problem as `may_approve`, and `conflict`."""
    conn.execute(select(jobs.c.token).where(jobs.c.request_id == row.request_id).with_for_update())
    conn.execute(select(decisions.c.id).where(decisions.c.id == decision_id).with_for_update())
    may_approve(conn, decision_id, digest, by)
    (settled,) = settle(conn, [row])
    if not settled.valid:
        raise Problem("conflict")
    _close(conn, decision_id, State.APPROVED, by, now_ms(conn))
    return settled


def refuse(conn: Connection, decision_id: str, by: str, answer: str) -> None:
    """Close it unapproved: by whoever proposed it (withdrawn), or by another one who may approve (refused).

    Raises Problem: not_found, role_missing, decision_closed.
    """
    found = find_decision(conn, decision_id)
    own = found.proposed_by == by
    require_role(conn, by, MAKER if own else CHECKER)
    _close(conn, decision_id, State.WITHDRAWN if own else State.REFUSED, by, now_ms(conn), answer=answer)


def lapse(conn: Connection, decision_id: str) -> None:
    """End a proposal that nobody can approve any more: its time is over, or what is known has changed."""
    found = find_decision(conn, decision_id)
    (doubt,) = doubts(conn, [found.request_id])
    gone = found.expires_at <= now_ms(conn) or not doubt.waits or doubt.mark != found.doubt
    if found.state is State.PROPOSED and gone:
        _close(conn, decision_id, State.EXPIRED, None, now_ms(conn))


def _close(conn: Connection, decision_id: str, state: State, by: str | None, now: int, *, answer: str = "") -> None:
    """Only what is open can be closed, by whoever is first. Raises Problem("decision_closed")."""
    closed = update(decisions).where(decisions.c.id == decision_id, decisions.c.state == State.PROPOSED.value)
    values = {"state": state.value, "decided_by": by, "decided_at": now, "answer": answer.encode() or None}
    if not conn.execute(closed.values(values)).rowcount:
        raise Problem("decision_closed")


def require_role(conn: Connection, operator_id: str, role: str) -> None:
    """Raises Problem("role_missing") unless the operator has the role and a valid key now, whatever is remembered."""
    if not _has_role(conn, operator_id, role):
        raise Problem("role_missing", facts={"role": role})


def _has_role(conn: Connection, operator_id: str, role: str) -> bool:
    stored = find_principal(conn, operator_id)
    good = stored is not None and not stored.revoked and stored.principal.kind is Kind.OPERATOR
    return good and stored is not None and role in stored.principal.roles


def ask_now(conn: Connection, doubt: Doubt, lane: str) -> None:
    """Make the inquiry about what stands open due at once. Raises Problem("doubt_resolved")."""
    assert doubt.subject is not None
    facts = {"source": "operator"}
    if doubt.state is Request.PARKED:
        if not replay(conn, [Replaying(doubt.request_id, lane, ask_about=doubt.subject.attempt.id, facts=facts)]):
            raise Problem("doubt_resolved")
        return
    now = now_ms(conn)
    job = conn.execute(select(jobs).where(jobs.c.request_id == doubt.request_id).with_for_update()).one_or_none()
    state = conn.scalar(select(requests.c.state).where(requests.c.id == doubt.request_id))
    if job is None or state != Request.IN_DOUBT.value:
        raise Problem("doubt_resolved")
    if job.claimed_by is not None:
        return  # it is asked about just now
    again = {"inquiries": max(0, job.inquiries - 1)}  # what people ask spends none of the schedule's
    due = update(jobs).where(jobs.c.request_id == doubt.request_id)
    conn.execute(due.values(lane=lane, due_at=now, token=jobs.c.token + 1, **again))
    conn.execute(
        insert(events).values(
            id=new_id(), request_id=doubt.request_id, at=now, kind="inquiry_asked", state=state, facts=pack_text(facts)
        )
    )


@dataclass(frozen=True, slots=True)
class DecisionFigures:
    """What a scrape tells of decisions."""

    open: int
    oldest_ms: int  #: How long the oldest proposal waits.
    contradicted: int  #: Decisions of which somebody who knows better said otherwise later.


def decision_figures(conn: Connection) -> DecisionFigures:
    """Counted now."""
    query = select(func.count(), func.min(decisions.c.proposed_at)).where(decisions.c.state == State.PROPOSED.value)
    count, first = conn.execute(query).one()
    told = (decisions.c.attempt_id == evidence.c.attempt_id) & (decisions.c.state == State.APPROVED.value)
    against = case(_AGAINST, value=decisions.c.action)
    otherwise = (
        select(func.count(decisions.c.id.distinct()))
        .join_from(decisions, evidence, told & (decisions.c.people > 1))
        .where(_outranking(evidence.c.status == against), evidence.c.at >= decisions.c.decided_at)
    )
    oldest_ms = now_ms(conn) - first if count else 0
    return DecisionFigures(int(count), oldest_ms, int(conn.execute(otherwise).scalar_one()))

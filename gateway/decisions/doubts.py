"""What people decide about (an act whose truth is not known, a request that was given up), and what they decide."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.dead_letters.planner import Letter
from gateway.packed import pack
from gateway.work import RANK, OpenAttempt, Work
from mappings.status import Attempt, Request

#: The states in which a request waits for people, or may.
WAITING = (Request.IN_DOUBT, Request.PARKED)
#: What a source says of an act when it says anything.
CLEAR = ("succeeded", "refused", "pending", "absent")


class Action(StrEnum):
    """What may be decided."""

    DONE = "done"  #: The institution has done it; the provider has debited.
    NOT_DONE = "not_done"  #: It has not, and will not.
    RESEND = "resend"  #: It has not; send it again.


class State(StrEnum):
    """Where a decision stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"  #: It is done.
    REFUSED = "refused"  #: By another operator.
    WITHDRAWN = "withdrawn"  #: By whoever proposed it.
    SUPERSEDED = "superseded"  #: Another proposal took its place.
    EXPIRED = "expired"  #: Nobody approved it in time, or what is known has changed meanwhile.


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was said about the act, by whom, and when."""

    source: str
    status: str
    code: str
    fenced: bool
    at: int

    @property
    def outranks_people(self) -> bool:
        """Whether an operator's word is worth less than this."""
        return RANK[self.source] > RANK["operator"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The exchange whose truth is not known."""

    attempt: OpenAttempt
    number: int
    sending_at: int
    moves_money: bool
    told: Sequence[Told] = ()  #: Since it was sent, oldest first; about earlier tries of the same act too.
    statement: str | None = None  #: done | not_done, when a statement has decided and is about to tell.


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal and what became of it. Times are milliseconds since 1970 UTC."""

    id: str
    request_id: str
    attempt_id: str | None
    action: Action
    people: int
    told: Mapping[str, Any]  #: {means, twice}: the consequences that were shown, in both languages.
    reason: str
    evidence: str
    reference: str
    doubt: str
    digest: str
    state: State
    proposed_by: str
    proposer: str  #: The name of whoever proposed it.
    proposed_at: int
    expires_at: int
    decided_by: str | None
    decider: str | None
    decided_at: int | None
    answer: str
    contradicted: Told | None = None  #: What was said later, by somebody who knows better.

    @property
    def seal(self) -> str:
        """The digest of what is proposed as it stands now; another one than `digest` when somebody changed it."""
        facts = (self.id, self.request_id, self.attempt_id, self.action.value, self.people, self.reason, self.evidence)
        more = (self.told, self.reference, self.doubt, self.proposed_by, self.proposed_at, self.expires_at)
        return hashlib.sha256(pack([*facts, *more])).hexdigest()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A request that people may decide about, with all that is known of it."""

    request_id: str
    service: str
    state: Request
    since: int
    reason: str | None
    test: bool
    channel_id: str
    letter: Letter
    work: Work | None  #: None when it is over.
    subject: Subject | None  #: None: nothing stands open.
    proposal: Decision | None

    @property
    def waits(self) -> bool:
        """Whether there is anything to decide."""
        return self.state in WAITING and self.work is not None

    @property
    def mark(self) -> str:
        """A hash of what is known: another one as soon as the request moves or somebody says something new."""
        subject, work = self.subject, self.work
        facts = [self.request_id, self.state.value, self.reason]
        facts += [] if work is None else [str(work.step), work.phase]
        last = self.letter.attempts[-1] if self.letter.attempts else None
        facts += [] if last is None else [last.id, last.state.value]
        if subject is not None:
            said = sorted({f"{each.source}:{each.status}:{each.code}" for each in subject.told if each.status in CLEAR})
            facts += [subject.attempt.id, subject.attempt.state.value, subject.statement, *said]
        return hashlib.sha256(pack(facts)).hexdigest()

    def denies(self, action: Action) -> bool:
        """Whether somebody says otherwise who knows better than an operator: a lower source overwrites no higher."""
        if self.subject is None:
            return False
        against, listed = ("refused", "not_done") if action is Action.DONE else ("succeeded", "done")
        said = any(each.outranks_people and each.status == against for each in self.subject.told)
        return said or self.subject.statement == listed


def is_open(state: Attempt) -> bool:
    """Whether the truth of an exchange in this state is not known."""
    return state in (Attempt.SENDING, Attempt.PENDING, Attempt.IN_DOUBT, Attempt.REVIEW)

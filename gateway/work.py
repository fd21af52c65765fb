"""The records that travel between accept, dispatch, settle and the store."""

from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from connectors.kit.contract import Document, Exchange
from gateway.testing import route_name
from mappings.status import Attempt, Intent, Request


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """The attempt whose truth is not final yet: interrupted while sending, pending, or in doubt."""

    id: str
    operation_id: str
    connector: str
    operation: str
    role: str
    state: Attempt
    reference: str
    age_ms: int  #: Since its SENDING was committed.


@dataclass(slots=True)
class Work:
    """A request under a claimed job, as one worker sees it; the worker's own copy moves on with each settlement."""

    request_id: str
    service: str
    language: str
    traceparent: str
    reference: str | None  #: The channel's own.
    priority: int
    state: Request
    step: int
    phase: str
    version: int
    created_at: int
    expires_at: int | None
    content: dict[str, Any]
    progress: dict[str, Any]
    lane: str
    token: int
    tries: int = 0
    waits: int = 0
    inquiries: int = 0
    absences: int = 0
    intent_id: str | None = None
    intent_state: Intent | None = None
    amount_minor: int = 0
    currency: str = ""
    denomination: str = ""
    paid_minor: int = 0  #: What was paid when another amount was owed; gateway/payments/fee_orders.py.
    open_attempt: OpenAttempt | None = None
    test: bool = False  #: Of a test channel: it goes to test systems only.
    channel_id: str = ""
    since: int = 0  #: When it came into its present state, at the latest; 0: when it was accepted.
    #: Kind -> {content (base64), media_type, size, sha256}; only while the exchange that needs them is rendered.
    attachments: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """Under which its route is found."""
        return route_name(self.service, test=self.test)

    @property
    def correlation(self) -> str:
        """The trace id that all log lines of the call carry (W3C `traceparent`: version-trace-parent-flags)."""
        return trace_id(self.traceparent)


def trace_id(traceparent: str) -> str:
    """The trace id of a W3C traceparent, "" for none."""
    return traceparent.split("-")[1] if traceparent.count("-") == 3 else ""


#: In the progress of a request that came out of a backup: whatever it does next may have been done since then, so it is
#: asked about first, until an act of it turns out not to have been made (gateway/restoring).
RESTORED = "restored"


class Next(Struct, frozen=True):
    """The job that follows: its lane and how long it waits."""

    lane: str
    delay_ms: int = 0
    tries: int = 0
    waits: int = 0
    inquiries: int = 0
    absences: int = 0


class FeeOrder(Struct, frozen=True):
    """The whole amount that is owed for a request, and what was paid when another amount was owed."""

    id: str
    state: Intent
    amount_minor: int
    currency: str
    denomination: str
    paid_minor: int  #: Before this amount was named.


class Evidence(Struct, frozen=True):
    """One thing that was learnt about an attempt; its source gives its rank (RANK)."""

    source: str
    status: str
    code: str
    institution_code: str = ""
    message: str = ""
    exchange: Exchange | None = None


#: A lower rank never overwrites a higher one.
RANK = {"statement": 5, "inquiry": 4, "callback": 3, "answer": 2, "operator": 1, "error": 0}


class Happened(Struct, frozen=True):
    """One line of the timeline; facts carry no personal data."""

    kind: str
    state: Request
    facts: dict[str, Any]


class KeptDocument(Struct, frozen=True):
    """A document whose bytes are in the store already; its settlement refers to them."""

    name: str
    media_type: str
    digest: str  #: "sha256:<hex>" of the clear bytes.
    size: int
    blob_id: str


class Settlement(Struct):
    """Everything that one transaction writes after an exchange."""

    state: Request
    step: int
    phase: str
    progress: dict[str, Any]
    happened: list[Happened] = []
    reason: str | None = None
    next_action: dict[str, Any] | None = None
    expires_in_ms: int | None = None
    expires_at: int | None = None  #: A moment beside it, in milliseconds since 1970; the earlier one counts.
    next: Next | None = None
    attempt_state: Attempt | None = None  #: Of the attempt that was made or asked about.
    attempt_code: str = ""
    attempt_reference: str = ""
    evidence: Evidence | None = None
    intent_state: Intent | None = None
    fee_order: FeeOrder | None = None  #: A price that was named with this answer.
    provider: str | None = None
    documents: tuple[Document | KeptDocument, ...] = ()
    first_document: int = 1  #: The number of the first of them within the request.
    issuer: str = ""


def expiry(settlement: Settlement, now: int) -> int | None:
    """When the citizen's time is over: the earlier of the two that the settlement names."""
    ends_at = settlement.expires_at
    if settlement.expires_in_ms is None:
        return ends_at
    in_time = now + settlement.expires_in_ms
    return in_time if ends_at is None else min(in_time, ends_at)


class NewAttempt(Struct, frozen=True):
    """The attempt row of an exchange that is about to be made."""

    id: str
    connector: str
    operation: str
    role: str
    operation_id: str
    number: int
    payload_hash: str
    moves_money: bool


class Answered(Struct, frozen=True):
    """What a waiting caller is told with this settlement, stored under its idempotency key."""

    channel_id: str
    key: str
    status: str  #: created | ok
    body: bytes


class Settling(Struct, frozen=True):
    """One settlement, with the token that entitles to it."""

    request_id: str
    token: int
    previous: Request
    settlement: Settlement
    attempt_id: str
    attempt: NewAttempt | None  #: The exchange that was made; None for an inquiry about an older attempt.
    intended: bool  #: Its row stands already (SENDING); a safe exchange is only written now.
    intent_id: str | None
    keep_for: str | None  #: The worker that has a place for the next job and would go on at once.
    answered: Answered | None
    channel_id: str = ""  #: "" when whoever settles does not know: then the outbox asks the database.


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a settlement."""

    valid: bool  #: False: the token was stale; the evidence was kept, nothing else changed.
    kept: bool  #: The next job is still this worker's.

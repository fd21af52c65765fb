"""The contract between the gateway and a connector: operations, calls, outcomes, and the ports a connector is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from connectors.kit.hours import OpeningHours
from mappings.money import Money, MoneyUnit, amount_as


class Effect(StrEnum):
    """What a repeat of the operation does at the counterparty; proven by the conformance suite's write gate."""

    SAFE = "safe"  #: Reads only.
    IDEMPOTENT = "idempotent"  #: A key is honoured: a repeat with the same operation id acts once.
    INQUIRABLE = "inquirable"  #: Ask before asking again.
    NONE = "none"  #: Neither: a lost answer is never resolved by the machine.


class Status(StrEnum):
    """What the counterparty said. Only SUCCEEDED and REFUSED are final; an unlisted code is never final."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"  #: Received; the institution has not decided.
    REFUSED = "refused"
    ABSENT = "absent"  #: An inquiry's "no such operation id"; counts towards Attempt.ABSENT, is not yet it.
    IN_DOUBT = "in_doubt"  #: Readable, but it does not say whether it was done (unlisted code, "-103").


@dataclass(frozen=True, slots=True)
class PaysIn:
    """What a payment operation counts amounts in."""

    denomination: str
    unit: MoneyUnit

    def fits(self, amount: Money) -> bool:
        """Whether the amount can be said exactly; nothing is rounded."""
        try:
            amount_as(amount.converted(self.denomination), self.unit)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one connector, as its manifest declares it."""

    name: str
    role: str  #: check, quote, submit, inquire, cancel, initiate, confirm, resend …
    effect: Effect
    deadline_seconds: float = 30.0  #: Total, from the first connect to the last byte.
    concurrency: int = 16  #: Places in its lane.
    inquire: str | None = None  #: The operation that tells what became of this one; needed for INQUIRABLE.
    visibility_delay_seconds: float = 60.0  #: How long the institution may need until an inquiry sees it.
    max_response_bytes: int = 20 * 1024 * 1024
    secrets: tuple[str, ...] = ()  #: Inputs that live for one exchange only (`otp`) and are never stored.
    hours: OpeningHours | None = None  #: When the institution performs it; None: always.
    pays_in: PaysIn | None = None  #: initiate: what its amounts are counted in; None: any amount.
    always: bool = False  #: It also works outside whatever opening hours its institution has.
    rate_per_second: float | None = None  #: How many calls the institution bears; None: as many as there are places.


@dataclass(frozen=True, slots=True)
class Document:
    """A document that an institution returned."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """The raw bytes of one exchange, secrets masked in the request; evidence, kept sealed."""

    request: bytes
    response: bytes
    status: int  #: HTTP status; 0 when no answer came.
    content_type: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the institution wants of the citizen before it goes on; what is done with the answer is the service's.

    Channels see all of it, so nothing personal may stand in it.
    """

    kind: str  #: Names one of the service's `[actions.KIND]`: resubmit_photo, choose_slot, consent_price …
    details: Mapping[str, Any] = field(default_factory=dict)  #: Fill the braces of the action's texts.
    #: Field of the answer -> the values among which the citizen chooses: `[{"value", "ar"?, "en"?}]`.
    choices: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    expires_in_seconds: float | None = None  #: How long the institution waits.
    expires_at: datetime | None = None  #: The same as a moment (aware); the earlier one counts.


@dataclass(frozen=True, slots=True)
class Quote:
    """A price that the institution named; binding for as long as it says."""

    id: str  #: The institution's own, to be given back when the citizen has paid.
    amount_minor: int
    currency: str
    denomination: str
    valid_until: datetime | None = None  #: Aware.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back, canonical."""

    status: Status
    code: str = ""  #: Canonical code: a row of the error catalogue for REFUSED and IN_DOUBT, else free.
    institution_code: str = ""  #: The institution's own code, as it stood on the wire.
    message: str = ""  #: The institution's own words; personal data may stand in it: sealed, never logged.
    reference: str = ""  #: The institution's reference ("received, number N").
    data: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    next_inquiry_seconds: float | None = None  #: The institution's own wish for the next inquiry.
    exchange: Exchange | None = None
    asked: Asked | None = None  #: With PENDING: the act waits for the citizen. With REFUSED: another act may follow.
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class CallbackNamed:
    """Who a message is from and what it is about, before anybody looks at what it says."""

    name: str  #: Of the callback, as the manifest declares it.
    verified: bool  #: The institution signed it; when false it is only a reason to inquire.
    operation_id: str  #: The act that it is about, ours.


@dataclass(frozen=True, slots=True)
class CallbackSaid:
    """What a message says that an institution sent by itself."""

    verified: bool  #: The institution signed it; when false it is only a reason to inquire.
    operation_id: str  #: The act that it is about, ours.
    outcome: Outcome


def _always_open() -> None:
    """The send gate of calls that have no send window (sandboxes, tools)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one operation.

    `document` is the canonical document that mappings read: `{"operation_id", "request": {"id", "service", "language",
    "accepted_at"}, "applicant": {…}, "input": {…}, "delivery": {…}, "fee": {"amount_minor", "currency",
    "denomination"} | None, "payer": {"mobile"} | None, "reference": the institution's reference or "",
    "subject_operation_id": for inquire, confirm, resend and the citizen's answer to a next action the operation id of
    the act that is meant, "steps": {step kind: data of its outcome}, "quote": {"id", "amount_minor", "currency",
    "denomination", "valid_until"} | None, "action": {"kind", "answer"} | None}`.
    """

    operation_id: str  #: Ours, unique for ever, the same for every resend of the same act.
    document: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)  #: `{"otp": …}`; seen by the mapping as `secrets.otp`.
    deadline_seconds: float | None = None  #: Less than the operation's own, when the caller's budget is smaller.
    traceparent: str = ""
    #: Called right before the first byte leaves; raises NotSent when the send window has passed.
    send_gate: Callable[[], None] = _always_open


@dataclass(frozen=True, slots=True)
class Prepared:
    """A rendered call that has touched no network yet."""

    operation: Operation
    call: Call
    payload: Any  #: The connector's own form of the wire request.
    payload_hash: str  #: SHA-256 (hex) over the rendered body with `secrets` masked: equal for equal requests.


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it ends."""

    value: str
    expires_at: datetime


class TokenCache(Protocol):
    """One token per name for all workers; one of them fetches at a time."""

    async def get(self, name: str, fetch: Callable[[], Awaitable[Token]], *, rejected: str | None = None) -> str:
        """The cached token, or a fetched one. `rejected` is a value that the counterparty refused: never returned."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a connector is given from outside."""

    settings: Mapping[str, Any]  #: The connector's own settings, secrets resolved, checked against its manifest.
    tokens: TokenCache
    now: Callable[[], datetime]  #: Aware UTC.


class Connector(Protocol):
    """A counterparty that can be spoken to."""

    name: str
    version: str  #: Of its mapping; a request keeps the version that it started with.
    operations: Mapping[str, Operation]
    reads_attachments: frozenset[str]  #: The operations whose requests read `attachments`.
    callbacks: frozenset[str]  #: The messages that it may send by itself.
    callback_headers: frozenset[str]  #: What their signatures need, in lower case.
    callback_max_bytes: int  #: The largest of them; 0 when it sends none.

    def streams(self, operation: str) -> bool:
        """Whether this operation sends an upload (`mappings.upload.Upload`) piece by piece; else it wants base64."""

    def prepare(self, operation: str, call: Call) -> Prepared:
        """Render the wire request; no I/O. Raises MappingFailed."""

    async def send(self, prepared: Prepared) -> Outcome:
        """Send and read the answer. Raises a ConnectorError when no readable answer came."""

    def callback_signed(self, raw: bytes, headers: Mapping[str, str], received_at: datetime) -> bool:
        """Whether the signature of any of its callbacks holds, whatever the message says."""

    def name_callback(self, raw: bytes, headers: Mapping[str, str], received_at: datetime) -> CallbackNamed:
        """Which of its callbacks this is, and about which act; no I/O. Raises Unreadable when it is none of them."""

    def read_callback(
        self,
        name: str,
        raw: bytes,
        headers: Mapping[str, str],
        *,
        received_at: datetime | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> CallbackSaid:
        """What a callback says; no I/O. Raises KeyError for an unknown name, Unreadable for what is not of it.

        `received_at` (left out: now) is what the signed time is held against; `document` is the canonical document of
        the act, so that the mapping can hold the message against it, as an answer's can.
        """

    async def reachable(self) -> bool:
        """Whether a connection can be opened now; for availability, never raises."""

    async def close(self) -> None:
        """Close the pool."""

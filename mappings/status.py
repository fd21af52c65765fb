"""The states of a request, an attempt and an intent, and the one table that says which moves exist.

A move is (from, event, to). Nothing else changes a state: `move` refuses what the table lacks, the docs render the
table (`jisr docs states`), and the property tests walk it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class Request(StrEnum):
    """Where a citizen's request stands; lower case on the wire."""

    ACCEPTED = "accepted"  #: Committed; nothing has been sent yet.
    AWAITING_CITIZEN = "awaiting_citizen"  #: Only the citizen can go on; `next_action` says how.
    IN_PROGRESS = "in_progress"  #: The gateway works on a step, or waits to try it again.
    WITH_INSTITUTION = "with_institution"  #: The institution has it and has not decided.
    IN_DOUBT = "in_doubt"  #: Sent, and the truth is not known yet; nothing is sent again.
    PARKED = "parked"  #: People decide; a reason is given.
    DELIVERING = "delivering"  #: Done, and on its way to the citizen.
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Attempt(StrEnum):
    """One exchange with one counterparty, money or not."""

    PREPARED = "prepared"
    SENDING = "sending"  #: Committed before the first byte leaves.
    NOT_SENT = "not_sent"  #: No byte left: safe to try again.
    PENDING = "pending"  #: Received; the counterparty has not decided.
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    IN_DOUBT = "in_doubt"  #: It may have arrived.
    ABSENT = "absent"  #: It did not arrive: asked often enough, late enough.
    REVIEW = "review"  #: Inquiry is exhausted: statement or two people close it.


class Intent(StrEnum):
    """What the citizen owes for one fee order."""

    CREATED = "created"
    PAYER_ACTION = "payer_action"  #: The payer must answer (OTP, approval).
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"  #: Money may have moved.


State = Request | Attempt | Intent
S = TypeVar("S", Request, Attempt, Intent)

FINAL = frozenset({Request.COMPLETED, Request.REFUSED, Request.CANCELLED, Request.EXPIRED})
#: Attempts that forbid another attempt for the same intent (partial unique index in the store).
UNSETTLED = frozenset({Attempt.SENDING, Attempt.PENDING, Attempt.IN_DOUBT})

_MOVES: tuple[tuple[State, str, State], ...] = (
    (Request.ACCEPTED, "started", Request.IN_PROGRESS),
    (Request.ACCEPTED, "needs_citizen", Request.AWAITING_CITIZEN),
    (Request.ACCEPTED, "refused", Request.REFUSED),
    (Request.ACCEPTED, "parked", Request.PARKED),
    (Request.ACCEPTED, "cancelled", Request.CANCELLED),
    (Request.ACCEPTED, "expired", Request.EXPIRED),
    (Request.IN_PROGRESS, "advanced", Request.IN_PROGRESS),
    (Request.IN_PROGRESS, "delayed", Request.IN_PROGRESS),
    (Request.IN_PROGRESS, "needs_citizen", Request.AWAITING_CITIZEN),
    (Request.IN_PROGRESS, "received", Request.WITH_INSTITUTION),
    (Request.IN_PROGRESS, "answer_lost", Request.IN_DOUBT),
    (Request.IN_PROGRESS, "parked", Request.PARKED),
    (Request.IN_PROGRESS, "delivery_started", Request.DELIVERING),
    (Request.IN_PROGRESS, "completed", Request.COMPLETED),
    (Request.IN_PROGRESS, "refused", Request.REFUSED),
    (Request.IN_PROGRESS, "cancelled", Request.CANCELLED),
    (Request.IN_PROGRESS, "expired", Request.EXPIRED),
    (Request.AWAITING_CITIZEN, "answered", Request.IN_PROGRESS),
    (Request.AWAITING_CITIZEN, "needs_citizen", Request.AWAITING_CITIZEN),
    (Request.AWAITING_CITIZEN, "refused", Request.REFUSED),
    (Request.AWAITING_CITIZEN, "cancelled", Request.CANCELLED),
    (Request.AWAITING_CITIZEN, "expired", Request.EXPIRED),
    (Request.WITH_INSTITUTION, "received", Request.WITH_INSTITUTION),
    (Request.WITH_INSTITUTION, "advanced", Request.IN_PROGRESS),
    (Request.WITH_INSTITUTION, "answer_lost", Request.IN_DOUBT),
    (Request.WITH_INSTITUTION, "parked", Request.PARKED),
    (Request.WITH_INSTITUTION, "needs_citizen", Request.AWAITING_CITIZEN),
    (Request.WITH_INSTITUTION, "delivery_started", Request.DELIVERING),
    (Request.WITH_INSTITUTION, "completed", Request.COMPLETED),
    (Request.WITH_INSTITUTION, "refused", Request.REFUSED),
    (Request.WITH_INSTITUTION, "cancelled", Request.CANCELLED),
    (Request.IN_DOUBT, "still_unknown", Request.IN_DOUBT),
    (Request.IN_DOUBT, "advanced", Request.IN_PROGRESS),
    (Request.IN_DOUBT, "received", Request.WITH_INSTITUTION),
    (Request.IN_DOUBT, "needs_citizen", Request.AWAITING_CITIZEN),
    (Request.IN_DOUBT, "parked", Request.PARKED),
    (Request.IN_DOUBT, "delivery_started", Request.DELIVERING),
    (Request.IN_DOUBT, "completed", Request.COMPLETED),
    (Request.IN_DOUBT, "refused", Request.REFUSED),
    (Request.PARKED, "advanced", Request.IN_PROGRESS),
    (Request.PARKED, "needs_citizen", Request.AWAITING_CITIZEN),
    (Request.PARKED, "refused", Request.REFUSED),
    (Request.PARKED, "cancelled", Request.CANCELLED),
    (Request.PARKED, "asked_again", Request.IN_DOUBT),
    (Request.DELIVERING, "tracked", Request.DELIVERING),
    (Request.DELIVERING, "delayed", Request.DELIVERING),
    (Request.DELIVERING, "answer_lost", Request.DELIVERING),
    (Request.DELIVERING, "still_unknown", Request.DELIVERING),
    (Request.DELIVERING, "advanced", Request.DELIVERING),
    (Request.DELIVERING, "delivered", Request.COMPLETED),
    (Request.DELIVERING, "parked", Request.PARKED),
    # an older database was put back: whatever was open may have gone on since (docs/adr/0007)
    (Request.ACCEPTED, "restored", Request.IN_DOUBT),
    (Request.AWAITING_CITIZEN, "restored", Request.IN_DOUBT),
    (Request.IN_PROGRESS, "restored", Request.IN_DOUBT),
    (Request.WITH_INSTITUTION, "restored", Request.IN_DOUBT),
    (Request.IN_DOUBT, "restored", Request.IN_DOUBT),
    (Request.DELIVERING, "restored", Request.DELIVERING),
    (Attempt.PREPARED, "sending", Attempt.SENDING),
    (Attempt.SENDING, "not_sent", Attempt.NOT_SENT),
    (Attempt.SENDING, "pending", Attempt.PENDING),
    (Attempt.SENDING, "succeeded", Attempt.SUCCEEDED),
    (Attempt.SENDING, "declined", Attempt.DECLINED),
    (Attempt.SENDING, "answer_lost", Attempt.IN_DOUBT),
    (Attempt.PENDING, "pending", Attempt.PENDING),
    (Attempt.PENDING, "succeeded", Attempt.SUCCEEDED),
    (Attempt.PENDING, "declined", Attempt.DECLINED),
    (Attempt.PENDING, "absent", Attempt.ABSENT),
    (Attempt.PENDING, "exhausted", Attempt.REVIEW),
    (Attempt.IN_DOUBT, "answer_lost", Attempt.IN_DOUBT),
    (Attempt.IN_DOUBT, "not_sent", Attempt.NOT_SENT),
    (Attempt.IN_DOUBT, "pending", Attempt.PENDING),
    (Attempt.IN_DOUBT, "succeeded", Attempt.SUCCEEDED),
    (Attempt.IN_DOUBT, "declined", Attempt.DECLINED),
    (Attempt.IN_DOUBT, "absent", Attempt.ABSENT),
    (Attempt.IN_DOUBT, "exhausted", Attempt.REVIEW),
    (Attempt.REVIEW, "succeeded", Attempt.SUCCEEDED),
    (Attempt.REVIEW, "declined", Attempt.DECLINED),
    (Attempt.REVIEW, "absent", Attempt.ABSENT),
    (Attempt.REVIEW, "asked_again", Attempt.IN_DOUBT),
    (Attempt.REVIEW, "pending", Attempt.PENDING),
    (Intent.CREATED, "initiated", Intent.IN_PROGRESS),
    (Intent.CREATED, "cancelled", Intent.CANCELLED),
    (Intent.CREATED, "expired", Intent.EXPIRED),
    (Intent.CREATED, "failed", Intent.FAILED),
    (Intent.IN_PROGRESS, "payer_asked", Intent.PAYER_ACTION),
    (Intent.IN_PROGRESS, "succeeded", Intent.SUCCEEDED),
    (Intent.IN_PROGRESS, "failed", Intent.FAILED),
    (Intent.IN_PROGRESS, "answer_lost", Intent.IN_DOUBT),
    (Intent.IN_PROGRESS, "cancelled", Intent.CANCELLED),
    (Intent.PAYER_ACTION, "initiated", Intent.IN_PROGRESS),
    (Intent.PAYER_ACTION, "payer_asked", Intent.PAYER_ACTION),
    (Intent.PAYER_ACTION, "failed", Intent.FAILED),
    (Intent.PAYER_ACTION, "cancelled", Intent.CANCELLED),
    (Intent.PAYER_ACTION, "expired", Intent.EXPIRED),
    (Intent.SUCCEEDED, "more_owed", Intent.CREATED),
    (Intent.CREATED, "covered", Intent.SUCCEEDED),
    (Intent.CREATED, "restored", Intent.IN_DOUBT),
    (Intent.IN_PROGRESS, "restored", Intent.IN_DOUBT),
    (Intent.PAYER_ACTION, "restored", Intent.IN_DOUBT),
    (Intent.IN_DOUBT, "restored", Intent.IN_DOUBT),
    (Intent.IN_DOUBT, "succeeded", Intent.SUCCEEDED),
    (Intent.IN_DOUBT, "failed", Intent.FAILED),
    (Intent.IN_DOUBT, "payer_asked", Intent.PAYER_ACTION),
)

#: The three kinds share words ("in_doubt"), so the kind is part of the key.
MOVES: Mapping[tuple[type[State], str, str], State] = {
    (type(source), source.value, event): target for source, event, target in _MOVES
}


class IllegalMove(ValueError):
    """The table has no such move; state is left as it was."""


def move(state: S, event: str) -> S:
    """The state after `event`, or IllegalMove when the table has no such edge."""
    try:
        return MOVES[type(state), state.value, event]  # type: ignore[return-value]
    except KeyError:
        raise IllegalMove(f"no move {event!r} from {type(state).__name__.lower()} state {state.value!r}") from None

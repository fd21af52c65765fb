"""What becomes of a message that an institution sent by itself."""

from enum import StrEnum

from connectors.kit.contract import Status
from mappings.status import Attempt, IllegalMove, move


class Verdict(StrEnum):
    """How a message ended; while it has none it waits."""

    APPLIED = "applied"  #: It moved its request.
    RECORDED = "recorded"  #: It says nothing that is newer than what is known; kept as evidence.
    CONTRADICTED = "contradicted"  #: It says otherwise than what is final; kept as evidence, and told to people.
    INQUIRED = "inquired"  #: Unsigned, or not clear: the institution is asked at once, nothing else changes.
    IGNORED = "ignored"  #: Unsigned, or not clear, and there is nothing to ask, or it was asked just now.
    UNREADABLE = "unreadable"  #: It is none of the messages that the institution's package declares.
    UNMATCHED = "unmatched"  #: Signed, about an act that nobody here ever sent.
    FAILED = "failed"  #: It could not be judged, several times; the log says why.


#: Nothing vouches for these: they are kept for a short time only.
WORTHLESS = (Verdict.INQUIRED, Verdict.IGNORED, Verdict.UNREADABLE, Verdict.UNMATCHED)
#: What a message says, as the event of an attempt (mappings/status.py); anything else says nothing clear.
_EVENTS = {Status.SUCCEEDED: "succeeded", Status.REFUSED: "declined", Status.PENDING: "pending"}
_FINAL = {Status.SUCCEEDED: Attempt.SUCCEEDED, Status.REFUSED: Attempt.DECLINED}


def is_unsettled(state: Attempt) -> bool:
    """Whether the answer to the exchange itself is still on its way: what a message says of it must wait."""
    return state in (Attempt.PREPARED, Attempt.SENDING, Attempt.NOT_SENT)


def is_clear(status: Status) -> bool:
    """Whether the message says what became of the act."""
    return status in _EVENTS


def is_news(state: Attempt, status: Status) -> bool:
    """Whether the table of states has a move for it that leads somewhere: an older state overwrites no newer one."""
    if status not in _EVENTS:
        return False
    try:
        return move(state, _EVENTS[status]) is not state
    except IllegalMove:
        return False


def contradicts(state: Attempt, status: Status) -> bool:
    """Whether both are final and differ."""
    said = _FINAL.get(status)
    return said is not None and state in _FINAL.values() and said is not state

"""The only place that decides what a failure means."""

from enum import StrEnum

from connectors.kit.contract import Effect, Operation
from connectors.kit.errors import ConnectorError


class Verdict(StrEnum):
    """What follows when no readable answer came."""

    WAIT = "wait"  #: Nothing left: try again later; spends no attempt.
    RETRY = "retry"  #: It may have arrived, and a repeat is harmless: same operation id, spends an attempt.
    INQUIRE = "inquire"  #: It may have arrived: ask before anything else.
    HOLD = "hold"  #: It may have arrived and nobody can be asked: in doubt until a statement or two people tell.
    PARK = "park"  #: A repeat cannot help; people decide.


class Interrupted(ConnectorError):
    """The process that was sending died before it recorded an answer: it may have arrived."""

    code = "interrupted"


def judge(error: ConnectorError, operation: Operation, *, attempts_left: int) -> Verdict:
    """What to do after `error` on `operation`; `attempts_left` counts the repeats that may still be spent."""
    if not error.maybe_delivered:
        return Verdict.WAIT if error.retryable else Verdict.PARK  # an outage spends no attempt
    if operation.effect is Effect.INQUIRABLE:
        return Verdict.INQUIRE
    if operation.effect is Effect.NONE:
        return Verdict.HOLD
    return Verdict.RETRY if attempts_left > 0 else Verdict.PARK

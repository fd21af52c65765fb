"""The circuit breaker of a lane: what an answer says of the line, when it opens, and what all workers know of it.

Closed, each process counts for itself and nothing is written. Open, the database holds the truth for all workers: one
of them may send one probe at a time, and only several good ones in a row close it again.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.kit.contract import Outcome
from connectors.kit.errors import Closed, ConnectionLost, ConnectorError, NotSent, ServerFailed, Throttled, TimedOut

#: It also opens when so many of the last ones failed, however they were spread.
_RECENT, _RECENT_FAILURES = 20, 10
#: An institution that says that it is closed until far off is asked in between all the same: it may have erred.
CLOSED_PROBE_SECONDS = 900.0


class Health(StrEnum):
    """What an answer says of the line, whatever it says of the request."""

    GOOD = "good"
    BAD = "bad"
    NOTHING = "nothing"  #: Our own fault, or an answer that is no outage.


class WindowPassed(NotSent):
    """This process was too slow to send; that says nothing of the institution."""


def health_of(answer: Outcome | ConnectorError) -> Health:
    """A refusal is a good answer: the institution works."""
    if isinstance(answer, Outcome):
        return Health.GOOD
    if isinstance(answer, WindowPassed):
        return Health.NOTHING
    lost = (NotSent, Throttled, TimedOut, ConnectionLost, ServerFailed)
    return Health.BAD if isinstance(answer, lost) else Health.NOTHING


@dataclass(slots=True)
class Tally:
    """The last answers of a closed lane, as this process saw them."""

    failures: int  #: In a row, that open it; 0: it never opens.
    in_a_row: int = 0
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def saw(self, health: Health) -> bool:
        """Whether the lane opens with this."""
        if health is Health.NOTHING or self.failures == 0:
            return False
        bad = health is Health.BAD
        self.in_a_row = self.in_a_row + 1 if bad else 0
        self.recent.append(bad)
        return self.in_a_row >= self.failures or (bad and sum(self.recent) >= max(_RECENT_FAILURES, self.failures))

    def forget(self) -> None:
        """Begin anew."""
        self.in_a_row = 0
        self.recent.clear()


@dataclass(frozen=True, slots=True)
class Tripped:
    """The lane opens: nothing is sent before the pause is over."""

    lane: str
    code: str  #: Of the last failure.
    pause_ms: int | None = None  #: What the institution named; None: the breaker's own.
    closed_ms: int | None = None  #: How long it says that it is closed; such time spends no request's patience.


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of the one call that an open lane lets through."""

    lane: str
    health: Health
    code: str = ""
    pause_ms: int | None = None
    closed_ms: int | None = None


Change = Tripped | Probed


def tripped(lane: str, error: ConnectorError) -> Tripped:
    """The lane opens because of this failure."""
    return Tripped(lane, error.code, *_pauses(error))


def probed(lane: str, answer: Outcome | ConnectorError) -> Probed:
    """The probe brought this. One that says nothing either way is repeated."""
    if isinstance(answer, Outcome):
        return Probed(lane, Health.GOOD)
    return Probed(lane, health_of(answer), answer.code, *_pauses(answer))


def _pauses(error: ConnectorError) -> tuple[int | None, int | None]:
    """How long to leave it alone, and for how long it says that it is closed."""
    seconds = error.retry_after_seconds
    if seconds is None:
        return None, None
    if isinstance(error, Closed):
        return int(1000 * min(seconds, CLOSED_PROBE_SECONDS)), int(1000 * seconds)
    return int(1000 * seconds), None


@dataclass(frozen=True, slots=True)
class Line:
    """What all workers know of a lane that is open, or was a while ago. Times are milliseconds from now."""

    lane: str
    open: bool
    code: str = ""
    probe_in_ms: int = 0  #: When the next probe may go.
    opens_in_ms: int | None = None  #: When the institution says that it opens.
    recovered_ms: int | None = None  #: How long ago it closed; None: not lately.

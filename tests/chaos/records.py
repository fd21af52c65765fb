"""What is compared at the end: what clients were told, what the database holds, and what the institutions did."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A 2xx answer to a POST of a request."""

    key: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as the database holds it."""

    id: str
    key: str  #: The idempotency key under which it was accepted; "" when there is none.
    service: str
    state: str
    reason: str = ""
    intent: str = ""  #: State of its fee order; "" when nothing is owed.
    scheduled: bool = False  #: A job of it is due at some time.
    by_statement: bool = False  #: Its act in doubt is one that nobody can be asked about: the daily file tells.
    was_in_doubt: bool = False

    @property
    def stem(self) -> str:
        """What all its operation ids begin with."""
        return self.id.replace("-", "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What an institution did, by its own ledger."""

    institution: str
    what: str
    operation_id: str
    count: int

    @property
    def stem(self) -> str:
        """The request that it was done for."""
        return self.operation_id.split("-", 1)[0]


@dataclass(frozen=True, slots=True)
class Records:
    """All three sides of a run."""

    acknowledged: Sequence[Acknowledged]
    kept: Sequence[Kept]
    effects: Sequence[Effect]
    problems: Sequence[str] = field(default=())  #: What the database says to be wrong with its own files.

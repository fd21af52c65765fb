"""Callers that wait for an outcome (`Prefer: wait=N`): what they are told is stored with the settlement itself."""

import asyncio
from dataclasses import dataclass, field

from gateway.work import Answered


@dataclass(slots=True)
class Waiter:
    """One caller, waiting under its idempotency key."""

    channel_id: str
    key: str
    creates: bool  #: It waits for a new request (created or accepted); otherwise for an action (ok).
    answer: "asyncio.Future[Answered | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    taken: bool = False  #: A settlement carries the answer already: it is awaited, however late.

    def status(self, *, final: bool) -> str:
        """How the answer is called."""
        if not self.creates:
            return "ok"
        return "created" if final else "accepted"

    def give_up(self) -> None:
        """The time is over; an outcome that is about to be committed is still awaited."""
        if not self.taken:
            self.tell(None)

    def tell(self, answered: Answered | None) -> None:
        """The outcome is committed; None when another worker decided it."""
        if not self.answer.done():
            self.answer.set_result(answered)


class Waiters:
    """The waiting callers of this process by request id; at most one each, since a replay is answered at once."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiter] = {}

    def add(self, request_id: str, waiter: Waiter) -> None:
        """Wait, unless somebody waits for the request already: of two who answer at once one loses."""
        self._waiting.setdefault(request_id, waiter)

    def drop(self, request_id: str, waiter: Waiter) -> None:
        """Wait no longer; another waiter stays."""
        if self._waiting.get(request_id) is waiter:
            del self._waiting[request_id]

    def take(self, request_id: str) -> Waiter | None:
        """The waiter, from now on bound to the settlement that is about to be committed."""
        waiter = self._waiting.pop(request_id, None)
        if waiter is not None:
            waiter.taken = True
        return waiter

    async def outcome(self, request_id: str, waiter: Waiter, seconds: float) -> Answered | None:
        """The answer, or None when the time is over before an outcome was in sight."""
        end = asyncio.get_running_loop().call_later(seconds, waiter.give_up)
        try:
            return await waiter.answer
        finally:
            end.cancel()
            self.drop(request_id, waiter)

    def let_go(self) -> None:
        """Tell all who wait that no outcome comes any more in this process: they get what was answered at accept."""
        for waiter in self._waiting.values():
            waiter.tell(None)

"""This file keeps the process within bounds: who may have how many calls under way, and how many bytes of bodies.

All of it is counted in memory. What a channel does too much is its own refusal (429); what is too much for the process
is everybody's (503). Both say when to come back, and nothing was taken in.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from litestar.types import Scope

from gateway.bucket import Bucket
from gateway.errors import Problem
from gateway.security.principals import Kind, Principal
from gateway.settings import LimitSettings

_CHANNEL, _BYTES, _STREAM = "jisr.channel", "jisr.body_bytes", "jisr.stream"
#: After a refusal: long enough for what is under way to end.
_BUSY_SECONDS = 2.0
#: Left open whatever happens: whoever watches must see that the process is full.
_OPEN = ("/health/", "/metrics")


class Admission:
    """The calls under way in this process; they enter, say whose they are, and leave."""

    def __init__(self, limits: LimitSettings, monotonic: Callable[[], float]) -> None:
        self._limits, self._monotonic = limits, monotonic
        self._calls = self._streams = self._bytes = 0
        self._of_channel: Counter[str] = Counter()
        self._streams_of: Counter[str] = Counter()
        self._rates: dict[str, Bucket] = {}

    @property
    def held_bytes(self) -> int:
        """Of bodies, in memory now."""
        return self._bytes

    def enter(self, scope: Scope) -> bool:
        """Whether there is room for one call more; whoever entered leaves."""
        if self._calls >= self._limits.calls_at_once and not scope["path"].startswith(_OPEN):
            return False
        self._calls += 1
        return True

    def admit(self, scope: Scope, principal: Principal) -> None:
        """The call is this principal's. Raises Problem("rate_limited") for a channel that does too much."""
        if principal.kind is not Kind.CHANNEL:
            return
        if not self._in_time(principal.id):
            raise Problem("rate_limited", retry_after_seconds=1)
        if self._of_channel[principal.id] >= self._limits.channel_calls_at_once:
            raise Problem("rate_limited", retry_after_seconds=_BUSY_SECONDS)
        self._of_channel[principal.id] += 1
        scope["state"][_CHANNEL] = principal.id

    def _in_time(self, channel_id: str) -> bool:
        per_second = self._limits.channel_calls_per_second
        if not per_second:
            return True
        bucket = self._rates.get(channel_id)
        if bucket is None:
            bucket = self._rates[channel_id] = Bucket(per_second, self._monotonic)
        return bucket.take()

    def hold(self, scope: Scope, count: int) -> None:
        """So many bytes of the call's body are in memory until it leaves. Raises Problem("overloaded")."""
        if self._bytes + count > self._limits.body_bytes:
            raise Problem("overloaded", retry_after_seconds=_BUSY_SECONDS)
        self._bytes += count
        state = scope["state"]
        state[_BYTES] = state.get(_BYTES, 0) + count

    def stream(self, scope: Scope) -> None:
        """The call goes on as an event stream, which is counted by itself: it may last for hours.

        Raises Problem: `rate_limited` for too many of one channel, `overloaded` for too many of all.
        """
        channel_id = scope["state"].get(_CHANNEL, "")
        if channel_id and self._streams_of[channel_id] >= self._limits.channel_streams:
            raise Problem("rate_limited", retry_after_seconds=_BUSY_SECONDS)
        if self._streams >= self._limits.streams:
            raise Problem("overloaded", retry_after_seconds=_BUSY_SECONDS)
        self._leave_call(scope)
        self._streams += 1
        self._streams_of[channel_id] += 1
        scope["state"][_STREAM] = channel_id

    def leave(self, scope: Scope) -> None:
        """The call is over."""
        state = scope["state"]
        self._bytes -= state.pop(_BYTES, 0)
        streamed = state.pop(_STREAM, None)
        if streamed is None:
            self._leave_call(scope)
            return
        self._streams -= 1
        _less(self._streams_of, streamed)

    def _leave_call(self, scope: Scope) -> None:
        self._calls -= 1
        channel_id = scope["state"].pop(_CHANNEL, None)
        if channel_id is not None:
            _less(self._of_channel, channel_id)


def _less(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]


def admission_of(request: Any) -> Admission:
    """The one of this process."""
    found: Admission = request.app.state["admission"]
    return found

"""This file writes moments as RFC 3339 in UTC; the part up to the second is made once a second."""

from datetime import UTC, datetime
from functools import lru_cache


def iso(milliseconds: int | None) -> str | None:
    """A moment in milliseconds since 1970 UTC, as channels read it; None for None."""
    if milliseconds is None:
        return None
    second, rest = divmod(milliseconds, 1000)
    return f"{_up_to_second(second)}.{rest:03}Z"


def iso_exact(microseconds: int) -> str:
    """A moment in microseconds since 1970 UTC, as the log shows it."""
    second, rest = divmod(microseconds, 1_000_000)
    return f"{_up_to_second(second)}.{rest:06}Z"


@lru_cache(maxsize=128)
def _up_to_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")

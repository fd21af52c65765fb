"""A small limit on how often something that anybody may do is done, in this process."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """So many at once, and so many a second after that."""

    per_second: float
    monotonic: Callable[[], float]
    burst_seconds: float = 4.0
    _free: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._free, self._at = self.per_second * self.burst_seconds, self.monotonic()

    def take(self) -> bool:
        """Whether there was room for one more."""
        now = self.monotonic()
        self._free = min(self._free + (now - self._at) * self.per_second, self.per_second * self.burst_seconds)
        self._at = now
        if self._free < 1:
            return False
        self._free -= 1
        return True

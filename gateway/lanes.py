"""The bulkheads: each operation of each connector has its own places in this process.

One that is slow fills its own places and delays no other.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.kit.contract import Connector
from connectors.kit.hours import OpeningHours


def lane_of(connector: str, operation: str) -> str:
    """The lane's name, "connector.operation"."""
    return f"{connector}.{operation}"


@dataclass(slots=True)
class Lane:
    """One operation's places in this process."""

    name: str
    places: int
    in_flight: int = 0
    hours: OpeningHours | None = None  #: When the institution performs the operation; None: always.

    @property
    def free(self) -> int:
        return max(0, self.places - self.in_flight)


class Lanes:
    """All lanes of this process. Used from the event loop only."""

    def __init__(
        self,
        connectors: Iterable[Connector],
        overrides: Mapping[str, int] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`now` gives aware UTC: outside its opening hours a lane takes nobody in, and what is due waits."""
        overrides = overrides or {}
        self._now = now
        self._lanes: dict[str, Lane] = {}
        for connector in connectors:
            for operation in connector.operations.values():
                name = lane_of(connector.name, operation.name)
                self._lanes[name] = Lane(name, overrides.get(name, operation.concurrency), hours=operation.hours)

    def try_enter(self, name: str) -> bool:
        """Take a place, if one is free and the institution is open."""
        lane = self._lanes[name]
        if lane.free == 0 or not self._is_open(lane):
            return False
        lane.in_flight += 1
        return True

    def enter_all(self, name: str) -> int:
        """Take every free place of a lane, none of one that is not known here or is closed now; how many."""
        lane = self._lanes.get(name)
        if lane is None or not self._is_open(lane):
            return 0
        taken = lane.free
        lane.in_flight += taken
        return taken

    def leave(self, name: str, places: int = 1) -> None:
        """Give places back."""
        self._lanes[name].in_flight -= places

    def opens_at(self, name: str) -> datetime | None:
        """When a lane that is closed now opens (UTC); None when it is open, and for one that never opens again."""
        lane = self._lanes[name]
        return None if lane.hours is None or self._is_open(lane) else lane.hours.next_opening(self._now())

    def is_open(self, name: str) -> bool:
        """Whether the institution performs the operation at this moment."""
        return self._is_open(self._lanes[name])

    def _is_open(self, lane: Lane) -> bool:
        return lane.hours is None or lane.hours.open_at(self._now())

    def __contains__(self, name: str) -> bool:
        return name in self._lanes

    def snapshot(self) -> list[Lane]:
        """Every lane, for metrics."""
        return list(self._lanes.values())

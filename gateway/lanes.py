"""The bulkheads: each operation of each connector has its own places in this process.

One that is slow fills its own places and delays no other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.kit.contract import Connector


def lane_of(connector: str, operation: str) -> str:
    """The lane's name, "connector.operation"."""
    return f"{connector}.{operation}"


@dataclass(slots=True)
class Lane:
    """One operation's places in this process."""

    name: str
    places: int
    in_flight: int = 0

    @property
    def free(self) -> int:
        return max(0, self.places - self.in_flight)


class Lanes:
    """All lanes of this process. Used from the event loop only."""

    def __init__(self, connectors: Iterable[Connector], overrides: Mapping[str, int] | None = None) -> None:
        overrides = overrides or {}
        self._lanes: dict[str, Lane] = {}
        for connector in connectors:
            for operation in connector.operations.values():
                name = lane_of(connector.name, operation.name)
                self._lanes[name] = Lane(name, overrides.get(name, operation.concurrency))

    def try_enter(self, name: str) -> bool:
        """Take a place, if one is free."""
        lane = self._lanes[name]
        if lane.free == 0:
            return False
        lane.in_flight += 1
        return True

    def enter_all(self, name: str) -> int:
        """Take every free place of a lane, none of one that is not known here; how many."""
        lane = self._lanes.get(name)
        if lane is None:
            return 0
        taken = lane.free
        lane.in_flight += taken
        return taken

    def leave(self, name: str, places: int = 1) -> None:
        """Give places back."""
        self._lanes[name].in_flight -= places

    def __contains__(self, name: str) -> bool:
        return name in self._lanes

    def snapshot(self) -> list[Lane]:
        """Every lane, for metrics."""
        return list(self._lanes.values())

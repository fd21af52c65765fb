"""The bulkheads: each operation of each connector has its own places in this process, and its own pace and hours.

One that is slow fills its own places and delays no other. What a lane lets in: as many as it has places, fewer while it
recovers; nobody while its institution is closed or its breaker is open; and where it has a rate, only through a claim,
which keeps the rate for all workers together (gateway/store/claims.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.kit.contract import Connector, Outcome
from connectors.kit.errors import Closed, ConnectorError
from gateway.lanes.breaker import Change, Line, Tally, health_of, probed, tripped
from gateway.lanes.calendar import ALWAYS, Calendar, Opening, Window
from gateway.settings import DispatchSettings

#: With how much of its places and its rate a lane begins again.
FIRST_SHARE = 0.1
#: The rate that a claim came too late for may be made up for so long.
_BURST_SECONDS = 0.5
_PACE_SECONDS = 0.05  #: How often a claim looks at a lane with a rate, at most.
_CLOSED = Closed.code
#: Until a lane has seen an exchange, its length is taken to be this.
_GUESSED_SECONDS = 1.0
_WEIGHT = 0.05


def lane_of(connector: str, operation: str) -> str:
    """The lane's name, "connector.operation"."""
    return f"{connector}.{operation}"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a claim in this lane must keep to, beside the free places."""

    interval_us: int | None = None  #: Between two calls, by all workers together.
    burst_us: int = 0  #: How far the rate may lag behind and be made up for.
    probe_ms: int | None = None  #: The breaker is open: one probe, which is over after so long at the latest.


@dataclass(slots=True)
class Lane:
    """One operation's places in this process."""

    name: str
    places: int
    rate: float | None = None  #: Calls a second, by all workers together.
    opening: Opening = ALWAYS
    deadline_seconds: float = 30.0
    tally: Tally = field(default_factory=lambda: Tally(0))
    in_flight: int = 0
    line: Line | None = None  #: None: the breaker is closed, and has been for a while.
    line_at: float = 0.0  #: When that was known, by the monotonic clock.
    window: Window = field(default_factory=lambda: Window(open=True, begins=None, ends=None))
    probing: bool = False
    seconds: float = _GUESSED_SECONDS  #: How long an exchange takes, lately.
    measured: bool = False

    @property
    def free(self) -> int:
        return max(0, self.places - self.in_flight)

    @property
    def is_open_circuit(self) -> bool:
        """Whether the breaker is open."""
        return self.line is not None and self.line.open


class Lanes:
    """All lanes of this process. Used from the event loop only."""

    def __init__(
        self,
        connectors: Iterable[Connector],
        policy: DispatchSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = lambda: 0.0,
        calendar: Calendar | None = None,
    ) -> None:
        """`now` gives aware UTC: outside its opening hours a lane takes nobody in, and what is due waits."""
        self._policy, self._now, self._monotonic = policy, now, monotonic
        self._connectors = list(connectors)
        self._lanes: dict[str, Lane] = {}
        self._changes: list[Change] = []
        for connector in self._connectors:
            for operation in connector.operations.values():
                name = lane_of(connector.name, operation.name)
                self._lanes[name] = Lane(
                    name,
                    policy.lanes.get(name, operation.concurrency),
                    policy.rates.get(name, operation.rate_per_second),
                    deadline_seconds=policy.deadlines.get(name, operation.deadline_seconds),
                    tally=Tally(policy.breaker_failures),
                )
        self.keep_to(calendar or Calendar())

    def keep_to(self, calendar: Calendar) -> None:
        """From now on the institutions are open when this calendar says so."""
        for connector in self._connectors:
            for operation in connector.operations.values():
                lane = self._lanes[lane_of(connector.name, operation.name)]
                lane.opening = calendar.opening(
                    connector.name, operation.name, operation.hours, always=operation.always
                )
                lane.window = lane.opening.window(self._now())

    # --- places -----------------------------------------------------------------------------------------------------

    def try_enter(self, name: str) -> bool:
        """Take a place, if one is free, the institution is open, and no rate must be kept."""
        lane = self._lanes[name]
        if lane.rate is not None or (lane.line is not None and lane.line.open):
            return False
        if not self._is_open(lane) or self._room(lane) == 0:
            return False
        lane.in_flight += 1
        return True

    def enter_beyond(self, name: str) -> None:
        """Take a place whatever the lane's limits say, for what makes no call before it leaves again."""
        self._lanes[name].in_flight += 1

    def enter_all(self, name: str) -> int:
        """Take every place that a claim may fill, none of a lane that is not known here or takes nobody now."""
        lane = self._lanes.get(name)
        if lane is None or not self._is_open(lane):
            return 0
        taken = self._room(lane)
        if lane.is_open_circuit:
            taken = min(taken, 1) if self._probe_in(lane) <= 0 else 0
        lane.in_flight += taken
        return taken

    def leave(self, name: str, places: int = 1) -> None:
        """Give places back."""
        self._lanes[name].in_flight -= places

    def is_full(self, name: str) -> bool:
        """Whether whoever leaves the lane makes room for the next: not when something else keeps it from going on."""
        lane = self._lanes.get(name)
        return lane is not None and not lane.is_open_circuit and self._is_open(lane) and self._room(lane) == 0

    def enter_paced(self, name: str) -> Limit | None:
        """Take a place in a lane with a rate; the limit that the store must be asked by, or None without a place."""
        lane = self._lanes[name]
        if lane.rate is None or lane.is_open_circuit or not self._is_open(lane) or self._room(lane) == 0:
            return None
        lane.in_flight += 1
        return self.limits([name])[name]

    def limits(self, names: Iterable[str]) -> dict[str, Limit]:
        """What a claim in these lanes must keep to; a lane that has no limit is left out."""
        found = {}
        for name in names:
            lane = self._lanes[name]
            if lane.rate is None and not lane.is_open_circuit:
                continue
            interval = round(1_000_000 / (lane.rate * self._share(lane))) if lane.rate else None
            probe = int(1000 * (lane.deadline_seconds + self._policy.lease_seconds)) if lane.is_open_circuit else None
            found[name] = Limit(interval, max(int(_BURST_SECONDS * 1_000_000), interval or 0), probe)
        return found

    def next_look_seconds(self, names: Iterable[str]) -> float:
        """When a claim may find more to do in lanes where something due waits, although no place is left."""
        soonest = float("inf")
        for name in names:
            lane = self._lanes.get(name)
            if lane is None:
                continue
            if lane.is_open_circuit:
                soonest = min(soonest, max(_PACE_SECONDS, self._probe_in(lane)))
            elif lane.rate is not None and self._is_open(lane) and lane.free:
                soonest = min(soonest, max(_PACE_SECONDS, 1 / (lane.rate * self._share(lane))))
            elif lane.window.ends is not None and not self._is_open(lane):
                soonest = min(soonest, max(_PACE_SECONDS, (lane.window.ends - self._now()).total_seconds()))
        return soonest

    # --- the line ---------------------------------------------------------------------------------------------------

    def saw(self, name: str, answer: Outcome | ConnectorError, seconds: float) -> bool:
        """An exchange ended so; whether that changes what all workers must know (`changes`)."""
        lane = self._lanes[name]
        lane.seconds += (seconds - lane.seconds) * _WEIGHT if lane.measured else seconds - lane.seconds
        lane.measured = True
        if lane.is_open_circuit:
            if lane.probing:
                lane.probing = False
                self._changes.append(probed(name, answer))
            return bool(self._changes)
        if lane.tally.saw(health_of(answer)):
            assert isinstance(answer, ConnectorError)
            change = tripped(name, answer)
            self._changes.append(change)
            first_ms = int(self._policy.breaker_first_seconds * 1000)
            self._know(lane, Line(name, open=True, code=answer.code, probe_in_ms=change.pause_ms or first_ms))
        return bool(self._changes)

    def probes(self, name: str) -> None:
        """A claim in this open lane let one through: its answer counts."""
        self._lanes[name].probing = self._lanes[name].is_open_circuit

    def changes(self) -> list[Change]:
        """What the store must be told; whoever takes them and fails gives them back to `retell`."""
        found, self._changes = self._changes, []
        return found

    def retell(self, changes: Iterable[Change]) -> None:
        """They could not be told."""
        self._changes[:0] = changes

    def learn(self, lines: Iterable[Line]) -> None:
        """What all workers know now; a lane that is not among them is closed and runs as ever."""
        known = {line.lane: line for line in lines}
        untold = {change.lane for change in self._changes}
        for name, lane in self._lanes.items():
            if name in known:
                self._know(lane, known[name])
            elif lane.line is not None and name not in untold:
                lane.line = None

    def _know(self, lane: Lane, line: Line) -> None:
        was_open = lane.is_open_circuit
        lane.line, lane.line_at = line, self._monotonic()
        if line.open != was_open:
            lane.tally.forget()
            lane.probing = False

    def _probe_in(self, lane: Lane) -> float:
        """Seconds until a probe may go."""
        assert lane.line is not None
        return lane.line.probe_in_ms / 1000 - (self._monotonic() - lane.line_at)

    # --- opening hours, recovery ------------------------------------------------------------------------------------

    def is_open(self, name: str) -> bool:
        """Whether the institution performs the operation at this moment."""
        return self._is_open(self._lanes[name])

    def is_shut(self, name: str) -> bool:
        """Whether it is closed by its hours, a planned outage, or its own word."""
        lane = self._lanes[name]
        return not self._is_open(lane) or (lane.is_open_circuit and lane.line is not None and lane.line.code == _CLOSED)

    def opens_at(self, name: str) -> datetime | None:
        """When a lane that is closed now opens (UTC); None when it is open, and for one that never opens again."""
        lane = self._lanes[name]
        if not self._is_open(lane):
            return lane.window.ends
        if lane.is_open_circuit and lane.line is not None and lane.line.opens_in_ms is not None:
            passed = self._monotonic() - lane.line_at
            return self._now() + timedelta(seconds=lane.line.opens_in_ms / 1000 - passed)
        return None

    def lane(self, name: str) -> Lane:
        """The lane, for whoever explains it."""
        return self._lanes[name]

    def probe_at(self, name: str) -> datetime:
        """When an open breaker lets the next probe through."""
        return self._now() + timedelta(seconds=max(0.0, self._probe_in(self._lanes[name])))

    def share(self, name: str) -> float:
        """How much of its places and its rate the lane uses now: less than 1 while it recovers."""
        return self._share(self._lanes[name])

    def _is_open(self, lane: Lane) -> bool:
        if lane.opening is ALWAYS:
            return True
        now = self._now()
        if not lane.window.holds(now):
            lane.window = lane.opening.window(now)
        return lane.window.open

    def _room(self, lane: Lane) -> int:
        """Free places; a lane that recovers has fewer."""
        if lane.line is None and lane.opening is ALWAYS:
            return lane.free
        share = self._share(lane)
        return lane.free if share >= 1 else max(0, max(1, int(lane.places * share)) - lane.in_flight)

    def _share(self, lane: Lane) -> float:
        ramp = self._policy.ramp_seconds
        since = self._recovered_seconds(lane)
        return 1.0 if since is None or since >= ramp else FIRST_SHARE + (1 - FIRST_SHARE) * max(0.0, since) / ramp

    def _recovered_seconds(self, lane: Lane) -> float | None:
        """How long ago it could be used again; None: it always could."""
        found = None
        if lane.line is not None and lane.line.recovered_ms is not None:
            found = lane.line.recovered_ms / 1000 + self._monotonic() - lane.line_at
        if lane.opening is not ALWAYS and lane.window.begins is not None:
            opened = (self._now() - lane.window.begins).total_seconds()
            found = opened if found is None else min(found, opened)
        return found

    def names(self) -> frozenset[str]:
        """All that are known here."""
        return frozenset(self._lanes)

    def __contains__(self, name: str) -> bool:
        return name in self._lanes

    def snapshot(self) -> list[Lane]:
        """Every lane, for metrics."""
        return list(self._lanes.values())

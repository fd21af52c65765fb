"""A ministry's lanes over a clock that only the test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from connectors.kit.contract import Effect, Operation
from gateway import settings as settings_module
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.calendar import Calendar
from gateway.settings import DispatchSettings

LANE = "ministry.submit"
POLICY = replace(settings_module.load(environment={}).dispatch, ramp_seconds=100.0)


@dataclass
class Time:
    """Wall clock and monotonic clock, standing still."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 25, 9, tzinfo=UTC))
    monotonic_seconds: float = 1000.0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.monotonic_seconds += seconds


def ministry(**more: Any) -> SimpleNamespace:
    """A connector with one operation."""
    submit = Operation("submit", "submit", Effect.INQUIRABLE, inquire="inquire", **{"concurrency": 10, **more})
    return SimpleNamespace(name="ministry", version="1", operations={"submit": submit})


def lanes_of(
    time: Time, policy: DispatchSettings = POLICY, calendar: Calendar | None = None, **operation: Any
) -> Lanes:
    """The ministry's lanes."""
    return Lanes([ministry(**operation)], policy, lambda: time.now, lambda: time.monotonic_seconds, calendar)

"""What a measurement is: a named figure with a goal, and a function that gives it once per run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

DATABASES = ("sqlite", "postgresql")
NO_DATABASE = "none"  #: The figure of a measurement that touches no database.
RUNS = 5


@dataclass(frozen=True, slots=True)
class Goal:
    """What the figure should be: at least or at most `limit`."""

    limit: float
    at_least: bool

    def met(self, value: float) -> bool:
        """Whether the figure reaches the goal."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        """As in the results file: ">= 5"."""
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run measures: a database that no other run has, and an empty folder."""

    database: str  #: "sqlite", "postgresql" or "none"
    url: str  #: An empty database; its tables come with `open_store`. Empty for "none".
    folder: Path  #: Empty and of this run alone.
    run: int  #: From 0; interleave by letting odd runs begin with the other side.


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure. A bench module lists its own in `MEASUREMENTS`.

    `run` gives one value per measurement name: several measurements that come from the same runs share the function,
    which is then called once for all of them.
    """

    name: str  #: Stays the same for ever.
    unit: str
    goal: Goal | None  #: None: the figure is reported only.
    run: Callable[[Place], Awaitable[dict[str, float]]]
    databases: Sequence[str] = DATABASES  #: Or `(NO_DATABASE,)`.
    runs: int = RUNS
    long: bool = False  #: Only by `make bench-long`.


def row(measurement: Measurement, database: str, values: Sequence[float]) -> dict[str, Any]:
    """The line of the results file: the median, and all runs."""
    value = round(median(values), 3)
    return {
        "name": measurement.name,
        "database": database,
        "value": value,
        "unit": measurement.unit,
        "goal": str(measurement.goal) if measurement.goal else None,
        "met": measurement.goal.met(value) if measurement.goal else None,
        "runs": [round(each, 3) for each in values],
    }

"""The settings of what goes by time: the timetable, and how long a request may stand in a state."""

from typing import Literal

import msgspec


class StrandedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many hours a request may stand in a state until that is an alarm."""

    hours: dict[str, float]
    services: dict[str, dict[str, float]]


class ScheduleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an installation sets otherwise for one schedule of the timetable."""

    every_seconds: float | None = None
    at: str | None = None
    catch_up: Literal["skip", "once", "each"] | None = None


class ScheduleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the timetable's history is kept, and what an installation sets otherwise."""

    keep_days: float
    zone: str
    changes: dict[str, ScheduleChange]

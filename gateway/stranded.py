"""The alarm for stranded requests: what stands in a state for longer than that state may last, and what to do about it.

Closed time does not count where the gateway waits to reach an institution (accepted, in progress, in doubt, being
delivered): opening hours, holidays and planned outages are taken off, so that a night raises no alarm. With the
institution, planned outages alone are taken off, since what a service promises (`turnaround_hours`) counts nights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.catalogue import Catalogue
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.calendar import ALWAYS, Opening
from gateway.moments import iso
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.stranded import Group, count_before, groups, oldest_of
from gateway.time_settings import StrandedSettings

_BELIEVED_SECONDS = 15.0
_HOUR_MS = 3_600_000
_BY_OPENING = frozenset({"accepted", "in_progress", "in_doubt", "delivering"})

#: State -> what to do, Arabic and English.
ADVICE: Mapping[str, tuple[str, str]] = {
    "accepted": (
        "لم يأخذه عامل: هل يعمل `jisr serve` أو `jisr worker`؟ وهل مسار الجهة مفتوح؟",
        "no worker took it: does `jisr serve` or `jisr worker` run, and is the institution's lane open?",
    ),
    "awaiting_citizen": (
        "انتهت مهلة المواطن ولم يُنهَ الطلب: هل يقود أحد الجدول؟ `jisr schedule list`",
        "the citizen's time is over and nothing ended it: does anybody lead the timetable? `jisr schedule list`",
    ),
    "in_progress": (
        "لا يصل إلى الجهة: تفقّد توفرها، أو سجّل توقفاً في ملف التقويم",
        "it does not get through: look at the institution, or enter a planned outage in the calendar's file",
    ),
    "with_institution": (
        "تجاوزت الجهة مدتها: اتصل بها برقمه لديها",
        "the institution is late: call it about this case",
    ),
    "in_doubt": (
        "لم تُعرف الحقيقة: استعلم، أو قرّرا شخصان: `jisr doubt show`",
        "the truth is not known: ask, or let two people decide: `jisr doubt show`",
    ),
    "parked": ("ينتظر موظفاً: `jisr deadletter show`", "it waits for people: `jisr deadletter show`"),
    "delivering": ("لم يصل إلى المواطن: تتبّعه لدى البريد", "it did not reach the citizen: trace it with the post"),
}


@dataclass(frozen=True, slots=True)
class Stranding:
    """Stranded requests of one state and institution; since when the oldest stands, in milliseconds since 1970."""

    state: str
    institution: str
    count: int
    oldest: int


class Stranded:
    """What is stranded now, believed for a few seconds."""

    def __init__(
        self, store: Store, catalogue: Catalogue, lanes: Lanes, clock: Clock, settings: StrandedSettings
    ) -> None:
        self._store, self._catalogue, self._lanes, self._clock, self._settings = (
            store,
            catalogue,
            lanes,
            clock,
            settings,
        )
        self._known: list[Stranding] = []
        self._read_at = float("-inf")

    async def now(self) -> list[Stranding]:
        """By state and institution."""
        if self._clock.monotonic() - self._read_at >= _BELIEVED_SECONDS:
            self._read_at = self._clock.monotonic()
            self._known = await self._store.read(self._look)
        return self._known

    async def oldest(self, limit: int) -> list[dict[str, Any]]:
        """The oldest, each with what to do."""
        found: list[dict[str, Any]] = await self._store.read(self._list, limit)
        return found

    def limit_hours(self, state: str, service: str) -> float:
        """How long a request of that service may stand in that state."""
        own = self._settings.services.get(service, {}).get(state)
        if own is not None:
            return own
        if state == "with_institution" and (known := self._catalogue.get(service)) is not None:
            return known.turnaround_hours + self._settings.hours[state]
        return self._settings.hours[state]

    def _cuts(self, conn: Any) -> list[tuple[Group, int]]:
        """The groups in which something may be stranded, and before which moment it must have come there."""
        states = self._settings.hours
        least = {
            state: min([hours, *(each[state] for each in self._settings.services.values() if state in each)])
            for state, hours in states.items()
        }
        now, found = groups(conn, {state: int(hours * _HOUR_MS) for state, hours in least.items()})
        cut = [(group, self._cut(group, now)) for group in found]
        return [(group, moment) for group, moment in cut if group.oldest < moment]

    def _cut(self, group: Group, now: int) -> int:
        """The moment since which the group's institution was open for as long as the state may last."""
        opening = self._lanes.lane(group.lane).opening if group.lane in self._lanes else ALWAYS
        if group.state == "with_institution":
            opening = Opening(None, opening.outages)
        elif group.state not in _BY_OPENING:
            opening = ALWAYS
        seconds = self.limit_hours(group.state, group.service) * 3600
        return open_since(opening, datetime.fromtimestamp(now / 1000, UTC), seconds, group.oldest)

    def _look(self, conn: Any) -> list[Stranding]:
        found: dict[tuple[str, str], Stranding] = {}
        for group, moment in self._cuts(conn):
            key = group.state, self._institution(group)
            before = found.get(key)
            count = count_before(conn, group, moment) + (before.count if before else 0)
            oldest = min(group.oldest, before.oldest) if before else group.oldest
            found[key] = Stranding(*key, count, oldest)
        return [found[key] for key in sorted(found)]

    def _list(self, conn: Any, limit: int) -> list[dict[str, Any]]:
        stuck = [(group, one) for group, moment in self._cuts(conn) for one in oldest_of(conn, group, moment, limit)]
        now = self._clock.now_ms()
        stuck.sort(key=lambda pair: pair[1].since)
        return [
            {
                "id": one.id,
                "service": one.service,
                "institution": self._institution(group),
                "state": one.state,
                "since": iso(one.since),
                "age_seconds": max(0, now - one.since) // 1000,
                "limit_hours": self.limit_hours(one.state, one.service),
                "reason": one.reason,
                "advice": dict(zip(("ar", "en"), ADVICE[one.state], strict=True)),
            }
            for group, one in stuck[:limit]
        ]

    def _institution(self, group: Group) -> str:
        """Whom they wait for: the connector of their lane, else of the service."""
        if group.lane:
            return group.lane.partition(".")[0]
        return group.service.partition(".")[0]


def open_since(opening: Opening, now: datetime, seconds: float, oldest: int) -> int:
    """The moment, in milliseconds since 1970, from which on it was open for so long; not before `oldest`."""
    naive = now - timedelta(seconds=seconds)
    if opening is ALWAYS:
        return int(naive.timestamp() * 1000)
    low, high = datetime.fromtimestamp(oldest / 1000, UTC), naive
    if low >= high or opening.open_seconds(low, now) < seconds:
        return oldest  # even the oldest was not waited for long enough
    return int(_bisected(lambda moment: opening.open_seconds(moment, now) >= seconds, low, high).timestamp() * 1000)


def _bisected(holds: Callable[[datetime], bool], low: datetime, high: datetime) -> datetime:
    """The last moment, to the second, at which it holds; it holds at `low`."""
    while (high - low).total_seconds() > 1:
        middle = low + (high - low) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return high

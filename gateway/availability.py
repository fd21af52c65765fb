"""Says in one sentence whether an institution can be reached now: for the clerk, before the citizen waits or pays."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.kit.contract import Connector
from gateway.catalogue import Service
from gateway.lanes.bulkhead import Lanes, lane_of
from gateway.lanes.outlook import Expected, Outlooks
from gateway.security.principals import Principal
from gateway.store.clock import Clock
from gateway.testing import name_apart

_BELIEVED_SECONDS = 10.0
_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "open": {
        "ar": "الخدمة متاحة الآن.",
        "en": "The service is available now.",
    },
    "busy": {
        "ar": "الجهة مشغولة: يُقبل الطلب ويُرسل حالما يحين دوره.",
        "en": "The institution is busy: a request is accepted and sent as soon as it is its turn.",
    },
    "closed": {
        "ar": "الجهة مغلقة الآن: يُقبل الطلب ويُرسل تلقائياً عندما تفتح.",
        "en": "The institution is closed now: a request is accepted and sent by itself when it opens.",
    },
    "unreachable": {
        "ar": "لا يمكن الاتصال بالجهة الآن: يُقبل الطلب ويُرسل تلقائياً بعد عودة الاتصال.",
        "en": "The institution cannot be reached now: a request is accepted and sent by itself once the line is back.",
    },
}


class Availability:
    """What is known of the institutions' lines; each is asked at most every ten seconds."""

    def __init__(self, connectors: Mapping[str, Connector], lanes: Lanes, outlooks: Outlooks, clock: Clock) -> None:
        self._connectors, self._lanes, self._outlooks, self._clock = connectors, lanes, outlooks, clock
        self._known: dict[str, tuple[float, bool]] = {}

    async def of(self, service: Service, principal: Principal) -> dict[str, Any]:
        """`{"state": open | busy | closed | unreachable, "text": {ar, en}, "institutions": {connector: state}}`.

        Where the service's operations are closed, `opens_at` is the moment from which all of them work, and `outage`
        the words of a planned one. `expected_at` is when the slowest of them would take what the principal sends now,
        behind the `waiting` that stand there.
        """
        test = principal.test
        names = dict.fromkeys(step.connector for step in service.steps if step.connector)
        if service.fee:
            names |= dict.fromkeys(service.fee.methods)
        called = {name: name_apart(str(name)) if test else str(name) for name in names}
        states = {name: await self._state(own) for name, own in called.items()}
        closed = {} if test else self._closed(service)
        states |= dict.fromkeys(closed, "closed")
        slowest = await self._slowest(service, principal)
        if slowest is not None and slowest.waiting:
            states = {name: "busy" if state == "open" else state for name, state in states.items()}
        worst = next((state for state in ("unreachable", "closed", "busy") if state in states.values()), "open")
        told: dict[str, Any] = {
            "service": service.id,
            "state": worst,
            "text": dict(_SENTENCES[worst]),
            "institutions": states,
        }
        if openings := [opening for opening in closed.values() if opening is not None]:
            told["opens_at"] = _second(max(openings))
        if reason := self._outage(service):
            told["outage"] = dict(reason)
        told["waiting"] = slowest.waiting if slowest else 0
        told["expected_at"] = _second(slowest.at) if slowest and slowest.at else None
        return told

    async def _slowest(self, service: Service, principal: Principal) -> Expected | None:
        """What is expected where it takes longest; an operation that opens at no known time takes longest of all."""
        found = [await self._outlooks.of_new(lane, principal.priority) for lane in self._steps(service, principal)]
        return max(found, key=lambda each: each.at.timestamp() if each.at else float("inf"), default=None)

    def _steps(self, service: Service, principal: Principal) -> list[str]:
        names = [
            lane_of(name_apart(step.connector) if principal.test else step.connector, str(step.operation))
            for step in service.steps
            if step.connector
        ]
        return [name for name in dict.fromkeys(names) if name in self._lanes]

    def _outage(self, service: Service) -> Mapping[str, str]:
        """The words for a planned outage of one of the steps now."""
        now = self._clock.utcnow()
        for step in service.steps:
            lane = lane_of(str(step.connector), str(step.operation))
            outage = self._lanes.lane(lane).opening.outage_at(now) if step.connector and lane in self._lanes else None
            if outage is not None and outage.reason:
                return outage.reason
        return {}

    def _closed(self, service: Service) -> dict[str, datetime | None]:
        """The institutions of which a step's operation is closed now, and when they open."""
        found: dict[str, datetime | None] = {}
        for step in service.steps:
            lane = lane_of(str(step.connector), str(step.operation))
            if step.connector and lane in self._lanes and self._lanes.is_shut(lane):
                found[step.connector] = self._lanes.opens_at(lane)
        return found

    async def _state(self, name: str) -> str:
        if not await self._reachable(name):
            return "unreachable"
        mine = [lane for lane in self._lanes.snapshot() if lane.name.startswith(f"{name}.")]
        if any(lane.is_open_circuit for lane in mine):
            return "unreachable"
        full = (lane for lane in mine if lane.free == 0)
        return "busy" if any(full) else "open"

    async def _reachable(self, name: str) -> bool:
        now = self._clock.monotonic()
        known = self._known.get(name)
        if name not in self._connectors:
            return False
        if known is None or now - known[0] > _BELIEVED_SECONDS:
            known = (now, await self._connectors[name].reachable())
            self._known[name] = known
        return known[1]


def _second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

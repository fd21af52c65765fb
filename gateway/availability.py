"""Says in one sentence whether an institution can be reached now: for the clerk, before the citizen waits or pays."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.kit.contract import Connector
from gateway.catalogue import Service
from gateway.lanes import Lanes, lane_of
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

    def __init__(self, connectors: Mapping[str, Connector], lanes: Lanes, clock: Clock) -> None:
        self._connectors, self._lanes, self._clock = connectors, lanes, clock
        self._known: dict[str, tuple[float, bool]] = {}

    async def of(self, service: Service, *, test: bool = False) -> dict[str, Any]:
        """`{"state": open | busy | closed | unreachable, "text": {ar, en}, "institutions": {connector: state}}`.

        Where the service's operations are closed, `opens_at` is the moment from which all of them work.
        """
        names = dict.fromkeys(step.connector for step in service.steps if step.connector)
        if service.fee:
            names |= dict.fromkeys(service.fee.methods)
        called = {name: name_apart(str(name)) if test else str(name) for name in names}
        states = {name: await self._state(own) for name, own in called.items()}
        closed = {} if test else self._closed(service)
        states |= dict.fromkeys(closed, "closed")
        worst = next((state for state in ("unreachable", "closed", "busy") if state in states.values()), "open")
        told = {"service": service.id, "state": worst, "text": dict(_SENTENCES[worst]), "institutions": states}
        if openings := [opening for opening in closed.values() if opening is not None]:
            told["opens_at"] = max(openings).strftime("%Y-%m-%dT%H:%M:%SZ")
        return told

    def _closed(self, service: Service) -> dict[str, datetime | None]:
        """The institutions of which a step's operation is closed now, and when they open."""
        found: dict[str, datetime | None] = {}
        for step in service.steps:
            lane = lane_of(str(step.connector), str(step.operation))
            if step.connector and lane in self._lanes and not self._lanes.is_open(lane):
                found[step.connector] = self._lanes.opens_at(lane)
        return found

    async def _state(self, name: str) -> str:
        if not await self._reachable(name):
            return "unreachable"
        full = (lane for lane in self._lanes.snapshot() if lane.name.startswith(f"{name}.") and lane.free == 0)
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

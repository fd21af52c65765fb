"""One institution is silent with 2,000 requests waiting: what that does to the p99 of another institution's requests.

Both times are measured in one run: first alone, then beside the silent one, at the same pace.
"""

import asyncio
import json
from statistics import quantiles

from bench.gateway_cpu import gateway_side
from bench.load import Closed, Load, Open, Side, load
from bench.measure import Goal, Measurement, Place
from bench.scene import BODY, OPERATION, Scene, scene
from tests.gateways import VEHICLE
from tests.sandboxes import start_sandbox, stop_sandbox

WAITING = 2000
REQUESTS = 800
PER_SECOND = 80.0
WARM_UP = 100
IN_FLIGHT = 16
#: A change of so many milliseconds is none, whatever share of the p99 it is.
ALLOWED_MS, ALLOWED_SHARE = 5.0, 0.1


def _waited_for(stage: Scene) -> Side:
    """The other institution's requests, each waited for."""
    told = gateway_side(stage)
    return Side(told.url, told.headers, [json.dumps(VEHICLE, ensure_ascii=False)], status=201, keyed=True)


def _left(stage: Scene) -> Side:
    """Requests for the silent institution, which nobody waits for."""
    told = gateway_side(stage)
    headers = {name: value for name, value in told.headers.items() if name != "Prefer"}
    return Side(told.url, headers, [json.dumps(BODY, ensure_ascii=False)], status=202, keyed=True)


def _p99(generator: Load, side: Side) -> float:
    (times,) = generator.run(Open([side], REQUESTS, 1, PER_SECOND))
    return quantiles(times, n=100)[98]


def _measure(place: Place) -> dict[str, float]:
    other = start_sandbox("transport")
    try:
        with scene(place, lane=IN_FLIGHT, others={"transport": other.settings}) as stage, load() as generator:
            side = _waited_for(stage)
            generator.run(Closed(side, WARM_UP, IN_FLIGHT))
            alone = _p99(generator, side)
            stage.sandbox.switch("silence", operation=OPERATION)
            generator.run(Closed(_left(stage), WAITING, IN_FLIGHT))
            beside = _p99(generator, side)
    finally:
        stop_sandbox(other)
    return {
        "bulkhead_p99_change": (beside - alone) / max(ALLOWED_MS, ALLOWED_SHARE * alone),
        "bulkhead_p99_ms_alone": alone,
        "bulkhead_p99_ms_beside": beside,
    }


async def run(place: Place) -> dict[str, float]:
    """The change, as a share of what is allowed, and both quantiles."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("bulkhead_p99_change", "of 10 % or 5 ms", Goal(1, at_least=False), run),
    Measurement("bulkhead_p99_ms_alone", "ms", None, run),
    Measurement("bulkhead_p99_ms_beside", "ms", None, run),
]

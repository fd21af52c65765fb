"""Memory of the one-process gateway: idle, and per request while 5,000 wait for an institution that does not answer."""

import asyncio
import time

from bench.gateway_cpu import gateway_side
from bench.load import Closed, Side, load
from bench.measure import Measurement, Place
from bench.scene import OPERATION, Scene, rss_kib, scene

IN_FLIGHT = 5000
WARM_UP = 300
SENDERS = 32
PATIENCE_SECONDS = 120
DEADLINE_SECONDS = 600


def _accepted_side(stage: Scene) -> Side:
    """One request that is not waited for: 202 says that it is under way."""
    waited = gateway_side(stage)
    headers = {name: value for name, value in waited.headers.items() if name != "Prefer"}
    return Side(waited.url, headers, waited.bodies, status=202, keyed=True)


def _until_in_flight(stage: Scene, wanted: int) -> None:
    """Wait until the sandbox itself holds so many: none of them waits in a lane or for a connection."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (held := stage.sandbox.control("GET", "health")["in_flight"]) != wanted:
        assert time.monotonic() < deadline, f"the sandbox holds {held} requests, not {wanted}"
        time.sleep(0.2)


def _measure(place: Place) -> dict[str, float]:
    with scene(place, lane=IN_FLIGHT, deadline_seconds=DEADLINE_SECONDS) as stage, load() as generator:
        idle = rss_kib(stage.gateway_pid)
        generator.run(Closed(gateway_side(stage), WARM_UP, SENDERS))  # what is loaded and cached once is no growth
        warm = rss_kib(stage.gateway_pid)
        stage.sandbox.switch("silence", operation=OPERATION)
        generator.run(Closed(_accepted_side(stage), IN_FLIGHT, SENDERS))
        _until_in_flight(stage, IN_FLIGHT)
        full = rss_kib(stage.gateway_pid)
    return {"idle_rss_mib": idle / 1024, "rss_kib_per_inflight": (full - warm) / IN_FLIGHT}


async def run(place: Place) -> dict[str, float]:
    """Both figures of one gateway."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("idle_rss_mib", "MiB", None, run),
    Measurement("rss_kib_per_inflight", "KiB", None, run),
]

"""What the gateway adds to an institution that takes 100 ms: the waited-for request against the direct call.

Open loop at 50 requests a second, so about five are under way. Both sides run in short blocks in turn, so that whatever
else the machine does meets both alike. The direct call is one HTTP request of bytes that were made beforehand.
"""

import asyncio
from datetime import UTC, datetime
from statistics import median, quantiles

from bench.gateway_cpu import gateway_side
from bench.load import Closed, Open, Side, load
from bench.measure import Goal, Measurement, Place
from bench.scene import BODY, OPERATION, Scene, scene
from connectors.kit.contract import Ports
from connectors.kit.package import load_package
from connectors.kit.tokens import LocalTokens
from connectors.kit.wire import SoapWire

LATENCY_MS = 100
PER_SECOND = 50
BLOCK = 100  #: Two seconds.
BLOCKS = 5
WARM_UP = 100
LANE = 32


def _direct_side(stage: Scene, count: int) -> Side:
    """The very messages that the gateway would send, `count` of them, each with a nonce of its own."""
    package = load_package(stage.package)
    settings = package.manifest.checked_settings(stage.sandbox.settings)
    wire = SoapWire(package, Ports(settings, LocalTokens(), lambda: datetime.now(UTC)))
    document = {"request": {"service": BODY["service"]}, "applicant": BODY["applicant"], "input": BODY["input"]}
    parts = package.mappings[OPERATION].request(document)
    assert parts is not None
    message = wire.render(OPERATION, parts)
    made = [wire.request(message, message) for _ in range(count)]
    bodies = [each.body.decode() for each in made]
    return Side(f"{settings['base_url']}{made[0].path}", dict(made[0].headers), bodies, status=200)


def _p99(milliseconds: list[float]) -> float:
    return quantiles(milliseconds, n=100)[98]


def _measure(place: Place) -> dict[str, float]:
    with scene(place, lane=LANE) as stage, load() as generator:
        through = gateway_side(stage)
        for side in (through, _direct_side(stage, WARM_UP)):
            generator.run(Closed(side, WARM_UP, LANE))
        stage.sandbox.switch("latency", LATENCY_MS)
        sides = [through, _direct_side(stage, BLOCK * BLOCKS)][:: -1 if place.run % 2 else 1]
        times = generator.run(Open(sides, BLOCK, BLOCKS, PER_SECOND))
    ours, theirs = times[:: -1 if place.run % 2 else 1]
    assert min(theirs) > 0.9 * LATENCY_MS, "the sandbox was not slow"
    return {
        "added_latency_ms_at_100ms": median(ours) - median(theirs),
        "added_latency_p99_ms_at_100ms": _p99(ours) - _p99(theirs),
    }


async def run(place: Place) -> dict[str, float]:
    """Both quantiles, each against the same quantile of the direct calls."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("added_latency_ms_at_100ms", "ms", Goal(5, at_least=False), run),
    Measurement("added_latency_p99_ms_at_100ms", "ms", Goal(25, at_least=False), run),
]

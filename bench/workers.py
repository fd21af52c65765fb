"""One, two and four workers on one PostgreSQL, each with ten calls in flight, against a backend that takes 100 ms.

The backlog is there before any of them starts, so that nothing but the workers sets the pace.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.gateway_cpu import gateway_side
from bench.load import Closed, Side, load
from bench.measure import Goal, Measurement, Place
from bench.scene import BODY, LANE, OPERATION, Scene, scene
from tests.gateways import ROOT

IN_FLIGHT = 10
BACKEND_MS = 100
WORKERS = (1, 2, 4)
#: Measured between two moments at which all workers are at it.
SECONDS = 4.0
_WARM_CALLS = 3 * IN_FLIGHT  #: Of each worker, before the first moment.
#: So many more than could be done in that time, for four workers and their start.
BACKLOG = 3200
_LOOK_SECONDS = 0.02


@contextmanager
def _workers(stage: Scene, number: int) -> Iterator[None]:
    """So many processes of `jisr worker`; killed at the end, what they hold is the next ones'."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}
    environment |= {"JISR_CONFIG": str(stage.gateway.config), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jisr", "worker"]
    with (stage.gateway.folder / "workers.log").open("ab") as log:
        running = [
            subprocess.Popen(command, cwd=stage.gateway.folder, env=environment, stdout=log, stderr=log)
            for _ in range(number)
        ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=30)


def _rate(stage: Scene, number: int) -> float:
    """Calls a second of so many workers."""
    begun, before = time.monotonic(), stage.sandbox.calls(OPERATION)
    with _workers(stage, number):
        while (
            stage.sandbox.calls(OPERATION) < before + number * _WARM_CALLS or _in_flight(stage) < number * IN_FLIGHT / 2
        ):
            if time.monotonic() - begun > 60:
                raise RuntimeError(f"{number} workers do not come to work")
            time.sleep(_LOOK_SECONDS)
        first, at = stage.sandbox.calls(OPERATION), time.monotonic()
        time.sleep(SECONDS)
        return (stage.sandbox.calls(OPERATION) - first) / (time.monotonic() - at)


def _in_flight(stage: Scene) -> int:
    return int(stage.sandbox.control("GET", "health")["in_flight"])


def _left(stage: Scene) -> Side:
    told = gateway_side(stage)
    headers = {name: value for name, value in told.headers.items() if name != "Prefer"}
    return Side(told.url, headers, [json.dumps(BODY, ensure_ascii=False)], status=202, keyed=True)


def _measure(place: Place) -> dict[str, float]:
    with scene(place, lane=0) as stage, load() as generator:  # without a place the server itself makes no call
        generator.run(Closed(_left(stage), BACKLOG, IN_FLIGHT))
        stage.gateway.kill()
        text = stage.gateway.config.read_text()
        none, some = f'"{LANE}" = 0', f'"{LANE}" = {IN_FLIGHT}'
        assert none in text, "the settings write lanes otherwise by now"
        stage.gateway.config.write_text(text.replace(none, some))
        stage.sandbox.switch("latency", BACKEND_MS, operation=OPERATION)
        rates = {number: _rate(stage, number) for number in WORKERS}
    return {
        "workers_scaling": rates[2] / rates[1],
        "workers_scaling_four": rates[4] / rates[1],
        **{f"workers_scaling_per_second_{number}": rate for number, rate in rates.items()},
    }


async def run(place: Place) -> dict[str, float]:
    """Throughput of two and of four workers as times that of one."""
    return await asyncio.to_thread(_measure, place)


_ONLY = ("postgresql",)
MEASUREMENTS = [
    Measurement("workers_scaling", "times one worker", Goal(1.8, at_least=True), run, _ONLY),
    Measurement("workers_scaling_four", "times one worker", None, run, _ONLY),
    *(Measurement(f"workers_scaling_per_second_{number}", "requests/s", None, run, _ONLY) for number in WORKERS),
]

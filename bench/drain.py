"""A backlog after an outage: how near to its rate it is drained, what memory that takes, and whether the order holds.

The institution's server is off while the requests come in; then it comes back, and the breaker finds that by itself.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import asyncpg

from bench.gateway_cpu import gateway_side
from bench.load import Closed, Side, load
from bench.measure import Goal, Measurement, Place
from bench.scene import BODY, LANE, OPERATION, Scene, rss_kib, scene
from tests.sandboxes import start_sandbox, stop_sandbox

BACKLOG = 50_000
APPLICANTS = 5_000
PER_SECOND = 250.0
IN_FLIGHT = 32
RAMP_SECONDS = 10.0
_LOOK_SECONDS = 0.5
#: An applicant's later request that was sent before an earlier one.
_OUT_OF_ORDER = """
    SELECT count(*) FROM (
        SELECT a.sending_at AS sent, lag(a.sending_at) OVER (PARTITION BY r.applicant_index ORDER BY r.id) AS earlier
        FROM requests r JOIN attempts a ON a.request_id = r.id AND a.state = 'succeeded'
    ) AS each WHERE sent < earlier
"""


def _bodies() -> Iterator[str]:
    """One request of each applicant; invented national numbers begin with 99."""
    for number in range(APPLICANTS):
        applicant = {**BODY["applicant"], "national_number": f"99{number:09}"}
        yield json.dumps({**BODY, "applicant": applicant}, ensure_ascii=False)


def _left(stage: Scene) -> Side:
    told = gateway_side(stage)
    headers = {name: value for name, value in told.headers.items() if name != "Prefer"}
    return Side(told.url, headers, list(_bodies()), status=202, keyed=True)


def _drain(stage: Scene, backlog: int) -> tuple[float, float]:
    """Calls a second from the end of the ramp to nearly the end, and the highest memory in MiB."""
    first: tuple[float, int] | None = None
    last, most, seen, moved_at = (0.0, 0), 0, -1, time.monotonic()
    while seen < backlog:
        time.sleep(_LOOK_SECONDS)
        now, calls = time.monotonic(), stage.sandbox.calls(OPERATION)
        most = max(most, rss_kib(stage.gateway_pid))
        if calls != seen:
            seen, moved_at = calls, now
        elif now - moved_at > 120:
            raise RuntimeError(f"the drain stands at {calls} of {backlog}")
        if first is None and calls >= backlog * 0.1:
            first = (now, calls)
        if calls <= backlog * 0.95:
            last = (now, calls)
    assert first is not None
    return (last[1] - first[1]) / (last[0] - first[0]), most / 1024


def _measure(place: Place, backlog: int) -> dict[str, float]:
    dispatch = {"rates": {LANE: PER_SECOND}, "ramp_seconds": RAMP_SECONDS}
    with scene(place, lane=IN_FLIGHT, dispatch=dispatch) as stage, load() as generator:
        port = stage.sandbox.port
        stop_sandbox(stage.sandbox)
        generator.run(Closed(_left(stage), backlog, IN_FLIGHT))
        before = rss_kib(stage.gateway_pid) / 1024
        back = start_sandbox("education", port=port)
        try:
            rate, most = _drain(Scene(back, stage.gateway, stage.package), backlog)
        finally:
            stop_sandbox(back)
        unordered = asyncio.run(_out_of_order(place))
    return {
        "drain_50k": 100 * abs(rate / PER_SECOND - 1),
        "drain_50k_per_second": rate,
        "drain_50k_memory_mib": most,
        "drain_50k_memory_growth_mib": most - before,
        "drain_50k_out_of_order": unordered,
    }


async def _out_of_order(place: Place) -> float:
    if place.database == "sqlite":
        with closing(sqlite3.connect(place.folder / "jisr.db")) as database:
            return float(database.execute(_OUT_OF_ORDER).fetchone()[0])
    connection: Any = await asyncpg.connect(place.url)
    try:
        return float(await connection.fetchval(_OUT_OF_ORDER))
    finally:
        await connection.close()


async def run(place: Place) -> dict[str, float]:
    """One drain."""
    return await asyncio.to_thread(_measure, place, BACKLOG)


MEASUREMENTS = [
    Measurement("drain_50k", "% off the rate", Goal(5, at_least=False), run, runs=1, long=True),
    Measurement("drain_50k_per_second", "requests/s", None, run, runs=1, long=True),
    Measurement("drain_50k_memory_mib", "MiB", None, run, runs=1, long=True),
    Measurement("drain_50k_memory_growth_mib", "MiB", None, run, runs=1, long=True),
    Measurement("drain_50k_out_of_order", "requests", Goal(0, at_least=False), run, runs=1, long=True),
]

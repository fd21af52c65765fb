"""The load generator, a process of its own: `python -m bench.load` takes plans as JSON lines.

Closed loop: so many under way, the next when one ends. Open loop: one at each tick, whether or not the last one ended.
"""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import uvloop

ROOT = Path(__file__).resolve().parents[1]
_TIMEOUT = aiohttp.ClientTimeout(total=60)


class Side(msgspec.Struct, frozen=True):
    """Where one side's calls go. Bodies are taken in turn; `status` is the one that counts as good."""

    url: str
    headers: dict[str, str]
    bodies: list[str]
    status: int
    keyed: bool = False  #: Every call gets an Idempotency-Key of its own.


class Closed(msgspec.Struct, frozen=True, tag=True):
    """`count` calls with `in_flight` of them under way."""

    side: Side
    count: int
    in_flight: int


class Open(msgspec.Struct, frozen=True, tag=True):
    """Blocks of `block` calls, one side after the other in turn, `blocks` times, at `per_second`."""

    sides: list[Side]
    block: int
    blocks: int
    per_second: float


class Times(msgspec.Struct, frozen=True):
    """The calls' durations in milliseconds, per side."""

    milliseconds: list[list[float]]


class Generator:
    """Makes the calls. Raises RuntimeError for an answer that is not the expected one: a fast refusal is no figure."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._numbers = itertools.count()
        self._stem = os.urandom(8).hex()

    async def run(self, plan: Closed | Open) -> Times:
        """Carry out one plan."""
        return await (self._closed(plan) if isinstance(plan, Closed) else self._open(plan))

    async def _closed(self, plan: Closed) -> Times:
        call, left = self._caller(plan.side), iter(range(plan.count))
        times: list[float] = []

        async def client() -> None:
            for _ in left:
                times.append(await call())  # noqa: PERF401  # many clients share the list

        await asyncio.gather(*(client() for _ in range(plan.in_flight)))
        return Times([times])

    async def _open(self, plan: Open) -> Times:
        calls = [self._caller(side) for side in plan.sides]
        times: list[list[float]] = [[] for _ in calls]
        for _ in range(plan.blocks):
            for call, mine in zip(calls, times, strict=True):
                mine.extend(await self._paced(call, plan.block, 1 / plan.per_second))
        return Times(times)

    @staticmethod
    async def _paced(call: Callable[[], Awaitable[float]], count: int, pause: float) -> list[float]:
        """Begin one call at each tick of a clock that does not drift."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        tasks = []
        for number in range(count):
            await asyncio.sleep(begin + number * pause - loop.time())
            tasks.append(asyncio.ensure_future(call()))
        return await asyncio.gather(*tasks)

    def _caller(self, side: Side) -> Callable[[], Awaitable[float]]:
        bodies = itertools.cycle([body.encode() for body in side.bodies])

        async def call() -> float:
            headers = side.headers
            if side.keyed:
                headers = {**headers, "Idempotency-Key": f"{self._stem}-{next(self._numbers)}"}
            started = time.perf_counter()
            async with self._session.post(side.url, data=next(bodies), headers=headers) as answer:
                content = await answer.read()
            if answer.status != side.status:
                raise RuntimeError(f"HTTP {answer.status}: {content[:500]!r}")
            return (time.perf_counter() - started) * 1000

        return call


async def _serve() -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=False) as session:
        generator = Generator(session)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
            plan: Any = msgspec.json.decode(line, type=Closed | Open)
            sys.stdout.buffer.write(msgspec.json.encode(await generator.run(plan)) + b"\n")
            sys.stdout.buffer.flush()


class Load:
    """The generator's process, from outside."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def run(self, plan: Closed | Open) -> list[list[float]]:
        """The durations. Raises RuntimeError when the process gave up."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(plan) + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the load generator gave up; its words stand above")
        return msgspec.json.decode(answer, type=Times).milliseconds


@contextmanager
def load() -> Iterator[Load]:
    """A running generator."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Load(process)
    finally:
        process.communicate(timeout=60)


if __name__ == "__main__":
    uvloop.run(_serve())

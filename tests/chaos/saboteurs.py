"""Who makes the trouble. Each saboteur draws from a chance of its own, so that a seed gives the same acts again."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from connectors.kit.conformance.sandbox_process import SandboxFailed
from tests.chaos.databases import Server
from tests.chaos.recovery import Recovery
from tests.chaos.stage import CALLING_BACK, Stage

#: How each institution's operations may be spoilt: mode and value.
SPOILT: tuple[tuple[str, Any], ...] = (
    ("cut_before", None),
    ("cut_after", None),
    ("cut_middle", None),
    ("truncate", 40),
    ("silence", None),
    ("latency", 700),
    ("latency", 2500),
    ("status", 503),
    ("status", {"code": 500, "after_effect": True}),
    ("html", None),
    ("empty", None),
    ("fault", None),
    ("token_expired", None),
)
CALLBACKS: tuple[tuple[str, Any], ...] = (
    ("callback_twice", None),
    ("callback_never", None),
    ("callback_early", None),
    ("callback_late", 3000),
    ("callback_out_of_order", None),
    ("callback_unsigned", None),
    ("callback_badly_signed", None),
)
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "education": ("check", "submit", "inquire"),
    "transport": ("vehicle-statement", "token"),
    "takamol": ("card-status", "family-update", "inquire"),
    "syriatel_cash": ("initiate", "confirm", "token"),
}
#: Between two acts of a saboteur, in seconds, at the least and at the most.
KILLS = {"sqlite": (5.0, 13.0), "postgresql": (4.0, 11.0)}
DATABASE_KILLS = (5.0, 40.0)
STOPS = {"sqlite": (12.0, 30.0), "postgresql": (10.0, 25.0)}
SPOILINGS = (0.5, 2.5)
CLOCK_STEPS = (5.0, 15.0)
MOST_CLOCK_STEP_MS = 30_000


@dataclass(slots=True)
class Saboteurs:
    """All of them, over one stage."""

    stage: Stage
    recovery: Recovery
    seed: str
    diary: IO[str]  #: What was done when, a line each.
    kills: int = 0  #: Of the gateway's processes and of the database server, by SIGKILL or as a crash.
    other_acts: int = 0
    began: float = field(default_factory=time.monotonic)

    async def work(self) -> None:
        """Make trouble until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill())
            group.create_task(self._stop())
            group.create_task(self._step_clocks())
            for name in self.stage.sandboxes:
                group.create_task(self._spoil(name))
            if isinstance(self.stage.database, Server):
                group.create_task(self._kill_database(self.stage.database))

    def _chance(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/{self.stage.database.dialect}/{name}")

    def _note(self, what: str) -> None:
        self.diary.write(f"{time.monotonic() - self.began:8.2f} {what}\n")
        self.diary.flush()

    async def _kill(self) -> None:
        """SIGKILL, as a power cut; now and then a graceful end, as a rolling restart."""
        chance = self._chance("kill")
        while True:
            await asyncio.sleep(chance.uniform(*KILLS[self.stage.database.dialect]))
            node = chance.choice(self.stage.nodes)
            gently = chance.random() < 0.12
            if not node.is_ready:
                continue
            worker = node.worker
            self._note(f"{'SIGTERM' if gently else 'SIGKILL'} {node.name} ({worker})")
            if gently:
                self.other_acts += node.signal(signal.SIGTERM)
                continue
            node.signal(signal.SIGKILL)
            killed_at = time.monotonic()
            self.kills += 1
            self.recovery.of_node(node, worker, killed_at)

    async def _stop(self) -> None:
        """SIGSTOP, and SIGCONT later: on PostgreSQL every second time only when the lease has run out."""
        chance, number = self._chance("stop"), 0
        while True:
            await asyncio.sleep(chance.uniform(*STOPS[self.stage.database.dialect]))
            node, seconds = chance.choice(self.stage.nodes), chance.uniform(0.5, 4.0)
            number += 1
            if len(self.stage.nodes) > 1 and number % 2:
                seconds = self.stage.lease_seconds * chance.uniform(1.1, 1.3)
            if node.is_ready and node.signal(signal.SIGSTOP):
                self.other_acts += 1
                self._note(f"SIGSTOP {node.name} for {seconds:.1f} s")
                try:
                    await asyncio.sleep(seconds)
                finally:
                    node.signal(signal.SIGCONT)

    async def _kill_database(self, database: Server) -> None:
        chance = self._chance("database")
        while True:
            await asyncio.sleep(chance.uniform(*DATABASE_KILLS))
            number = chance.choice((signal.SIGKILL, signal.SIGQUIT, signal.SIGINT))
            pause = chance.uniform(0.0, 2.0)
            self._note(f"{number.name} the database, back after {pause:.1f} s")
            self.kills += number is not signal.SIGINT
            self.other_acts += number is signal.SIGINT
            self.recovery.of_database(time.monotonic())
            await database.kill(number, pause)

    async def _spoil(self, name: str) -> None:
        """Cut, stall, truncate, and send messages twice, early, late or never."""
        chance, sandbox = self._chance(name), self.stage.sandboxes[name]
        while True:
            await asyncio.sleep(chance.uniform(*SPOILINGS))
            operation, (mode, value) = chance.choice(OPERATIONS[name]), chance.choice(SPOILT)
            if name in CALLING_BACK and chance.random() < 0.4:
                operation, (mode, value) = "*", chance.choice(CALLBACKS)
            times, seconds = chance.randint(1, 4), chance.uniform(0.5, 5.0)
            self._note(f"{name}.{operation} {mode} {value if value is not None else ''} x {times}")
            self.other_acts += 1
            with contextlib.suppress(SandboxFailed):
                await asyncio.to_thread(lambda: sandbox.switch(mode, value, operation=operation, times=times))  # noqa: B023
                await asyncio.sleep(seconds)
                await asyncio.to_thread(sandbox.switches_off)

    async def _step_clocks(self) -> None:
        """Step the wall clock of one process, each apart from the others, forward or back."""
        chance = self._chance("clock")
        while True:
            await asyncio.sleep(chance.uniform(*CLOCK_STEPS))
            node, offset = chance.choice(self.stage.nodes), chance.randint(-MOST_CLOCK_STEP_MS, MOST_CLOCK_STEP_MS)
            self._note(f"clock of {node.name} off by {offset} ms")
            self.other_acts += 1
            self.stage.step_clock(node, offset)

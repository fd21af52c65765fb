"""How long it takes after a kill until the work of the killed goes on.

Of a process of the gateway: from its SIGKILL to the moment at which the first of the jobs that it held was taken up
again, by whomever; where it is the only server (SQLite), also until it answers again, which is the later of the two. Of the
database: until a request that was sent after the kill was acknowledged. A kill of the database while somebody recovers
begins the count anew: the promise cannot be kept without a database.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.chaos.nodes import Node
from tests.chaos.stage import Stage

LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """One kill and what followed."""

    what: str
    seconds: float | None  #: None: nothing was held, so that there was nothing to recover.


@dataclass(slots=True)
class Held:
    """A job that the killed process had claimed."""

    token: int  #: As it was then; a rescuer raises it, and so does every claim.
    rescued: bool = False


def fate(held: Held, now: tuple[int, str | None] | None, worker: str) -> str:
    """What became of a job, by its token and claim as they are now (None: the job is gone).

    `held`: nobody has it yet. `settled`: the last thing that the killed process wrote had this job in it, which needs no
    recovery. `taken up`: somebody else claimed it.
    """
    if now is None:
        return "taken up" if held.rescued else "settled"
    token, claimed_by = now
    if token == held.token:
        return "held" if claimed_by == worker else "settled"
    if claimed_by is None and token == held.token + 1:
        held.rescued = True
        return "held"
    return "taken up"


@dataclass(slots=True)
class Recovery:
    """All kills of a run."""

    stage: Stage
    last_asked_at: Callable[[], float]  #: When the call was begun that was acknowledged last.
    samples: list[Sample] = field(default_factory=list)
    unfinished: dict[str, float] = field(default_factory=dict)  #: What recovers now, and since when.
    database_back_at: float = 0.0
    _watching: set[asyncio.Task[None]] = field(default_factory=set)

    def of_node(self, node: Node, worker: str, killed_at: float) -> None:
        """A process was killed at that moment, which had claimed under that name."""
        self._watch(self._node(node, worker, killed_at))

    def of_database(self, killed_at: float) -> None:
        """The database server was killed at that moment."""
        self._watch(self._database(killed_at))

    @property
    def seconds(self) -> list[float]:
        """What was measured."""
        return [each.seconds for each in self.samples if each.seconds is not None]

    @property
    def median_seconds(self) -> float:
        """Of all kills after which there was something to recover."""
        return median(self.seconds) if self.seconds else 0.0

    @property
    def most_seconds(self) -> float:
        """Likewise."""
        return max(self.seconds, default=0.0)

    async def finish(self, seconds: float) -> list[str]:
        """Wait for what recovers; what did not in so many seconds."""
        if self._watching:
            await asyncio.wait(self._watching, timeout=seconds)
        for task in tuple(self._watching):
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        return [f"{what} had not recovered after {time.monotonic() - at:.0f} s" for what, at in self.unfinished.items()]

    def _watch(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _node(self, node: Node, worker: str, killed_at: float) -> None:
        what, lives = f"{node.name} ({worker}, kill {len(self.samples) + len(self.unfinished) + 1})", node.starts
        self.unfinished[what] = killed_at
        taken_up = await self._until_taken_up(worker)
        if len(self.stage.servers) == 1:
            while not (node.is_ready and node.starts > lives):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(LOOK_SECONDS)
        elif not taken_up:
            del self.unfinished[what]
            self.samples.append(Sample(what, None))
            return
        self._recovered(what, killed_at)

    async def _until_taken_up(self, worker: str) -> bool:
        """Wait until the first of the jobs that were claimed under that name is taken up; whether there was any."""
        held = await self._asked(f"SELECT request_id, token FROM jobs WHERE claimed_by = '{worker}'") if worker else []
        left = {str(request_id): Held(int(token)) for request_id, token in held}
        while left:
            ids = ", ".join(f"'{request_id}'" for request_id in left)
            found = await self._asked(f"SELECT request_id, token, claimed_by FROM jobs WHERE request_id IN ({ids})")
            now = {str(request_id): (int(token), claimed_by) for request_id, token, claimed_by in found}
            fates = {request_id: fate(one, now.get(request_id), worker) for request_id, one in left.items()}
            if "taken up" in fates.values():
                return True
            left = {request_id: one for request_id, one in left.items() if fates[request_id] == "held"}
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _asked(self, query: str) -> list[tuple[Any, ...]]:
        """The answer of the database, once it can be asked."""
        while True:
            with contextlib.suppress(OSError):
                return await self.stage.database.rows(query)
            await asyncio.sleep(LOOK_SECONDS)

    async def _database(self, killed_at: float) -> None:
        what = f"database (kill {len(self.samples) + len(self.unfinished) + 1})"
        self.unfinished[what] = killed_at
        while self.last_asked_at() <= killed_at:  # noqa: ASYNC110 - many set it
            await asyncio.sleep(LOOK_SECONDS)
        self.database_back_at = time.monotonic()
        self._recovered(what, killed_at)

    def _recovered(self, what: str, killed_at: float) -> None:
        del self.unfinished[what]
        began = max(killed_at, self.database_back_at) if not what.startswith("database") else killed_at
        self.samples.append(Sample(what, time.monotonic() - began))

"""One process of the gateway that is killed, stopped and stepped, and that is started again whenever it has ended."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.05
END_SECONDS = 40.0


@dataclass(slots=True)
class Node:
    """`jisr serve` or `jisr worker`: one installation, a folder, a log and a clock of its own."""

    name: str
    command: str  #: "serve" or "worker".
    folder: Path
    environment: dict[str, str]
    port: int = 0  #: Of a server.
    process: subprocess.Popen[bytes] | None = None
    is_ready: bool = False
    starts: int = 0
    ended_by_itself: list[str] = field(default_factory=list)  #: How; none of its own accord is the promise.
    _expected_end: bool = False
    _log_from: int = 0

    @property
    def url(self) -> str:
        """Where a server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Everything that it logged, over all its lives."""
        return self.folder / "log"

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self.process is not None and self.process.poll() is None

    @property
    def worker(self) -> str:
        """The name under which its present or last life claims jobs; "" before it was ready."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            for line in log:
                if b'"serving"' in line or b'"working"' in line:
                    return f"g{json.loads(line)['generation']}"
        return ""

    async def keep(self, may_start: Callable[[], Awaitable[None]], session: aiohttp.ClientSession) -> None:
        """Start it, and again whenever it ends, until cancelled."""
        while True:
            await may_start()
            self._start()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch(session)
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise asyncio.CancelledError
            if self.is_ready and not self._expected_end:
                assert self.process is not None
                self.ended_by_itself.append(f"{self.name} ended by itself with status {self.process.returncode}")
            self.is_ready = False

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        while self.alive:
            if not self.is_ready:
                self.is_ready = await self._answers(session)
            await asyncio.sleep(LOOK_SECONDS)

    def _start(self) -> None:
        self.starts += 1
        self.is_ready = self._expected_end = False
        with self.log.open("ab") as log:
            self._log_from = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jisr", self.command],
                cwd=self.folder,
                env=self.environment | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever ends them all
            )

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        if self.command == "worker":
            return bool(self.worker)
        try:
            async with session.get(f"{self.url}/health/ready", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def signal(self, number: int) -> bool:
        """Send a signal; whether there was a process. After SIGKILL and SIGTERM its end is no surprise."""
        if not self.alive:
            return False
        assert self.process is not None
        self._expected_end |= number in (signal.SIGKILL, signal.SIGTERM)
        self.process.send_signal(number)
        return True

    async def end(self) -> None:
        """End it for good: in peace, and when that takes too long by force."""
        self.signal(signal.SIGCONT)
        if self.signal(signal.SIGTERM):
            assert self.process is not None
            try:
                await asyncio.to_thread(self.process.wait, END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of a gateway, and what is given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JISR_")} | more

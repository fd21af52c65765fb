"""Child processes that the command line starts, watches and ends: none outlives the program that started it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from jisr.errors import CommandError

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """One running program and where its output goes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def ended(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self.process.poll()


class Processes:
    """Starts children and ends them, the last started first, when the block is left."""

    def __init__(self, *, patience_seconds: float = 25.0) -> None:
        self._children: dict[str, Child] = {}
        self._patience_seconds = patience_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for child in reversed(self._children.values()):
            self._end(child)

    def start(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start a program; its output is appended to `log`. It dies with this process, even by SIGKILL (on Linux)."""
        log.parent.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, **(environment or {})}
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone; we end the children in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one thread here
            )
        child = Child(name, command, environment or {}, log, process)
        self._children[name] = child
        return child

    def restart(self, name: str) -> Child:
        """Start an ended child again, as it was."""
        old = self._children[name]
        return self.start(name, old.command, old.log, old.environment)

    def dead(self) -> list[Child]:
        """The children that ended by themselves."""
        return [child for child in self._children.values() if child.ended is not None]

    def pids(self) -> list[int]:
        """The process ids of all children, also of those that have ended."""
        return [child.process.pid for child in self._children.values()]

    def wait_until(self, child: Child, ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Wait until `ready`. Raises CommandError when the child ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if child.ended is not None:
                last = _last_line(child.log)
                raise CommandError(f"{child.name} ended while it started (status {child.ended}): {last}")
            if time.monotonic() > deadline:
                raise CommandError(f"{child.name} was not ready after {seconds:.0f} seconds; see {child.log}.")
            time.sleep(0.05)

    def _end(self, child: Child) -> None:
        if child.ended is None:
            child.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(self._patience_seconds)
        if child.ended is None:
            child.process.kill()
            child.process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return f"see {log}"
    return lines[-1] if lines else f"see {log}"

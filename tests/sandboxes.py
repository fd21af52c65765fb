"""Fixtures that start the institutions' sandboxes as processes of their own, once per session, clean before each test."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.kit.conformance.sandbox_process import SandboxProcess, start_process, stop_process
from connectors.kit.sandbox.server import find_folder

__all__ = ["ROOT", "SandboxProcess", "sandbox", "sandbox_processes", "start_sandbox", "stop_sandbox"]

ROOT = Path(__file__).resolve().parents[1]


def start_sandbox(name: str, *, ledger: Path | None = None, port: int = 0) -> SandboxProcess:
    """Start one sandbox by its connector's name or folder (any free port unless one is given); it listens already."""
    folder = Path(name) if "/" in name else find_folder(name)
    return start_process(folder, ledger=ledger, port=port)


def stop_sandbox(sandbox: SandboxProcess, number: int = signal.SIGTERM) -> int:
    """End it; gives the exit status."""
    return stop_process(sandbox, number)


@pytest.fixture(scope="session")
def sandbox_processes() -> Iterator[Callable[[str], SandboxProcess]]:
    """Starts each institution's sandbox when it is first asked for; ends them all with the session."""
    running: dict[str, SandboxProcess] = {}

    def process_of(name: str) -> SandboxProcess:
        if name not in running:
            running[name] = start_sandbox(name)
        return running[name]

    yield process_of
    for sandbox in running.values():
        stop_sandbox(sandbox)


@pytest.fixture
def sandbox(sandbox_processes: Callable[[str], SandboxProcess]) -> Callable[[str], SandboxProcess]:
    """`sandbox("education")`: that institution's sandbox, reset when the test first asks for it."""
    clean: dict[str, SandboxProcess] = {}

    def clean_one(name: str) -> SandboxProcess:
        if name not in clean:
            clean[name] = sandbox_processes(name)
            clean[name].reset()
        return clean[name]

    return clean_one

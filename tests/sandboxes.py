"""Fixtures that start the institutions' sandboxes as processes of their own, once per session, clean before each test."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.sandbox import find_folder
from connectors.kit.sandbox_institution import sandbox_settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox and its control API."""

    name: str
    folder: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, Any]:
        """The connector's settings that fit this sandbox."""
        return sandbox_settings(self.folder, self.port)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the control API; an answer that is not 2xx fails the test."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status < 300, content
        return content

    def switch(self, mode: str, value: Any = None, *, operation: str = "*", times: int | None = None) -> None:
        """Switch a fault on."""
        self.control("POST", "switches", {"operation": operation, "mode": mode, "value": value, "times": times})

    def switches_off(self) -> None:
        """Switch all faults off."""
        self.control("DELETE", "switches")

    def effects(self, operation_id: str | None = None) -> list[Mapping[str, Any]]:
        """The ledger, of one operation id or whole."""
        rows: list[Mapping[str, Any]] = self.control("GET", "ledger")["effects"]
        return [row for row in rows if operation_id in (None, row["operation_id"])]

    def count(self, operation_id: str | None = None) -> int:
        """How often something was done, for one operation id or in all."""
        return sum(row["count"] for row in self.effects(operation_id))

    def calls(self, operation: str) -> int:
        """How many requests for this operation came since the last reset."""
        calls: Mapping[str, int] = self.control("GET", "health")["calls"]
        return calls.get(operation, 0)

    def otp(self, transaction_id: str) -> str:
        """The last OTP that was sent for this transaction."""
        sent = [row["otp"] for row in self.control("GET", "messages") if row["transaction_id"] == transaction_id]
        return str(sent[-1])

    def advance_clock(self, seconds: float) -> None:
        """Move the institution's clock forward until the next reset."""
        self.control("POST", "clock", {"advance_seconds": seconds})

    def reset(self) -> None:
        """No faults, an empty ledger, the true time."""
        self.control("DELETE", "switches")
        self.control("DELETE", "ledger")


def start_sandbox(name: str, *, ledger: Path | None = None, port: int = 0) -> SandboxProcess:
    """Start one sandbox (any free port unless one is given) and wait until it listens."""
    command = [sys.executable, "-m", "connectors.kit.sandbox", name, "--port", str(port)]
    if ledger is not None:
        command += ["--ledger", str(ledger)]
    folder = Path(name) if "/" in name else find_folder(name)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready on "), f"the sandbox of {name} did not start: {line!r}"
    return SandboxProcess(folder.name, folder, int(line.rsplit(":", 1)[1]), process)


def stop_sandbox(sandbox: SandboxProcess, number: int = signal.SIGTERM) -> int:
    """End it; gives the exit status."""
    sandbox.process.send_signal(number)
    status = sandbox.process.wait(timeout=20)
    if sandbox.process.stdout is not None:
        sandbox.process.stdout.close()
    return status


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

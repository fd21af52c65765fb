"""A sandbox as a process of its own, and its control API."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kit.sandbox.certificates import certificates_of
from connectors.kit.sandbox.institution import sandbox_settings

_ROOT = Path(__file__).resolve().parents[3]
_CONTROL_SECONDS = 10
_END_SECONDS = 20


class SandboxFailed(Exception):  # the suite's word
    """The sandbox did not start or does not answer; the message is what it said."""


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
        """One call of the control API. Raises SandboxFailed for an answer that is not 2xx, and for none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_CONTROL_SECONDS)
        try:
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise SandboxFailed(f"/_sandbox/{path}: {type(error).__name__}") from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise SandboxFailed(f"/_sandbox/{path}: {content}")
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

    def in_flight(self) -> int:
        """Requests that have not been answered."""
        return int(self.control("GET", "health")["in_flight"])

    def otp(self, transaction_id: str) -> str:
        """The last OTP that was sent for this transaction. Raises IndexError when none was."""
        sent = [row["otp"] for row in self.control("GET", "messages") if row["transaction_id"] == transaction_id]
        return str(sent[-1])

    def advance_clock(self, seconds: float) -> None:
        """Move the institution's clock forward until the next reset."""
        self.control("POST", "clock", {"advance_seconds": seconds})

    def reset(self) -> None:
        """No faults, an empty ledger, the true time."""
        self.control("DELETE", "switches")
        self.control("DELETE", "ledger")


def start_process(folder: Path, *, ledger: Path | None = None, port: int = 0) -> SandboxProcess:
    """Start the sandbox of a package folder (any free port unless one is given) and wait until it listens.

    Raises SandboxFailed with what it wrote when it ends instead.
    """
    command = [sys.executable, "-m", "connectors.kit.sandbox", str(folder), "--port", str(port)]
    command += ["--certificates", str(certificates_of(folder.name).folder)]
    if ledger is not None:
        command += ["--ledger", str(ledger)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(  # our own module
            command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ}
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("ready on "):
            process.wait(timeout=_END_SECONDS)
            process.stdout.close()
            said.seek(0)
            raise SandboxFailed((said.read().strip().splitlines() or [line.strip() or "it said nothing"])[-1])
    return SandboxProcess(folder.name, folder, int(line.rsplit(":", 1)[1]), process)


def stop_process(sandbox: SandboxProcess, number: int = signal.SIGTERM) -> int:
    """End it; gives the exit status."""
    sandbox.process.send_signal(number)
    status = sandbox.process.wait(timeout=_END_SECONDS)
    if sandbox.process.stdout is not None:
        sandbox.process.stdout.close()
    return status

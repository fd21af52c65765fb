"""The demonstration's stage: its folder, its ports, its processes; it is put up, mended and taken down here."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from gateway.settings import Settings
from jisr import admin_client, sandboxes, setup
from jisr.client import Client
from jisr.commands.serve import probe
from jisr.errors import CommandError
from jisr.processes import Child, Processes
from jisr.sandboxes import Sandbox
from jisr.terminal import Front

GATEWAY = "gateway"
_PORT = 8080
_BASE_PORT = 9101
_LEFTOVER_SECONDS = 5.0


class Stage:
    """A folder with settings, key and records, the sandboxes, and the gateway; one demonstration at a time."""

    def __init__(self, here: Front, folder: Path, processes: Processes, *, extra: str = "") -> None:
        """`extra` is TOML for the settings file."""
        self._here, self._extra = here, extra
        self._processes = processes
        self.folder = folder
        self._lock = _lock(here, folder)
        end_leftovers(folder / "processes.json")
        packages = sandboxes.folders()
        self.sandboxes = sandboxes.find(packages, _sandbox_ports(packages), folder, folder)
        self.settings = self._prepare(_free_port(_PORT))
        self.key_file = folder / "channel.key"

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.settings.port}"

    def sandbox(self, name: str) -> Sandbox:
        """One of the sandboxes."""
        return next(sandbox for sandbox in self.sandboxes if sandbox.name == name)

    def client(self) -> Client:
        """A client with the demonstration's channel key, which is made on the first run."""
        if not self.key_file.is_file():
            # a run that was killed may have added a channel and lost its key: the name is a new one each time
            added = admin_client.call(self.settings, "channel.add", name=f"demo-{int(time.time())}", priority="desk")
            setup.write_private(self.key_file, added["key"] + "\n")
        return Client(self.url, self.key_file.read_text(encoding="utf-8").strip(), language=self._here.language)

    def start_sandboxes(self) -> None:
        """Start every sandbox and wait until each answers."""
        statements = self.settings.statements_folder
        started = [
            (one, sandboxes.start(self._processes, one, self.folder, statements, gateway=self.url))
            for one in self.sandboxes
        ]
        self._remember()
        for sandbox, child in started:
            self._processes.wait_until(child, lambda sandbox=sandbox: sandboxes.healthy(f"{sandbox.control}health"))  # type: ignore[misc]
            self._here.out.print(f"  [green]✓[/] {sandbox.name:16} {sandbox.control}")

    def start_gateway(self) -> None:
        """Start the gateway and wait until it is ready."""
        command = (sys.executable, "-m", "jisr", "--config", str(self.folder / setup.SETTINGS_FILE), "serve")
        environment = {"JISR_LOG__FORMAT": "json"}
        child = self._processes.start(GATEWAY, command, self.folder / "logs" / "gateway.log", environment)
        self._ready(child)
        self._here.out.print(f"  [green]✓[/] {GATEWAY:16} {self.url}  [dim](process {child.process.pid})[/]")

    def mend(self) -> None:
        """Start again what has died since, and say so."""
        for child in self._processes.dead():
            how = f"signal {-child.ended}" if child.ended and child.ended < 0 else f"status {child.ended}"
            self._here.say(
                f"[yellow]![/] توقف {child.name} ({how})؛ يُشغَّل من جديد…",
                f"[yellow]![/] {child.name} ended ({how}); starting it again ...",
            )
            again = self._processes.restart(child.name)
            if child.name == GATEWAY:
                self._ready(again)
            else:
                control = self.sandbox(child.name).control
                self._processes.wait_until(again, lambda control=control: sandboxes.healthy(f"{control}health"))  # type: ignore[misc]
            self._remember()

    def _ready(self, child: Child) -> None:
        self._remember()
        self._processes.wait_until(child, lambda: sandboxes.healthy(f"{self.url}/health/ready"))

    def _prepare(self, port: int) -> Settings:
        """On the first run an installation is made; on every run the settings tell the ports that were free."""
        connectors = sandboxes.connector_settings(self.sandboxes)
        if not (self.folder / "data" / "keyring.json").is_file():
            (self.folder / setup.SETTINGS_FILE).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (self.folder / "data").rmdir()
            setup.create(self.folder, port=port, base_port=_BASE_PORT, connectors=connectors)
        settings = setup.write_settings(
            self.folder, port=port, base_port=_BASE_PORT, connectors=connectors, extra=self._extra
        )
        self._here.use(settings)
        return settings

    def _remember(self) -> None:
        setup.write_private(self.folder / "processes.json", json.dumps(self._processes.pids()))


def _lock(here: Front, folder: Path) -> IO[str]:
    """Held until this process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "demo.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise CommandError(
            here.text(
                f"العرض يعمل الآن في {folder}؛ أوقفه أو اختر مجلداً آخر بـ ‎--dir.",
                f"A demonstration runs in {folder} already; end it, or choose another folder with --dir.",
            )
        ) from error
    return lock


def end_leftovers(file: Path) -> None:
    """End the processes of a demonstration that was killed, should they still run."""
    try:
        pids = [int(pid) for pid in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    while left := [pid for pid in pids if _is_ours(pid)]:
        over = time.monotonic() > deadline
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if over else signal.SIGTERM)
        time.sleep(0.1)


def _is_ours(pid: int) -> bool:
    """Whether the process is one that a demonstration starts, and not a stranger that got the same number since."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"connectors.kit.sandbox" in words or (b"jisr" in words and b"serve" in words)


def _sandbox_ports(names: Iterable[str]) -> dict[str, int]:
    return {name: _free_port(_BASE_PORT + number) for number, name in enumerate(names)}


def _free_port(wanted: int) -> int:
    """The wanted port, or another free one when somebody has it."""
    try:
        return probe("127.0.0.1", wanted)
    except OSError:
        return probe("127.0.0.1", 0)

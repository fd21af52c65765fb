"""Fixtures that run the real gateway (`jisr serve`) as a process, on either database, against the sandboxes' processes."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import settings as settings_module
from gateway.catalogue import Service
from gateway.security.keyring import Keyring
from jisr import admin
from jisr.demo_citizen import files_of, with_digests
from jisr.setup import toml
from tests.bodies import APPLICANT, CERTIFICATE, VEHICLE
from tests.postgresql import Server
from tests.sandboxes import SandboxProcess

__all__ = ["APPLICANT", "CERTIFICATE", "VEHICLE"]  # beside what is defined here
ROOT = Path(__file__).resolve().parents[1]
#: Fast enough for a test, in the same proportions as the defaults.
QUICK = {
    "lease_seconds": 2,
    "send_window_seconds": 1,
    "backoff_first_seconds": 0.2,
    "backoff_max_seconds": 1,
    "poll_seconds": 0.1,
    "breaker_first_seconds": 0.2,
    "breaker_max_seconds": 0.5,
    "ramp_seconds": 0.5,
    "inquiry_wish_max_seconds": 0.3,
    "inquiry_seconds": [0.3, 0.3, 0.5, 0.5, 1, 1, 1, 1, 1, 1],
}
#: For a gateway that many tests share: nothing in it runs out of time because the machine is busy.
STEADY = QUICK | {
    "lease_seconds": 30,
    "send_window_seconds": 10,
    "lanes": {"education.check": 4},
    "deadlines": {
        "education.check": 3,
        "education.submit": 3,
        "transport.vehicle-statement": 3,
        "syriatel_cash.confirm": 3,
        "syriatel_cash.initiate": 3,
    },
}
PATIENCE_SECONDS = 30.0


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait for a condition; its truthy value. Fails the test with `what` when it does not come."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    waiter = socket.socketpair()
    try:
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"in vain waited for: {what}"
            waiter[0].settimeout(pause)
            with contextlib.suppress(TimeoutError):
                waiter[0].recv(1)
            pause = min(0.1, pause * 1.5)
    finally:
        for end in waiter:
            end.close()


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class GatewayProcess:
    """An installation in a folder, and the process that serves it."""

    folder: Path
    database_url: str
    connectors: Mapping[str, Mapping[str, Any]]
    dispatch: dict[str, Any] = field(default_factory=lambda: dict(QUICK))
    services: list[str] = field(default_factory=list)
    #: All load comes from one channel here.
    limits: dict[str, Any] = field(default_factory=lambda: {"channel_calls_per_second": 0})
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    key: str = ""
    program: str = "serve"  #: or "worker", which has no API
    more: str = ""  #: Further settings, as TOML.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / "jisr.toml"

    @property
    def log(self) -> str:
        """Everything that was logged so far."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def install(self) -> None:
        """Write settings and keyring, and make a channel."""
        self._write_settings()
        Keyring.create(self.folder / "keyring.json")
        self.key = self.add("channel", "web")

    def beside(self, name: str, **more: Any) -> "GatewayProcess":
        """Another node on the same database, installed and not started."""
        folder = self.folder.parent / name
        folder.mkdir()
        node = replace(self, folder=folder, process=None, port=free_port(), **more)
        node._write_settings()
        shutil.copy(self.folder / "keyring.json", folder / "keyring.json")
        return node

    def _write_settings(self) -> None:
        lines = [
            f"data_dir = {toml(str(self.folder))}",
            f"database_url = {toml(self.database_url)}",
            f"port = {self.port}",
            f"services_paths = {toml(self.services)}",
            "shutdown_seconds = 5",
            "key_cache_seconds = 2",
            "[limits]",
            *(f"{name} = {toml(value)}" for name, value in self.limits.items()),
            "[dispatch]",
            *(f"{name} = {toml(value)}" for name, value in self.dispatch.items()),
            '[log]\nformat = "json"',
        ]
        for name, values in self.connectors.items():
            lines += [f"[connectors.{name}]", *(f"{key} = {toml(value)}" for key, value in values.items())]
        self.config.write_text("\n".join([*lines, self.more]))

    def settings(self) -> settings_module.Settings:
        return settings_module.load(self.config, environment={})

    def add(self, kind: str, name: str, **more: Any) -> str:
        """A new principal's key."""
        return str(admin.call(self.settings(), f"{kind}.add", name=name, **more)["key"])

    def start(self, crash_at: str = "", *, ready: bool = True, **settings: str) -> None:
        """Start the process; wait until it is ready unless it is expected to die."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}
        environment |= {"JISR_CONFIG": str(self.config), "CRASH_AT": crash_at, "PYTHONPATH": str(ROOT)}
        environment |= settings
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "jisr", self.program]
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        if ready:
            until(self._ready, f"a gateway that is ready; its log ends: {self.log[-2000:]}")

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the gateway ended: {self.log[-2000:]}"
        if self.program == "worker":
            return '"event":"working"' in self.log
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def wait_dead(self) -> int:
        """Wait until the process has ended; its exit status (negative: the signal)."""
        assert self.process is not None
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)

    def end(self) -> None:
        """End it, whatever became of it, also when it is stopped by a signal or was never started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.stop()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_dead()

    def client(self, key: str | None = None) -> httpx.Client:
        """An HTTP client with the channel's key."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key or self.key}"},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )

    def submit(
        self, body: Mapping[str, Any], key: str, *, wait: int = 0, client: httpx.Client | None = None
    ) -> httpx.Response:
        """POST a request under an idempotency key."""
        headers = {"Idempotency-Key": key} | ({"Prefer": f"wait={wait}"} if wait else {})
        with client or self.client() as http:
            return http.post("/v1/requests", json=body, headers=headers)

    def upload(self, content: bytes) -> str:
        """Upload a file; its digest."""
        with self.client() as http:
            kept = http.post("/v1/attachments", content=content)
        assert kept.status_code in (200, 201), kept.text
        return str(kept.json()["digest"])

    def with_uploads(self, service: Service, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body with the uploads that the service needs."""
        files = files_of(service, body)
        return with_digests(body, {place: self.upload(content) for place, content in files.items()})

    def get(self, request_id: str) -> dict[str, Any]:
        """The request as it stands."""
        with self.client() as http:
            answer = http.get(f"/v1/requests/{request_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def act(self, request: Mapping[str, Any], body: Mapping[str, Any], key: str) -> httpx.Response:
        """Answer the request's next action."""
        with self.client() as http:
            path = f"/v1/requests/{request['id']}/actions/{request['next_action']['id']}"
            return http.post(path, json=body, headers={"Idempotency-Key": key})

    def until_state(self, request_id: str, *states: str) -> dict[str, Any]:
        """Wait until the request is in one of the states."""

        def there() -> dict[str, Any] | None:
            found = self.get(request_id)
            return found if found["state"] in states else None

        try:
            found: dict[str, Any] = until(there, f"{request_id} in {states}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.get(request_id)}; log: {self.log[-3000:]}") from None
        return found


INSTITUTIONS = ("education", "transport", "syriatel_cash")
#: Gives an installation that is not started yet.
GatewayFactory = Callable[..., GatewayProcess]


@pytest.fixture
def make_gateway(tmp_path: Path, database: Any, sandbox: Callable[[str], SandboxProcess]) -> Iterator[GatewayFactory]:
    """`make_gateway()`: an installation on the test's database with all three sandboxes; ended after the test."""
    made: list[GatewayProcess] = []

    def make(**more: Any) -> GatewayProcess:
        folder = tmp_path / f"gateway{len(made)}"
        folder.mkdir()
        connectors = {name: sandbox(name).settings for name in INSTITUTIONS}
        gateway = GatewayProcess(folder, database.url, more.pop("connectors", connectors), **more)
        gateway.install()
        made.append(gateway)
        return gateway

    yield make
    for gateway in made:
        if gateway.process is not None:
            gateway.stop()


@pytest.fixture
def gateway(make_gateway: GatewayFactory) -> GatewayProcess:
    """A running gateway."""
    running = make_gateway()
    running.start()
    return running


@contextlib.contextmanager
def one_on_each_database(
    installed: Callable[[Path, str], GatewayProcess], folders: pytest.TempPathFactory, server: Server
) -> Iterator[Callable[[str], GatewayProcess]]:
    """Gives the one running gateway on a database, which is installed and started when it is first asked for."""
    running: dict[str, GatewayProcess] = {}
    with contextlib.ExitStack() as ending:

        def gateway_on(dialect: str) -> GatewayProcess:
            if dialect not in running:
                folder = folders.mktemp(f"standing-{dialect}")
                url = f"sqlite:///{folder / 'jisr.db'}"
                if dialect == "postgresql":
                    url = ending.enter_context(server.fresh_database())
                running[dialect] = installed(folder, url)
                running[dialect].start()
                ending.callback(running[dialect].stop)
            return running[dialect]

        yield gateway_on


@pytest.fixture(scope="session")
def standing_gateways(
    tmp_path_factory: pytest.TempPathFactory,
    sandbox_processes: Callable[[str], SandboxProcess],
    postgresql_server: Server,
) -> Iterator[Callable[[str], GatewayProcess]]:
    """`standing_gateways("sqlite")`: the session's one running gateway on that database; all end with the session."""
    connectors = {name: sandbox_processes(name).settings for name in INSTITUTIONS}

    def installed(folder: Path, url: str) -> GatewayProcess:
        gateway = GatewayProcess(folder, url, connectors, dict(STEADY))
        gateway.install()
        return gateway

    with one_on_each_database(installed, tmp_path_factory, postgresql_server) as gateway_on:
        yield gateway_on


@pytest.fixture
def standing(
    dialect: str,
    standing_gateways: Callable[[str], GatewayProcess],
    sandbox: Callable[[str], SandboxProcess],
) -> GatewayProcess:
    """The shared running gateway, for tests that do not end it; the sandboxes are reset, its requests stay."""
    for name in INSTITUTIONS:
        sandbox(name)
    return standing_gateways(dialect)

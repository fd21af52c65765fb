"""What a run is played on: the institutions' sandboxes, a database, and the gateway's processes, all of them real."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.databases import Database, Embedded, Server
from tests.chaos.nodes import Node, clean_environment
from tests.gateways import GatewayProcess, free_port
from tests.sandboxes import SandboxProcess, start_sandbox, stop_sandbox

INSTITUTIONS = ("education", "transport", "takamol", "syriatel_cash")
#: What calls back, and the server that it calls.
CALLING_BACK = ("takamol",)
#: Leases, send window and poll are the defaults, because recovery is measured; what is waited for between tries is
#: shorter, so that a run of minutes sees what in a year takes hours.
DISPATCH: Mapping[str, Any] = {
    "backoff_first_seconds": 0.5,
    "backoff_max_seconds": 5,
    "breaker_first_seconds": 1,
    "breaker_max_seconds": 4,
    "ramp_seconds": 4,
    "max_tries": 12,
    "inquiry_seconds": [1, 2, 3, 5, 5, 5, *[8] * 40],
    "inquiry_wish_max_seconds": 3,
    "deadlines": {
        f"{lane}": 4
        for lane in (
            *("education.check", "education.submit", "education.inquire", "transport.vehicle-statement"),
            *("takamol.card-status", "takamol.family-update", "takamol.inquire"),
            *("syriatel_cash.initiate", "syriatel_cash.confirm", "syriatel_cash.resend"),
        )
    },
}
NODES: Mapping[str, tuple[str, ...]] = {"sqlite": ("serve",), "postgresql": ("serve", "serve", "worker", "worker")}

_INSTALLING = threading.Lock()


@dataclass(slots=True)
class Stage:
    """Everything that runs for one database."""

    folder: Path
    database: Database
    sandboxes: Mapping[str, SandboxProcess]
    nodes: list[Node]
    key: str  #: Of the channel.
    session: aiohttp.ClientSession
    lease_seconds: float
    keepers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def servers(self) -> list[Node]:
        """Those that channels call."""
        return [node for node in self.nodes if node.command == "serve"]

    def start(self) -> None:
        """Start the gateway's processes, and again whenever one ends."""
        self.keepers = [asyncio.create_task(node.keep(self.database.up, self.session)) for node in self.nodes]

    async def ready(self) -> None:
        """Wait until all of them work."""
        while not all(node.is_ready for node in self.nodes):
            for keeper in self.keepers:
                if keeper.done():
                    await keeper
            await asyncio.sleep(0.1)

    def step_clock(self, node: Node, milliseconds: int) -> None:
        """How far the node's wall clock is off from now on."""
        _write(self.clock_file(node), str(milliseconds))

    @staticmethod
    def clock_file(node: Node) -> Path:
        """Where the node's clock looks."""
        return node.folder / "clock-offset"

    async def quiet(self) -> None:
        """No more trouble: everything runs, answers and has the true time."""
        for node in self.nodes:
            node.signal(signal.SIGCONT)
            self.step_clock(node, 0)
        await asyncio.gather(*(asyncio.to_thread(one.switches_off) for one in self.sandboxes.values()))
        await self.database.up()
        await self.ready()

    async def end_gateway(self) -> None:
        """End the gateway's processes for good."""
        for keeper in self.keepers:
            keeper.cancel()
        await asyncio.gather(*self.keepers, return_exceptions=True)
        await asyncio.gather(*(node.end() for node in self.nodes))


def _write(file: Path, text: str) -> None:
    """In one piece: a reader sees the old text or the new one."""
    part = file.with_suffix(".part")
    part.write_text(text, encoding="ascii")
    part.replace(file)


@contextlib.asynccontextmanager
async def staged(dialect: str, folder: Path, commands: Sequence[str] = ()) -> AsyncIterator[Stage]:
    """Set the stage up, with nothing of the gateway running yet; at the end everything is ended.

    `commands` are the processes of the gateway, for others than those of NODES.
    """
    async with contextlib.AsyncExitStack() as ending:
        sandboxes: dict[str, SandboxProcess] = {}
        for name in INSTITUTIONS:
            ledger = folder / "ledgers" / f"{name}.ledger"
            started = await asyncio.to_thread(start_sandbox, name, ledger=ledger)
            sandboxes[name] = started
            ending.callback(stop_sandbox, started)
        database: Database = Embedded(folder) if dialect == "sqlite" else await asyncio.to_thread(Server)
        ending.callback(database.close)
        settings = {name: one.settings for name, one in sandboxes.items()}
        installed = GatewayProcess(folder, database.url, settings, dict(DISPATCH))
        await asyncio.to_thread(_install, installed)
        nodes = [_node(installed, number, command) for number, command in enumerate(commands or NODES[dialect])]
        for name in CALLING_BACK:
            url = {"url": f"{nodes[0].url}/callbacks/{name}"}
            await asyncio.to_thread(sandboxes[name].control, "POST", "callbacks", url)
        session = await ending.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False)
        )
        lease = installed.settings().dispatch.lease_seconds
        stage = Stage(folder, database, sandboxes, nodes, installed.key, session, lease)
        ending.push_async_callback(stage.end_gateway)
        yield stage


def _install(installed: GatewayProcess) -> None:
    """One after the other: the library that migrates keeps its state for the whole process."""
    with _INSTALLING:
        installed.install()


def _node(installed: GatewayProcess, number: int, command: str) -> Node:
    """A process with a folder, a log and a clock of its own on the one installation."""
    name = f"{command}-{number + 1}"
    folder = installed.folder / name
    folder.mkdir()
    port = free_port() if command == "serve" else 0
    environment = clean_environment(
        JISR_CONFIG=str(installed.config),
        JISR_DATA_DIR=str(folder),
        JISR_KEYRING_PATH=str(installed.folder / "keyring.json"),
        JISR_STATEMENTS_FOLDER=str(statements_folder(installed.folder)),
        JISR_RECONCILIATION__EVERY_SECONDS="3",
        CLOCK_OFFSET_FILE=str(folder / "clock-offset"),
    )
    if port:
        environment["JISR_PORT"] = str(port)
    return Node(name, command, folder, environment, port)


def statements_folder(folder: Path) -> Path:
    """Where institutions put their daily files."""
    return folder / "statements"

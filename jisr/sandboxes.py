"""Finds the sandboxes that come with the connectors, and starts them as processes of their own."""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import connectors
from connectors.kit.sandbox.institution import sandbox_settings
from jisr.processes import Child, Processes

#: Requests to loopback never go through a proxy of the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """An institution that can be played."""

    name: str
    port: int
    settings: Mapping[str, Any]  #: The settings with which the connector reaches it.

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def control(self) -> str:
        """The page for people, and the control API beside it."""
        return f"{self.url}/_sandbox/"


def names() -> list[str]:
    """The connectors that have a sandbox, in alphabetical order."""
    return sorted(folder.name for folder in _folders())


def find(ports: Mapping[str, int]) -> list[Sandbox]:
    """The sandboxes named in `ports`, each at its port."""
    return [
        Sandbox(folder.name, ports[folder.name], sandbox_settings(folder, ports[folder.name]))
        for folder in sorted(_folders(), key=lambda folder: folder.name)
        if folder.name in ports
    ]


def start(processes: Processes, sandbox: Sandbox, folder: Path) -> Child:
    """Start one; its ledger and its log stand in `folder`, so that a restart remembers its effects."""
    ledgers = folder / "ledgers"
    ledgers.mkdir(parents=True, exist_ok=True)
    command: Sequence[str] = (
        *(sys.executable, "-m", "connectors.kit.sandbox", sandbox.name),
        *("--port", str(sandbox.port), "--ledger", str(ledgers / f"{sandbox.name}.ledger")),
    )
    return processes.start(sandbox.name, command, folder / "logs" / f"{sandbox.name}.log")


def healthy(url: str) -> bool:
    """Whether a GET of `url` is answered with 200."""
    try:
        with _OPENER.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def connector_settings(sandboxes: Sequence[Sandbox]) -> dict[str, dict[str, Any]]:
    """The settings with which the connectors reach their sandboxes."""
    return {sandbox.name: dict(sandbox.settings) for sandbox in sandboxes}


def _folders() -> list[Path]:
    root = Path(connectors.__file__).parent
    return [path.parent for path in (*root.glob("*/sandbox.toml"), *root.glob("*/*/sandbox.toml"))]

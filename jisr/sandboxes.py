"""Finds the sandboxes of the connector packages, and starts them as processes of their own."""

import ipaddress
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.sandbox.certificates import Certificates
from connectors.kit.sandbox.institution import sandbox_settings
from connectors.registry import BUILT_IN, package_folders
from jisr.processes import Child, Processes

#: Requests to loopback never go through a proxy of the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """An institution that can be played."""

    name: str
    folder: Path  #: Of its package.
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


def folders(connector_paths: Iterable[Path] = ()) -> dict[str, Path]:
    """The packages that have a sandbox, by name: the project's own in alphabetical order, then those of the paths.

    Raises ManifestError for a path that is no folder.
    """
    places = [*package_folders(BUILT_IN), *package_folders(connector_paths)]
    return {folder.name: folder for folder in places if (folder / "sandbox.toml").is_file()}


def ports(found: Iterable[str], base_port: int, connectors: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """A port for each: where the connector's own setting looks for it on this machine, else from `base_port` on."""
    looked_for = {name: _port(connectors.get(name, {}).get("base_url")) for name in found}
    taken = set(looked_for.values())
    free = (port for port in count(base_port) if port not in taken)
    return {name: port if port is not None else next(free) for name, port in looked_for.items()}


def _port(base_url: Any) -> int | None:
    """The port of an address of this machine; None for any other."""
    parts = urlsplit(str(base_url))
    try:
        here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return None
    return parts.port if here else None


def home(data_dir: Path) -> Path:
    """Where an installation's sandboxes keep what is theirs."""
    return data_dir / "sandboxes"


def find(
    packages: Mapping[str, Path], ports: Mapping[str, int], home: Path, seen_from: Path | None = None
) -> list[Sandbox]:
    """The sandboxes named in `ports`, each at its port.

    `home` is where their ledgers, logs and test certificates stand; the settings name the certificates as files,
    relative to `seen_from` (the settings file's folder) where that is given.
    """
    return [
        Sandbox(name, packages[name], port, _settings(packages[name], port, home, seen_from))
        for name, port in ports.items()
    ]


def _settings(folder: Path, port: int, home: Path, seen_from: Path | None) -> dict[str, Any]:
    settings = sandbox_settings(folder, port, _certificates(home, folder.name), as_files=True)
    if seen_from is None:
        return settings
    inside = f"file:{seen_from.resolve()}/"
    return {
        key: value.replace(inside, "file:", 1) if isinstance(value, str) else value for key, value in settings.items()
    }


def _certificates(home: Path, name: str) -> Certificates:
    return Certificates(home.resolve() / "certificates" / name)


def start(processes: Processes, sandbox: Sandbox, home: Path, statements: Path | None = None, *, gateway: str) -> Child:
    """Start one; its ledger and its log stand in `home`, so that a restart remembers its effects.

    `statements` is where it puts its daily files: the folder that a gateway looks at. `gateway` is the gateway's
    address, to which it sends what it sends by itself.
    """
    ledgers = home / "ledgers"
    ledgers.mkdir(parents=True, exist_ok=True)
    command: Sequence[str] = (
        *(sys.executable, "-m", "connectors.kit.sandbox", str(sandbox.folder)),
        *("--port", str(sandbox.port), "--ledger", str(ledgers / f"{sandbox.name}.ledger")),
        *("--certificates", str(_certificates(home, sandbox.name).folder)),
        *(("--statements", str(statements)) if statements is not None else ()),
        *(("--callbacks", f"{gateway}/callbacks/{sandbox.name}") if _calls_back(sandbox.folder) else ()),
    )
    return processes.start(sandbox.name, command, home / "logs" / f"{sandbox.name}.log")


def _calls_back(folder: Path) -> bool:
    """Whether the institution sends something by itself; what is wrong with its manifest its own process says."""
    try:
        return bool(tomllib.loads((folder / "manifest.toml").read_text("utf-8")).get("callbacks"))
    except (OSError, ValueError):
        return False


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

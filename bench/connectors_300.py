"""Start-up and memory of a gateway with 300 connector packages, each set up and none called yet.

The packages are copies of the Ministry of Education's, the largest of the tree, under other names. A WSDL is read by
the first call of its connector; what a package takes once all are opened is measured beside it, without a goal.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Goal, Measurement, Place
from bench.scene import rss_kib
from connectors.kit.contract import Ports
from connectors.kit.sandbox import find_folder
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from jisr.setup import toml
from tests.gateways import GatewayProcess

PACKAGES = 300
SETTINGS = {"base_url": "http://127.0.0.1:9", "username": "jisr", "password": "an invented password"}


def _packages(root: Path) -> list[str]:
    """The copies' names."""
    original = find_folder("education")
    names = [f"ministry_{number}" for number in range(PACKAGES)]
    for name in names:
        folder = root / name
        shutil.copytree(original, folder)
        manifest = folder / "manifest.toml"
        manifest.write_text(manifest.read_text("utf-8").replace('name = "education"', f'name = "{name}"'), "utf-8")
    return names


def _started(place: Place, name: str, root: Path | None, names: list[str]) -> tuple[float, int]:
    """Seconds until a gateway with these packages is ready, and its memory in KiB then."""
    home = place.folder / name
    home.mkdir()
    gateway = GatewayProcess(home, f"sqlite:///{home / 'jisr.db'}", dict.fromkeys(names, SETTINGS))
    gateway.install()
    if root is not None:
        gateway.config.write_text(f"connector_paths = {toml([str(root)])}\n{gateway.config.read_text()}")
    try:
        begun = time.perf_counter()
        gateway.start()
        assert gateway.process is not None
        return time.perf_counter() - begun, rss_kib(gateway.process.pid)
    finally:
        gateway.kill()


def _opened(root: Path) -> float:
    """KiB per package once every connector is opened whole, in a process of its own."""
    command = [sys.executable, "-m", "bench.connectors_300", str(root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(said.stdout)["kib_each"])


def _measure(place: Place) -> dict[str, float]:
    root = place.folder / "connectors"
    names = _packages(root)
    _, alone = _started(place, "alone", None, [])
    seconds, full = _started(place, "full", root, names)
    return {
        "connectors_300_seconds": seconds,
        "connectors_300_kib_each": (full - alone) / PACKAGES,
        "connectors_300_opened_kib_each": _opened(root),
    }


async def run(place: Place) -> dict[str, float]:
    """All figures of one set of packages."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("connectors_300_seconds", "s", Goal(5, at_least=False), run, ("sqlite",)),
    Measurement("connectors_300_kib_each", "KiB", Goal(300, at_least=False), run, ("sqlite",)),
    Measurement("connectors_300_opened_kib_each", "KiB", None, run, ("sqlite",)),
]


def _resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def main(root: Path) -> None:
    """Open every package under `root` and print what each took."""

    def now() -> datetime:
        return datetime.now(UTC)

    find_packages()  # what is loaded once is no package's own
    before = _resident_kib()
    packages = find_packages([root])
    kept = [
        open_connector(package, Ports(SETTINGS, LocalTokens(now), now))
        for name, package in packages.items()
        if name.startswith("ministry_")
    ]
    print(json.dumps({"kib_each": (_resident_kib() - before) / len(kept)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

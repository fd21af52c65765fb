"""Start-up and memory of a gateway with 300 connector packages, each set up and none called yet.

The packages are copies of the Ministry of Education's, the largest of the tree, under other names. A WSDL is read by
the first call of its connector; what a package takes once all are opened is measured beside it, without a goal.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from bench.measure import Goal, Measurement, Place
from bench.scene import cpu_seconds, rss_kib
from connectors.kit.contract import Ports
from connectors.kit.sandbox.server import find_folder
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from jisr.setup import toml
from tests.gateways import GatewayProcess

PACKAGES = 300
SETTINGS = {"base_url": "http://127.0.0.1:9", "username": "jisr", "password": "an invented password"}


@cache
def _packages() -> tuple[tempfile.TemporaryDirectory[str], list[str]]:
    """The folder of the copies, one for all runs, and their names."""
    place, original = tempfile.TemporaryDirectory(prefix="jisr-bench-300-"), find_folder("education")
    names = [f"ministry_{number}" for number in range(PACKAGES)]
    for name in names:
        folder = Path(place.name) / name
        shutil.copytree(original, folder, ignore=shutil.ignore_patterns("manifest.toml"), copy_function=_link)
        manifest = (original / "manifest.toml").read_text("utf-8")
        (folder / "manifest.toml").write_text(manifest.replace('name = "education"', f'name = "{name}"'), "utf-8")
    return place, names


def _link(source: str, target: str) -> None:
    """Another name for the same file where the system allows it: 50,000 copies would take minutes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _started(place: Place, name: str, root: Path | None, names: list[str]) -> tuple[float, float, int]:
    """Seconds until a gateway with these packages is ready, its CPU seconds and its memory in KiB then."""
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
        return time.perf_counter() - begun, cpu_seconds(gateway.process.pid), rss_kib(gateway.process.pid)
    finally:
        gateway.kill()


def _opened(root: Path) -> float:
    """KiB per package once every connector is opened whole, in a process of its own."""
    command = [sys.executable, "-m", "bench.connectors_300", str(root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(said.stdout)["kib_each"])


def _measure(place: Place) -> dict[str, float]:
    copies, names = _packages()
    root = Path(copies.name)
    _, _, alone = _started(place, "alone", None, [])
    seconds, spent, full = _started(place, "full", root, names)
    return {
        "connectors_300_seconds": seconds,
        "connectors_300_cpu_seconds": spent,
        "connectors_300_kib_each": (full - alone) / PACKAGES,
        "connectors_300_opened_kib_each": _opened(root),
    }


async def run(place: Place) -> dict[str, float]:
    """All figures of one set of packages."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("connectors_300_seconds", "s", Goal(5, at_least=False), run, ("sqlite",)),
    Measurement("connectors_300_cpu_seconds", "s", None, run, ("sqlite",)),
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

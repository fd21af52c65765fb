"""The scene of the gateway's measurements: an institution's sandbox and `jisr serve`, each a process of its own.

The connector is the Ministry of Education's package under another name, so that a service of the bench's own can use
it: free of charge, one check, and the deadline that a measurement needs.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import Place
from connectors.kit.sandbox.server import find_folder
from jisr.setup import toml
from tests.gateways import APPLICANT, CERTIFICATE, GatewayProcess
from tests.sandboxes import SandboxProcess, start_sandbox, stop_sandbox

CONNECTOR = "bench_education"
OPERATION = "check"
LANE = f"{CONNECTOR}.{OPERATION}"
SERVICE = "bench.certificate"
ORIGINAL_SERVICE = "education.secondary-certificate-copy"
#: What a channel sends for it.
BODY: Mapping[str, Any] = {"service": SERVICE, "applicant": APPLICANT, "input": CERTIFICATE["input"]}


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs."""

    sandbox: SandboxProcess
    gateway: GatewayProcess
    package: Path  #: The connector's folder.

    @property
    def gateway_pid(self) -> int:
        """The process whose CPU and memory are measured."""
        assert self.gateway.process is not None
        return self.gateway.process.pid


@contextmanager
def scene(
    place: Place,
    *,
    lane: int,
    deadline_seconds: int = 15,
    others: Mapping[str, Mapping[str, Any]] | None = None,
    dispatch: Mapping[str, Any] | None = None,
) -> Iterator[Scene]:
    """Both processes, warm or not as they come; `lane` is how many exchanges may be under way at a time.

    `others` are the settings of more connectors. All but `dispatch` are the defaults of an installation.
    """
    package = _package(place.folder / "connectors" / CONNECTOR, deadline_seconds)
    services = place.folder / "services"
    _service(services)
    sandbox = start_sandbox("education")
    try:
        gateway = _gateway(place, {CONNECTOR: sandbox.settings, **(others or {})}, services)
        gateway.dispatch = {"lanes": {LANE: lane}, **(dispatch or {})}
        _install(gateway, package)
        gateway.start()
        try:
            yield Scene(sandbox, gateway, package)
        finally:
            gateway.kill()  # a graceful end would wait for what is in flight
    finally:
        stop_sandbox(sandbox)


def _gateway(place: Place, connectors: Mapping[str, Mapping[str, Any]], services: Path) -> GatewayProcess:
    home = place.folder / "gateway"
    home.mkdir()
    return GatewayProcess(home, place.url, connectors, services=[str(services)])


def _install(gateway: GatewayProcess, package: Path) -> None:
    connector_paths = f"connector_paths = {toml([str(package)])}\n"
    gateway.install()
    gateway.config.write_text(connector_paths + gateway.config.read_text())


def _package(folder: Path, deadline_seconds: int) -> Path:
    shutil.copytree(find_folder("education"), folder)
    _rewrite(folder / "manifest.toml", 'name = "education"', f'name = "{CONNECTOR}"')
    _rewrite(folder / "manifest.toml", "deadline_seconds = 15", f"deadline_seconds = {deadline_seconds}")
    _rewrite(folder / "mapping" / "_parts.yaml", ORIGINAL_SERVICE, SERVICE)
    return folder


def _service(folder: Path) -> None:
    """The certificate's own service file with one step and no fee."""
    original = Path(__file__).parents[1] / "config" / "services" / f"{ORIGINAL_SERVICE}.toml"
    _, mark, form = original.read_text("utf-8").partition("[input]")
    assert mark, f"{original.name} has no [input]"
    head = f"""\
id = "{SERVICE}"
institution = "education"
turnaround_hours = 1
name.ar = "قياس"
name.en = "Measurement"
steps = [
  {{ kind = "check", connector = "{CONNECTOR}", operation = "{OPERATION}" }},
  {{ kind = "deliver" }},
]
"""
    folder.mkdir()
    (folder / f"{SERVICE}.toml").write_text(head + mark + form, "utf-8")


def _rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text, f"{file.name} has no {old!r} any more"
    file.write_text(text.replace(old, new), "utf-8")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads until now (proc(5), stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int) -> int:
    """The resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} has no memory")

"""`jisr sandbox`: the institutions' sandboxes, each a process of its own."""

import time
from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import Settings
from jisr import sandboxes
from jisr.commands.serve import probe
from jisr.errors import CommandError
from jisr.processes import Processes
from jisr.terminal import Front, front


def sandbox(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Which ones, by name or by folder; all, unless given.")
    ] = None,
) -> None:
    """Start sandboxes of the institutions and keep them running until Ctrl-C.

    All are those that come with the program and those of the setting connector_paths. Each listens where the
    connector's own base_url looks for it on this machine; where that says nothing, on the next port from
    sandbox.base_port on. What an institution sends by itself goes to the gateway of the settings.

    Examples:

      jisr sandbox

      jisr sandbox education syriatel_cash

      jisr sandbox ./municipality
    """
    here = front(context)
    settings = here.settings()
    packages = _chosen(here, sandboxes.folders(settings.connector_paths), names or [])
    known = sandboxes.folders(settings.connector_paths) | packages
    ports = sandboxes.ports(known, settings.sandbox.base_port, settings.connectors)
    wanted = {name: ports[name] for name in packages}
    home = sandboxes.home(settings.data_dir)
    with Processes(patience_seconds=5) as processes:
        try:
            _start(here, processes, sandboxes.find(packages, wanted, home), home, settings)
            here.say("أوقفها بـ Ctrl-C.", "Ctrl-C ends them.")
            while True:
                for child in processes.dead():
                    raise CommandError(
                        here.text(
                            f"انتهى {child.name} (بالحالة {child.ended})؛ انظر {child.log}.",
                            f"{child.name} ended (status {child.ended}); see {child.log}.",
                        )
                    )
                time.sleep(0.5)
        except KeyboardInterrupt:
            here.say("أُوقفت.", "Ended.")


def _start(here: Front, processes: Processes, found: list[sandboxes.Sandbox], home: Path, settings: Settings) -> None:
    """Start all of them, then say of each when it is ready."""
    for one in found:
        _require_free(here, one)
    statements, gateway = settings.statements_folder, f"http://127.0.0.1:{settings.port}"
    started = [(one, sandboxes.start(processes, one, home, statements, gateway=gateway)) for one in found]
    for one, child in started:
        processes.wait_until(child, lambda one=one: sandboxes.healthy(f"{one.control}health"))  # type: ignore[misc]
        here.out.print(f"[green]✓[/] {one.name:20} {one.control}")


def _require_free(here: Front, one: sandboxes.Sandbox) -> None:
    try:
        probe("127.0.0.1", one.port)
    except OSError as error:
        raise CommandError(
            here.text(
                f"المنفذ {one.port} الذي تسمع عليه الجهة التجريبية {one.name} مشغول أو ممنوع: "
                f"أوقف البرنامج الذي يستعمله، أو غيّر base_url في [connectors.{one.name}] أو sandbox.base_port.",
                f"Port {one.port}, on which the sandbox of {one.name} listens, cannot be had "
                f"({(error.strerror or str(error)).lower()}): stop the program that uses it, or change base_url in "
                f"[connectors.{one.name}], or sandbox.base_port.",
            )
        ) from error


def _chosen(here: Front, known: dict[str, Path], names: list[str]) -> dict[str, Path]:
    """The packages that are meant; a word with a slash is a folder."""
    if not names:
        return known
    chosen: dict[str, Path] = {}
    for name in names:
        folder = Path(name).resolve() if "/" in name or name in {".", ".."} else known.get(name)
        if folder is None:
            raise CommandError(
                here.text(
                    f"لا توجد جهة تجريبية باسم {name!r}؛ المتاح: {', '.join(known)}.",
                    f"There is no sandbox {name!r}; there are {', '.join(known)}.",
                )
            )
        if not (folder / "sandbox.toml").is_file():
            raise CommandError(
                here.text(
                    f"ليس في {name} حزمة لها بيئة تجريبية (لا sandbox.toml).",
                    f"{name} holds no package with a sandbox (no sandbox.toml).",
                )
            )
        chosen[folder.name] = folder
    return chosen

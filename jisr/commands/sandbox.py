"""`jisr sandbox`: the institutions' sandboxes, each a process of its own."""

import time
from pathlib import Path
from typing import Annotated

import typer

from jisr import sandboxes
from jisr.commands.serve import require_free_port
from jisr.errors import CommandError
from jisr.processes import Processes
from jisr.terminal import front


def sandbox(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all, unless given.")] = None,
) -> None:
    """Start sandboxes of the institutions and keep them running until Ctrl-C.

    Each keeps its port: they are numbered in alphabetical order from sandbox.base_port on.

    Examples:

      jisr sandbox

      jisr sandbox education syriatel_cash
    """
    here = front(context)
    settings = here.settings()
    known = sandboxes.names()
    for name in names or ():
        if name not in known:
            raise CommandError(
                here.text(
                    f"لا توجد جهة تجريبية باسم {name!r}؛ المتاح: {', '.join(known)}.",
                    f"There is no sandbox {name!r}; there are {', '.join(known)}.",
                )
            )
    ports = {name: settings.sandbox.base_port + number for number, name in enumerate(known) if name in (names or known)}
    folder: Path = settings.data_dir / "sandboxes"
    with Processes(patience_seconds=5) as processes:
        for found in sandboxes.find(ports):
            require_free_port(here, "127.0.0.1", found.port)
            child = sandboxes.start(processes, found, folder)
            processes.wait_until(child, lambda found=found: sandboxes.healthy(f"{found.control}health"))  # type: ignore[misc]
            here.out.print(f"[green]✓[/] {found.name:20} {found.control}")
        here.say("أوقفها بـ Ctrl-C.", "Ctrl-C ends them.")
        try:
            while True:
                for child in processes.dead():
                    raise CommandError(f"{child.name} ended (status {child.ended}); see {child.log}.")
                time.sleep(0.5)
        except KeyboardInterrupt:
            here.say("أُوقفت.", "Ended.")

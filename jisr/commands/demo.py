"""`jisr demo`: everything on one machine, shown."""

from pathlib import Path
from typing import Annotated

import typer

from jisr.terminal import front


def demo(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="End by itself; the exit status says whether both documents came.")
    ] = False,
    every: Annotated[
        bool,
        typer.Option("--all", help="Run every service of the catalogue to its result instead, print a table and end."),
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--json", help="With --all: a file that gets the table as a list of objects.")
    ] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where its records, logs and documents are kept.")] = Path(
        "var/demo"
    ),
) -> None:
    """Start sandboxes and gateway, run a paid and a free request to their documents, and stay until Ctrl-C.

    A run that was killed is finished by the next one in the same folder.

    Examples:

      jisr demo

      jisr demo --once --dir /tmp/jisr-demo

      jisr demo --all --json services.json
    """
    from jisr.demo import run
    from jisr.demo_all import run_all

    if report is not None and not every:
        raise typer.BadParameter("--json needs --all")
    if every:
        raise typer.Exit(run_all(front(context), folder, report))

    raise typer.Exit(run(front(context), folder, once=once))

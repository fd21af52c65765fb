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
    folder: Annotated[Path, typer.Option("--dir", help="Where its records, logs and documents are kept.")] = Path(
        "var/demo"
    ),
) -> None:
    """Start sandboxes and gateway, run a paid and a free request to their documents, and stay until Ctrl-C.

    A run that was killed is finished by the next one in the same folder.

    Examples:

      jisr demo

      jisr demo --once --dir /tmp/jisr-demo
    """
    from jisr.demo import run

    raise typer.Exit(run(front(context), folder, once=once))

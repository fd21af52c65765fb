"""`jisr connector record`: samples from the institution's answers."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from jisr.commands.connector_check import find_folder
from jisr.errors import CommandError
from jisr.terminal import front


def record(
    context: typer.Context,
    package: Annotated[str, typer.Argument(help="A package's folder.")],
    samples: Annotated[list[str] | None, typer.Argument(help="Which: OPERATION/CASE; all, unless given.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Write request and outcome anew where they exist.")] = False,
) -> None:
    """Complete samples: you write the institution's answer, the package makes the request and the outcome.

    A sample is a folder samples/OPERATION/CASE with response.xml or response.json. What it lacks of canonical.json
    (taken from the operation's sample `succeeded`), request and outcome.json is written. What is recorded is what
    happens, not what is right: read it before you keep it.

    Examples:

      jisr connector record ./municipality

      jisr connector record ./municipality submit/refused-not-the-owner --anew
    """
    from connectors.kit.conformance.case import Failure
    from connectors.kit.conformance.record import record as recorded

    here = front(context)
    folder = find_folder(here, package)
    try:
        done = asyncio.run(recorded(Path(folder), samples or [], anew=anew))
    except Failure as failure:
        raise CommandError(here.text(*failure.text)) from failure
    for one in done:
        here.out.print(f"[green]✓[/] {one.sample}  {one.outcome}  [dim]{', '.join(one.files)}[/]")
    here.say(
        f"سُجّلت {len(done)} عينة؛ اقرأها قبل أن تعتمدها: سُجّل ما يحدث، لا ما يصح.",
        f"{len(done)} samples recorded; read them before you keep them: this is what happens, not what is right.",
    )

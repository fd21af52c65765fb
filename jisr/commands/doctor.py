"""`jisr doctor`: looks at everything that an installation needs and says in plain words what is wrong."""

import typer
from rich.table import Table
from rich.text import Text

from jisr.terminal import front


def doctor(context: typer.Context) -> None:
    """Check settings, keyring, services, server, database, connectors, clock and disk; 1 when something is wrong.

    Example:

      jisr doctor
    """
    from jisr.checks import examine

    here = front(context)
    settings = here.settings()
    wrong = 0
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in examine(settings):
        wrong += not finding.good
        mark = "[green]✓[/]" if finding.good else "[red]✗[/]"
        table.add_row(mark, Text(here.text(*finding.subject)), Text(here.text(*finding.said)))
    here.out.print(table)
    if wrong:
        here.err.print(here.text(f"يجب إصلاح {wrong} مما سبق.", f"{wrong} of these must be mended."), style="red")
        raise typer.Exit(1)
    here.say("كل شيء سليم.", "Everything is well.")

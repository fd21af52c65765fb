"""`jisr connector`: the packages that speak to institutions."""

import typer

from jisr.commands.connector_check import check
from jisr.commands.connector_record import record

app = typer.Typer(no_args_is_help=True, help="Connector packages: what an institution's own team writes and proves.")
app.command("check")(check)
app.command("record")(record)

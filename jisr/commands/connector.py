"""`jisr connector`: the packages that speak to institutions."""

import typer

from jisr.commands.connector_check import check
from jisr.commands.connector_init import init
from jisr.commands.connector_lock import lock
from jisr.commands.connector_record import record
from jisr.commands.connector_show import list_packages, show

app = typer.Typer(no_args_is_help=True, help="Connector packages: what an institution's own team writes and proves.")
app.command("init")(init)
app.command("list")(list_packages)
app.command("show")(show)
app.command("check")(check)
app.command("record")(record)
app.command("lock")(lock)

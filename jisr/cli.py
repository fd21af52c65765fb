"""The command `jisr`: its global options, its commands, and the guard that turns every error into one sentence."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from jisr.commands import (
    backup,
    connector,
    database,
    deadletter,
    demo,
    doctor,
    documents,
    doubts,
    init,
    mapping,
    principals,
    reconcile,
    requests,
    sandbox,
    schedule,
    serve,
    stranded,
    webhooks,
)
from jisr.errors import sentence_of
from jisr.terminal import LANGUAGES, Front

app = typer.Typer(
    name="jisr",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Jisr (جسر): the gateway between citizen-service channels and the institutions that serve the citizen.\n\n"
    "Try [bold]jisr demo[/bold] first; [bold]jisr init[/bold] prepares an installation of your own.",
)

app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("sandbox")(sandbox.sandbox)
app.add_typer(principals.channels, name="channel")
app.add_typer(principals.operators, name="operator")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(requests.app, name="request")
app.add_typer(reconcile.app, name="reconcile")
app.add_typer(deadletter.app, name="deadletter")
app.add_typer(doubts.app, name="doubt")
app.add_typer(schedule.app, name="schedule")
app.command("stranded")(stranded.stranded)
app.command("init")(init.init)
app.add_typer(database.app, name="db")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.add_typer(documents.app, name="docs")
app.add_typer(connector.app, name="connector")
app.add_typer(mapping.app, name="mapping")


def _version(asked: bool) -> None:
    if asked:
        print(f"jisr {installed_version()}")
        raise typer.Exit


def installed_version() -> str:
    """The version of the installed program, or `0` in a tree that was never installed."""
    try:
        return version("jisr")
    except PackageNotFoundError:
        return "0"


def _language(value: str | None) -> str | None:
    if value is not None and value not in LANGUAGES:
        raise typer.BadParameter("ar / en")
    return value


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings file; else JISR_CONFIG, else ./jisr.toml.")
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option("--lang", help="Language of messages: ar or en; else the locale's.", callback=_language),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected fault.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    front = context.ensure_object(Front)
    front.config, front.debug = config, debug
    if lang is not None:
        front.language = lang


def main() -> NoReturn:
    """Run the command line. Exit status: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    front = Front()
    try:
        app(obj=front)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe has gone, as in `jisr request list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the guard: nobody at a terminal reads a traceback
        sys.exit(_fail(front, error))
    sys.exit(0)


def _fail(front: Front, error: Exception) -> int:
    sentence = sentence_of(error, front.language)
    if sentence is None:
        report = front.report_crash(error)
        kind = type(error).__name__
        where = f": {report}" if report else ""
        sentence = front.text(
            f"حدث خلل غير متوقع في البرنامج ({kind})؛ أعد الأمر مع ‎--debug، أو أرسل التقرير{where}",
            f"The program met an unexpected fault ({kind}); repeat with --debug, or send the report{where}",
        )
    if front.debug:
        front.err.print_exception()
    front.err.print(sentence, style="red", markup=False)
    return 1

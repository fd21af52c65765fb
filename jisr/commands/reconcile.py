"""`jisr reconcile`: take statements in, close what is in doubt, and read the report of a day."""

import getpass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from jisr import admin_client
from jisr.commands import breaks
from jisr.errors import CommandError
from jisr.setup import write_private
from jisr.terminal import Front, front

app = typer.Typer(no_args_is_help=True, help="Reconciliation: what we did against what institutions list, day by day.")

app.add_typer(breaks.app, name="break")

Day = Annotated[str | None, typer.Option("--day", help="The day, YYYY-MM-DD; yesterday, unless given.")]
#: Exit statuses beside 0 and 1: the day is run, and people must look at it.
_EXCEPTIONS, _REFUSED = 3, 4


@app.command("run")
def run(context: typer.Context, day: Day = None) -> None:
    """Take in the files that wait, match the day, close what is in doubt, and write the report.

    Running it again changes nothing and gives the same report. Exit status: 0 all is matched, 3 there are breaks,
    4 a file was refused, 1 it could not run.

    Examples:

      jisr reconcile run

      jisr reconcile run --day 2026-11-24
    """
    here = front(context)
    settings = here.settings()
    look = admin_client.call(settings, "reconcile.look")
    wanted = _day(here, day, look["yesterday"])
    if not look["sources"]:
        raise CommandError(
            here.text(
                "لا كشوف معلنة: ليس بين الموصلات المضبوطة موصل في حزمته [statements].",
                "There are no statements: no connector that is set up declares [statements].",
            )
        )
    for path in look["strays"]:
        places = ", ".join(name.replace(".", "/") for name in look["sources"])
        here.say(
            f"[yellow]![/] {path}: لا كشف في هذا المجلد؛ ضع الملف في أحد: {places}",
            f"[yellow]![/] {path}: no statement is looked for here; put it into one of {places}",
        )
    refused = 0
    with Progress(console=here.err, transient=True) as progress:
        steps = progress.add_task(here.text("تسوية", "Reconciling"), total=len(look["files"]) + 3)
        for source, name in look["files"]:
            taken = admin_client.call(settings, "reconcile.take", source=source, name=name)
            refused += taken["state"] == "refused"
            _tell_taken(here, source, name, taken)
            progress.advance(steps)
        matched = admin_client.call(settings, "reconcile.match", day=wanted)
        progress.advance(steps)
        closed = admin_client.call(settings, "reconcile.close")
        progress.advance(steps)
        made = admin_client.call(settings, "reconcile.conclude", day=wanted)
        progress.advance(steps)
    here.say(
        f"متطابق جديد: {matched['groups']} · حُسم: تم {closed['done']}، لم يتم {closed['not_done']}"
        f"{'، ينتظر ' + str(closed['waiting']) if closed['waiting'] else ''}",
        f"Newly matched: {matched['groups']} · settled: done {closed['done']}, not done {closed['not_done']}"
        f"{', waiting ' + str(closed['waiting']) if closed['waiting'] else ''}",
    )
    exceptions = _tell(here, made)
    if refused or exceptions:
        raise typer.Exit(_REFUSED if refused else _EXCEPTIONS)


@app.command("correct")
def correct(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The statement: syriatel_cash.settlement.")],
    name: Annotated[str, typer.Argument(help="The file in its folder that is the right one.")],
) -> None:
    """Take a file in that contradicts one of its day, in its place: when the institution has said that this is right.

    Rows that both have keep their matches; what only the old one had is matched no more. Then run the day again.

    Example:

      jisr reconcile correct syriatel_cash.settlement settlement-2026-11-24-v2.csv
    """
    here = front(context)
    taken = admin_client.call(here.settings(), "reconcile.take", source=source, name=name, by=getpass.getuser())
    if taken["state"] == "gone":
        raise CommandError(
            here.text(f"لا ملف {name!r} في مجلد {source}.", f"There is no file {name!r} in the folder of {source}.")
        )
    if taken["state"] == "known":
        here.say(f"{name}: أُدخل من قبل، ولا جديد فيه.", f"{name}: it was taken in before and says nothing new.")
        return
    _tell_taken(here, source, name, taken)
    if taken["state"] == "refused":
        raise typer.Exit(_REFUSED)
    here.say(f"شغّل الآن jisr reconcile run --day {taken['day']}", f"Now run `jisr reconcile run --day {taken['day']}`.")


@app.command("report")
def report(
    context: typer.Context,
    day: Day = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for JSON, CSV and XLSX; only shown, unless given.")
    ] = None,
) -> None:
    """Show the report of a day that was run, or write it: report.json, a CSV a table, report.xlsx, SHA256SUMS.

    Exit status: 0 all is matched, 3 there are breaks, 1 the day was not run.

    Examples:

      jisr reconcile report --day 2026-11-24

      jisr reconcile report --day 2026-11-24 --output reports/
    """
    here = front(context)
    settings = here.settings()
    wanted = _day(here, day, admin_client.call(settings, "reconcile.look")["yesterday"])
    made = admin_client.call(settings, "reconcile.report", day=wanted)
    if made is None:
        raise CommandError(
            here.text(
                f"لم تُسوَّ بيانات يوم {wanted} بعد؛ شغّل jisr reconcile run --day {wanted}.",
                f"The day {wanted} was not run yet; run `jisr reconcile run --day {wanted}`.",
            )
        )
    exceptions = _tell(here, made)
    if output is not None:
        from gateway.reconciliation.writing import files_of_report

        folder = output / wanted
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files_of_report(made["report"]).items():
            write_private(folder / name, content)
        here.say(f"كُتب في {folder}", f"Written to {folder}")
    if exceptions:
        raise typer.Exit(_EXCEPTIONS)


def _day(here: Front, given: str | None, yesterday: str) -> str:
    """A day that is over. Raises CommandError."""
    if given is None:
        return yesterday
    try:
        day = date.fromisoformat(given)
    except ValueError as error:
        raise CommandError(
            here.text(f"اليوم {given!r} لا يُقرأ؛ اكتبه 2026-11-24.", f"The day {given!r} is no date; write 2026-11-24.")
        ) from error
    if day > date.fromisoformat(yesterday):
        raise CommandError(
            here.text(
                f"يوم {given} لم ينته بعد؛ آخر يوم تام هو {yesterday}.",
                f"The day {given} is not over; the last whole day is {yesterday}.",
            )
        )
    return day.isoformat()


def _tell_taken(here: Front, source: str, name: str, taken: dict[str, Any]) -> None:
    problem = taken["problem"]
    if problem is not None:
        from gateway.reconciliation.words import refusal

        line = f":{problem['line']}" if problem["line"] else ""
        sentence = refusal(problem["code"], problem["facts"], here.language)
        here.out.print(f"[red]✗[/] {source}  {name}{line}: {sentence}")
    elif taken["state"] == "accepted":
        rows = here.text(f"{taken['lines']} سطراً", f"{taken['lines']} rows")
        here.out.print(f"[green]✓[/] {source}  {name}  {taken['day']}  {rows}")


def _tell(here: Front, made: dict[str, Any]) -> int:
    """Show a report; how many exceptions it has."""
    content = made["report"]
    here.out.print(
        here.text(f"يوم {content['day']}، التشغيل {made['number']}", f"{content['day']}, run {made['number']}")
    )
    here.out.print(f"  sha256 {made['checksum']}", style="dim", markup=False)
    table = Table(box=None, pad_edge=False)
    for ar, en in (
        ("الكشف", "Statement"),
        ("ملفات", "Files"),
        ("لديهم", "Theirs"),
        ("لدينا", "Ours"),
        ("متطابق", "Matched"),
        ("لم يتم", "Not done"),
        ("فروق", "Exceptions"),
        ("منتظر", "Expected"),
    ):
        table.add_column(here.text(ar, en))
    exceptions = 0
    for source in content["sources"]:
        proof, counts = source["proof"], source["counts"]
        exceptions += counts["exceptions"]
        table.add_row(
            source["source"],
            str(len(source["files"])),
            *(str(proof[name]["count"]) for name in ("theirs", "ours", "theirs_matched", "ours_not_done")),
            str(counts["exceptions"]),
            str(counts["expected"]),
        )
    here.out.print(table)
    for each in content["breaks"]:
        about = each["our_reference"] or each["day"]
        where = f"  {each['file']}:{each['line']}" if each["file"] else ""
        age = here.text(f"{each['age_business_days']} يوم عمل", f"{each['age_business_days']} working days")
        here.out.print(f"  {each['id']}  {each['title'][here.language]}  {age}  {about}{where}", markup=False)
    return exceptions

"""`jisr connector check`: the conformance suite over one package, for a terminal, as JSON and as a page."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text as Line

from connectors.kit.conformance.case import Result, Text, Verdict
from connectors.kit.conformance.page import more, once
from connectors.kit.conformance.report import Report
from jisr.terminal import Front, front

_SIGNS: Mapping[Verdict, tuple[str, str]] = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "yellow"),
}


def check(
    context: typer.Context,
    package: Annotated[str, typer.Argument(help="A package's folder, or the name of a connector that is installed.")],
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this group, case, operation, or check (with * and ?); may stand several times."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the results here as JSON too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page in both languages here too.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show what passed too, one line for each check.")] = False,
) -> None:
    """Prove a connector package: samples, codes, the write gate, late, cut and spoiled answers, privacy.

    Its sandbox is started as a process of its own. Exit status: 0 everything passed, 1 something failed, 2 wrong usage.

    Examples:

      jisr connector check education

      jisr connector check ./municipality --html report.html

      jisr connector check education --only write-gate --only "submit/sample*"
    """
    here = front(context)
    folder = find_folder(here, package)
    report = _examine(here, folder, only or [])
    _show(here, report, every=every)
    for file, content in ((json_file, report.as_json), (html_file, report.as_html)):
        if file is not None:
            file.write_text(content(), encoding="utf-8")
    if not report.good:
        raise typer.Exit(1)


def find_folder(here: Front, package: str) -> Path:
    """The folder that a person means: a path, or the name of a connector in the tree or in `connector_paths`."""
    folder = Path(package)
    if (folder / "manifest.toml").is_file():
        return folder
    found = {name.name: name for name in _installed(here)}
    if package in found:
        return found[package]
    names = ", ".join(sorted(found))
    wrong = here.text(
        f"{package} ليس مجلد حزمة (لا manifest.toml فيه) ولا اسم موصل؛ الموصلات: {names}.",
        f"{package} is neither a package's folder (it has no manifest.toml) nor the name of a connector; "
        f"there are {names}.",
    )
    here.err.print(wrong, style="red", markup=False)
    raise typer.Exit(2)


def _installed(here: Front) -> list[Path]:
    from connectors.registry import BUILT_IN

    roots = [*BUILT_IN, *(Path(path) for path in here.settings().connector_paths)]
    folders = [folder for root in roots for folder in (root, *sorted(root.glob("*/")))]
    return [folder for folder in folders if (folder / "manifest.toml").is_file()]


def _examine(here: Front, folder: Path, only: list[str]) -> Report:
    from connectors.kit.conformance.suite import examine
    from gateway.errors import CATALOGUE

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=here.err, transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(here.text(f"فحص {folder.name}", f"checking {folder.name}"), total=None)
        results = asyncio.run(
            examine(
                folder,
                catalogue=frozenset(CATALOGUE),
                only=only,
                begun=lambda total: progress.update(bar, total=total),
                done=lambda _: progress.advance(bar),
            )
        )
    if not results:
        wrong = here.text(
            f"لا فحص باسم {', '.join(only)}؛ تعددها docs/reference/conformance.md.",
            f"No check is named {', '.join(only)}; docs/reference/conformance.md lists them.",
        )
        here.err.print(wrong, style="red", markup=False)
        raise typer.Exit(2)
    return Report(folder.resolve(), tuple(results), datetime.now(UTC))


def _show(here: Front, report: Report, *, every: bool) -> None:
    """A table of the groups, then each failure as a sentence with its place."""
    table = Table(here.text("المجموعة", "group"), *(sign for sign, _ in _SIGNS.values()), box=None, pad_edge=False)
    for group, counts in report.by_group().items():
        cells = [Line(str(counts[status] or ""), style=style) for status, (_, style) in _SIGNS.items()]
        table.add_row(here.text(*report.group_title(group)), *cells)
    here.out.print(table)
    told = [row for row in report.rows() if every or row[0].noted or row[0].status != "passed"]
    for (result, where), others in [(row, 0) for row in told] if every else once(told):
        here.out.print(_line(here, result, where, more(others)))
    passed, failed, skipped = (report.count(status) for status in _SIGNS)
    style = "green" if report.good else "red"
    here.out.print(
        here.text(
            f"[{style}]{report.name}: نجح {passed}، فشل {failed}، لم ينطبق {skipped}[/]",
            f"[{style}]{report.name}: {passed} passed, {failed} failed, {skipped} not applicable[/]",
        )
    )


def _line(here: Front, result: Result, where: str, others: Text) -> Line:
    sign, style = _SIGNS[result.status]
    line = Line(f"{sign} {result.id}  ", style=style)
    line.append(here.text(*result.text), style="default")
    if where:
        line.append(f"  {where}", style="cyan")
    if others.en:
        line.append(f"  {here.text(*others)}", style="dim")
    return line

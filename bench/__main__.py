"""`python -m bench`: runs the measurements, prints a table, and merges the figures into bench/results.json."""

import argparse
import asyncio
import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import bench
from bench.measure import DATABASES, NO_DATABASE, Measurement, Place, row
from tests.postgresql import Server, running_server

RESULTS = Path(__file__).with_name("results.json")


def measurements() -> list[Measurement]:
    """Every measurement of every module of this folder, by name."""
    found: list[Measurement] = []
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name != "__main__":
            found += getattr(importlib.import_module(f"bench.{module.name}"), "MEASUREMENTS", ())
    return sorted(found, key=lambda measurement: measurement.name)


def chosen(every: Sequence[Measurement], only: str | None, *, long: bool) -> list[Measurement]:
    """All short ones, all long ones, or those that were asked for by name, or by what several names begin with.

    What comes of the same runs as a figure that was asked for comes with it.
    """
    if only is None:
        return [measurement for measurement in every if measurement.long == long]
    named = [each for each in every if each.name == only]
    named = named or [each for each in every if each.name.startswith(f"{only}_")]
    if not named:
        sys.exit(f"no measurement is called {only!r}; there are: {', '.join(each.name for each in every)}")
    runs = {each.run for each in named}
    return [each for each in every if each.run in runs]


@contextmanager
def _place(database: str, run: int, server: Server | None) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="jisr-bench-") as name:
        folder = Path(name)
        if database == NO_DATABASE:
            yield Place(database, "", folder, run)
        elif server is None:
            yield Place(database, f"sqlite:///{folder / 'jisr.db'}", folder, run)
        else:
            with server.fresh_database() as url:
                yield Place(database, url, folder, run)


def measure(wanted: Sequence[Measurement], console: Console) -> list[dict[str, Any]]:
    """Run what is wanted, on each database in turn; measurements that share a function share its runs."""
    groups: dict[tuple[Any, str], list[Measurement]] = {}
    for measurement in wanted:
        for database in measurement.databases:
            groups.setdefault((measurement.run, database), []).append(measurement)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    rows: list[dict[str, Any]] = []
    with Progress(*columns, console=console, transient=True) as progress:
        for database in (NO_DATABASE, *DATABASES):
            here = {run: group for (run, name), group in groups.items() if name == database}
            if database == "postgresql" and here:
                with running_server() as server:
                    for group in here.values():
                        rows += _run_group(group, database, server, progress)
            else:
                for group in here.values():
                    rows += _run_group(group, database, None, progress)
    return rows


def _run_group(
    group: Sequence[Measurement], database: str, server: Server | None, progress: Progress
) -> list[dict[str, Any]]:
    runs = max(measurement.runs for measurement in group)
    task = progress.add_task(f"{group[0].name} · {database}", total=runs)
    values: list[dict[str, float]] = []
    for run in range(runs):
        with _place(database, run, server) as place:
            values.append(asyncio.run(_once(group[0], place)))
        progress.advance(task)
    return [row(measurement, database, [value[measurement.name] for value in values]) for measurement in group]


async def _once(measurement: Measurement, place: Place) -> dict[str, float]:
    return await measurement.run(place)


def merge(path: Path, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace the rows of the same name and database in the file, keep the others, and give all."""
    kept = json.loads(path.read_text()) if path.exists() else []
    by_key = {(each["name"], each["database"]): each for each in [*kept, *rows]}
    merged = [by_key[key] for key in sorted(by_key)]
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(merged, indent=2) + "\n")
    fresh.replace(path)
    return merged


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows as people read them."""
    grid = Table()
    for name in ("measurement", "database", "median", "unit", "goal", "met", "runs"):
        grid.add_column(name, no_wrap=name == "measurement")
    for each in rows:
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[each["met"]]
        runs = " ".join(f"{value:g}" for value in each["runs"])
        grid.add_row(each["name"], each["database"], f"{each['value']:g}", each["unit"], each["goal"] or "", met, runs)
    return grid


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="run one measurement, or a group, and replace only its rows")
    parser.add_argument("--long", action="store_true", help="run those that take longer")
    options = parser.parse_args()
    console = Console()
    rows = measure(chosen(measurements(), options.only, long=options.long), console)
    merge(RESULTS, rows)
    console.print(table(rows))


if __name__ == "__main__":
    main()

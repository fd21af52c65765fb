"""`make corpus`: every WSDL of the listed and of the installed packages, through our codec and through zeep; prints a table."""

import hashlib
import json
import logging
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.corpus.compare import ZEEP_FAILS, Comparison, PortReport, WsdlError
from tests.corpus.fetching import fetch

GOAL = 0.95
EQUAL, EQUAL_UNREAD, DIFFERS, REFUSED = "equal", "equal, zeep reads less", "differs", "refused"
NO_SOAP, NOT_ZEEP = "no SOAP port", "zeep cannot load it"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one WSDL."""

    package: str
    file: str
    verdict: str
    sentence: str
    compared: int = 0
    skipped: int = 0
    through_zeep: int = 0
    unread: int = 0  #: Messages in which zeep leaves a declared element to a wildcard, unread.


def look(package: str, folder: Path, file: str) -> Result:
    """One WSDL. Every outcome is a sentence, never a traceback."""
    try:
        comparison = Comparison(folder, file)
    except (*ZEEP_FAILS, OSError, NotImplementedError, SyntaxError) as error:
        return Result(package, file, NOT_ZEEP, _line(error))
    if not comparison.ports():
        return Result(package, file, NO_SOAP, "none of its ports speaks SOAP; there is no message to compare")
    try:
        reports = [comparison.compare(port) for port in comparison.ports()]
    except WsdlError as error:
        return Result(package, file, REFUSED, _line(error))
    wrong = _wrong(reports)
    unread = sum(report.unread for report in reports)
    return Result(
        package,
        file,
        DIFFERS if wrong else EQUAL_UNREAD if unread else EQUAL,
        wrong or _remark(reports, unread),
        sum(report.compared for report in reports),
        sum(report.skipped for report in reports),
        sum(report.through_zeep for report in reports),
        unread,
    )


def _wrong(reports: list[PortReport]) -> str:
    found = [each for report in reports for each in report.differences if not each.blames_zeep]
    return (
        ""
        if not found
        else f"{len(found)} messages, first {found[0].operation} {found[0].direction}: {found[0].problem}"
    )


def _remark(reports: list[PortReport], unread: int) -> str:
    if unread:
        return f"in {unread} messages zeep leaves an element that the type declares to a wildcard before it, unread"
    zeeps = [each for report in reports for each in report.differences]
    if zeeps:
        return f"{len(zeeps)} messages that only ours masters, first {zeeps[0].operation}: {zeeps[0].problem}"
    notes = [note for report in reports for note in report.notes]
    return notes[0] if notes else ""


def _line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]


def wsdls(places: Iterator[tuple[str, Path | None]], console: Console) -> Iterator[tuple[str, Path, str]]:
    """Every WSDL once, with the folder that its imports may come from."""
    seen: set[str] = set()
    for package, folder in places:
        if folder is None:
            console.print(f"[yellow]{package} is not to be had here")
            continue
        for path in sorted(folder.rglob("*.wsdl")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest not in seen:
                seen.add(digest)
                yield package, folder, path.relative_to(folder).as_posix()


def _installed() -> Iterator[tuple[str, Path | None]]:
    for folder in sorted({Path(place) for place in sys.path if place.endswith("site-packages")}):
        for package in sorted(folder.iterdir()):
            if package.is_dir() and next(package.rglob("*.wsdl"), None) is not None:
                yield f"installed: {package.name}", package


def _table(results: list[Result]) -> Table:
    grid = Table("WSDL", "verdict", "messages", "skipped", "through zeep", "remark")
    for each in results:
        row = (Path(each.file).name, each.verdict, each.compared, each.skipped, each.through_zeep, each.sentence)
        grid.add_row(*(str(cell) for cell in row))
    return grid


def main() -> int:
    """Print the table and the share; 1 when the share is below the goal."""
    console = Console(width=220)
    logging.disable(logging.CRITICAL)  # zeep tells of each date that it cannot read
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="jisr-corpus-") as name:

        def places() -> Iterator[tuple[str, Path | None]]:
            yield from _installed()
            yield from fetch(Path(name))

        results = [look(*place) for place in wsdls(places(), console)]
    console.print(_table(sorted(results, key=lambda each: (each.verdict, each.file))))
    counts = Counter(each.verdict for each in results)
    comparable = sum(counts[verdict] for verdict in (EQUAL, EQUAL_UNREAD, DIFFERS, REFUSED))
    share = (counts[EQUAL] + counts[EQUAL_UNREAD]) / comparable if comparable else 0.0
    summary = {
        "wsdls": len(results),
        **counts,
        "share equal to zeep": round(share, 3),
        "of these, zeep reads less": counts[EQUAL_UNREAD],
        "messages": sum(each.compared for each in results),
        "messages that zeep leaves partly unread": sum(each.unread for each in results),
        "skipped": sum(each.skipped for each in results),
    }
    console.print(json.dumps(summary))
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

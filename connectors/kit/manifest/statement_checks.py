"""What must be so within a `[statements.NAME]`, beyond the form of each key."""

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.kit.manifest.forms import OPERATION, READING_ROLES, Manifest
from connectors.kit.manifest.statements import TOTALS, DeclaredStatement
from mappings.money import denomination_of

_NEEDED = ("our_reference", "their_reference", "at")
_CONSTANT = re.compile(r"'[^']+'")


def statement_problems(manifest: Manifest, name: str, statement: DeclaredStatement) -> Iterator[tuple[str, str]]:
    """Key (behind the statement's own) and problem."""
    if not OPERATION.fullmatch(name):
        yield "", "a statement's name has lower case letters, digits and hyphens"
    reported = manifest.operations.get(statement.reports)
    if reported is None or reported.role in READING_ROLES:
        yield ".reports", f"it names an operation that changes something, and {statement.reports} is none"
    try:
        ZoneInfo(statement.zone)
    except (KeyError, ValueError, OSError):  # zoneinfo raises each of them
        yield ".zone", f"there is no time zone {statement.zone}"
    yield from _columns(statement)
    yield from _totals(manifest, statement)
    yield from _money(statement)


def _columns(statement: DeclaredStatement) -> Iterator[tuple[str, str]]:
    for field in _NEEDED:
        if field not in statement.columns:
            yield ".columns", f"the heading of {field} is missing"
    if len(set(statement.columns.values())) != len(statement.columns) or not all(statement.columns.values()):
        yield ".columns", "each column has a heading of its own"
    try:
        text = datetime(2026, 3, 4, 5, 6, 7, tzinfo=ZoneInfo("UTC")).strftime(statement.time)
        datetime.strptime(text, statement.time)  # noqa: DTZ007 - only whether it can be read back
    except ValueError:
        yield ".time", "it is no pattern of strptime that is read back"


def _totals(manifest: Manifest, statement: DeclaredStatement) -> Iterator[tuple[str, str]]:
    cells = statement.totals
    if not cells or not _CONSTANT.fullmatch(cells[0]):
        yield ".totals", "the first cell is a constant in single quotes: it marks the last row"
    for cell in cells:
        if cell and cell not in TOTALS and not _CONSTANT.fullmatch(cell):
            yield ".totals", f"a cell is {', '.join(TOTALS)}, empty, or a constant in single quotes, not {cell}"
    if "count" not in cells or "day" not in cells:
        yield ".totals", "the totals say count and day: without them a file cannot prove that it is whole"
    if "amount" in statement.columns and "amount" not in cells:
        yield ".totals", "where the rows have an amount, the totals have one"
    if ("owner" in cells) != bool(statement.owner):
        yield ".owner", "it is the setting whose value stands under owner in the totals"
    if statement.owner and statement.owner not in manifest.settings:
        yield ".owner", f"there is no setting {statement.owner}"


def _money(statement: DeclaredStatement) -> Iterator[tuple[str, str]]:
    counted = {"amount", "fee"} & set(statement.columns)
    if counted and statement.money is None:
        yield ".money", "it says in which money the amounts are counted"
    if statement.money is not None:
        try:
            denomination_of(statement.money.currency, statement.money.denomination)
        except ValueError as error:
            yield ".money.denomination", str(error)

"""The files in which an institution lists a day's acts: what a row reports, how the file is written, how it ends."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mappings.money import MoneyUnit

#: What a column may hold; what is not read is named too, so that a column that is missing or new is noticed.
StatementField = Literal["our_reference", "their_reference", "at", "amount", "fee", "payer", "kind"]
#: What a cell of the totals row may hold, beside a constant in quotes and nothing.
TOTALS = ("count", "amount", "fee", "day", "owner")


class StatementMoney(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the file counts money."""

    currency: Annotated[str, Meta(description="ISO 4217.")]
    denomination: Annotated[str, Meta(description="Which money it counts in: `SYP-new`.")]
    unit: Annotated[
        MoneyUnit, Meta(description="`whole` 25, `major` 25.00 or `minor` 2500; the fee is always read as `major`.")
    ] = "major"


class DeclaredStatement(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A daily file, CSV: a row of headings, one row an act, and a last row with the totals."""

    reports: Annotated[str, Meta(description="The operation whose acts it lists, one row each.")]
    zone: Annotated[str, Meta(description="The time zone in which its days are counted: `Asia/Damascus`.")]
    due_hours: Annotated[
        float, Meta(gt=0, le=240, description="So long after the end of its day a file should be here.")
    ] = 6.0
    absence: Annotated[
        Literal["not_done", "unknown"],
        Meta(
            description="What it means for an act in doubt that the file of its day does not list it: `not_done` where "
            "the file lists every act that was done; `unknown` where it may be listed on a later day."
        ),
    ] = "unknown"
    encoding: Annotated[
        Literal["utf-8", "windows-1256"], Meta(description="A byte order mark is allowed with UTF-8.")
    ] = "utf-8"
    separator: Annotated[Literal[",", ";", "\t", "|"], Meta(description="Between two cells.")] = ","
    columns: Annotated[
        Mapping[StatementField, str],
        Meta(
            description="What we read -> the heading of its column, in the file's order. `our_reference` is the "
            "operation id of the act; `payer` and `kind` are not read. An installation may name other headings."
        ),
    ]
    time: Annotated[
        str, Meta(description="How `at` is written (strptime); without an offset it is in the file's zone.")
    ] = "%Y-%m-%dT%H:%M:%S"
    totals: Annotated[
        tuple[str, ...],
        Meta(
            description="The cells of the last row: `count`, `amount`, `fee`, `day` (YYYY-MM-DD), `owner`, empty text, "
            "or a constant in single quotes; the first is a constant. Without such a row a file was cut off."
        ),
    ]
    owner: Annotated[
        str, Meta(description="The setting whose value stands under `owner`: the file of somebody else is refused.")
    ] = ""
    money: Annotated[StatementMoney | None, Meta(description="Needed where the columns have an amount.")] = None

    def headings(self, renamed: Mapping[str, str]) -> dict[str, str]:
        """What we read -> the heading of its column, by an installation's own names where it has some."""
        return {str(field): heading for field, heading in self.columns.items()} | dict(renamed)

    @property
    def mark(self) -> str:
        """The constant that begins the totals row."""
        return self.totals[0].strip("'")

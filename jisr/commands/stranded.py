"""`jisr stranded`: the requests that stand in a state for too long, oldest first, and what to do about each."""

from typing import Annotated

import typer
from rich.table import Table

from jisr import admin_client
from jisr.terminal import front
from jisr.words import state_in_both


def stranded(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="How many, oldest first.", min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the requests that stand in a state for longer than it may last, with age, reason and what to do.

    Closed hours and planned outages of an institution do not count. Exit status: 0 there are none, 3 there are some.

    Example:

      jisr stranded
    """
    here = front(context)
    found = admin_client.call(here.settings(), "stranded.list", limit=limit)
    if as_json:
        here.out.print_json(data=found)
    elif not found["items"]:
        here.say("لا طلب عالق.", "No request is stranded.")
    else:
        table = Table(box=None, pad_edge=False)
        for ar, en in (
            ("المعرّف", "id"),
            ("الجهة", "institution"),
            ("الحالة", "state"),
            ("ساعات", "hours"),
            ("الحد", "limit"),
            ("السبب", "reason"),
            ("ما العمل", "what to do"),
        ):
            table.add_column(here.text(ar, en), overflow="fold", no_wrap=en == "id")
        for each in found["items"]:
            table.add_row(
                each["id"],
                each["institution"],
                state_in_both(each["state"]),
                f"{each['age_seconds'] / 3600:.1f}",
                f"{each['limit_hours']:g}",
                each["reason"] or "",
                each["advice"][here.language],
            )
        here.out.print(table)
    if found["items"]:
        raise typer.Exit(3)

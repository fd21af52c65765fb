"""`jisr deadletter`: the requests that the machine gave up on; what a replay of each would mean, and the replay."""

import getpass
from typing import Annotated, Any

import typer
from rich.table import Table

from jisr import admin_client
from jisr.errors import CommandError
from jisr.terminal import Front, front

app = typer.Typer(no_args_is_help=True, help="Dead letters: list, show, and replay what was parked.")

Service = Annotated[str | None, typer.Option(help="Only requests of this service.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only requests parked for this code.")]
Lane = Annotated[str | None, typer.Option(help="Only those whose last exchange was this one: education.submit.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SORTS = {
    "safe": ("آمن", "safe"),
    "inquire_first": ("تُسأل الجهة أولاً", "inquire first"),
    "unsafe": ("غير آمن", "unsafe"),
    "done": ("منجز", "already done"),
}


@app.command("list")
def list_letters(
    context: typer.Context,
    service: Service = None,
    reason: Reason = None,
    lane: Lane = None,
    limit: Annotated[int, typer.Option(help="How many, oldest first.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List the requests that wait for people, oldest first, each with what a replay would mean.

    Examples:

      jisr deadletter list --reason poison

      jisr deadletter list --lane education.submit --json
    """
    here = front(context)
    found = admin_client.call(
        here.settings(), "deadletter.list", service=service, reason=reason, lane=lane, limit=limit
    )
    if as_json:
        here.out.print_json(data=found)
    elif found:
        _table(here, found)
    else:
        here.say("لا شيء ينتظر أحداً هنا.", "Nothing waits for people here.")


@app.command("show")
def show(context: typer.Context, request_id: Annotated[str, typer.Argument(help="The request.")]) -> None:
    """Show one: why it is parked, its attempts, and what a replay would mean. Example: jisr deadletter show 0192…"""
    here = front(context)
    here.out.print_json(data=_asked(here, "show", id=request_id))


@app.command("replay")
def replay(
    context: typer.Context,
    request_ids: Annotated[list[str] | None, typer.Argument(help="Requests; without any, all of the choice.")] = None,
    service: Service = None,
    reason: Reason = None,
    lane: Lane = None,
    act: Annotated[bool, typer.Option("--act", help="Let them go on; without it the plan is shown only.")] = False,
    because: Annotated[str, typer.Option(help="Why; kept in each request's timeline. Needed with --act.")] = "",
    per_second: Annotated[float, typer.Option(help="How many go on a second.", min=0.01, max=1000)] = 5.0,
    new_mapping: Annotated[
        bool, typer.Option("--new-mapping", help="Also those that would be sent with another mapping.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plan a replay of parked requests, and with --act let what is safe go on and what may have arrived be asked about.

    What is unsafe or already done is never touched: about what is unsafe two operators decide (jisr doubt).

    Examples:

      jisr deadletter replay --reason mapping_failed

      jisr deadletter replay 0192… --act --because "the mapping was mended"
    """
    here = front(context)
    if act and not because.strip():
        raise CommandError(here.text("اذكر السبب: ‎--because.", "Say why: --because."))
    told = _asked(
        here,
        "replay",
        ids=request_ids or [],
        service=service,
        reason=reason,
        lane=lane,
        act=act,
        by=getpass.getuser(),
        because=because,
        per_second=per_second,
        new_mapping=new_mapping,
    )
    if as_json:
        here.out.print_json(data=told)
        return
    if told["items"]:
        _table(here, told["items"])
    _summary(here, told)


def _asked(here: Front, command: str, **arguments: Any) -> Any:
    return admin_client.call(here.settings(), f"deadletter.{command}", language=here.language, **arguments)


def _table(here: Front, items: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for ar, en in (
        ("المعرّف", "id"),
        ("الخدمة", "service"),
        ("السبب", "reason"),
        ("الإعادة", "replay"),
        ("لماذا", "why"),
    ):
        table.add_column(here.text(ar, en), overflow="fold", no_wrap=en == "id")
    for each in items:
        why, code = each["replay"]["why"], (each["reason"] or {}).get("code", "")
        sort = here.text(*_SORTS[each["replay"]["sort"]])
        table.add_row(each["id"], each["service"], code, sort, here.text(why["ar"], why["en"]))
    here.out.print(table)


def _summary(here: Front, told: dict[str, Any]) -> None:
    counts = told["summary"]
    here.out.print(", ".join(f"{here.text(*words)}: {counts[sort]}" for sort, words in _SORTS.items()))
    for change in counts["mappings"]:
        line = f"{change['from']} → {change['to']}: {change['count']}"
        here.out.print(here.text(f"يتغير التحويل {line}", f"The mapping changes {line}"), markup=False)
    if "went" in told:
        went = sum(told["went"].values())
        here.out.print(here.text(f"يسير من جديد: {went}", f"On their way again: {went}"))

"""`jisr schedule`: the timetable, what became of its ticks, and letting one fire by hand."""

import getpass
import time
from typing import Annotated, Any

import typer
from rich.table import Table

from jisr import admin_client
from jisr.errors import CommandError
from jisr.terminal import Front, front

app = typer.Typer(no_args_is_help=True, help="The timetable: what runs when, its history, and firing by hand.")

_LOOK_SECONDS = 0.5
_STATES = {
    "due": ("مستحق", "due"),
    "running": ("يعمل الآن", "runs now"),
    "succeeded": ("نجح", "succeeded"),
    "failed": ("فشل", "failed"),
    "skipped": ("تُرك", "skipped"),
    "interrupted": ("انقطع", "interrupted"),
}
_CAUSES = {"tick": ("في موعده", "on time"), "late": ("متأخر", "late"), "hand": ("باليد", "by hand")}
_POLICIES = {
    "skip": ("يُترك ويُسجَّل", "skip"),
    "once": ("مرة واحدة", "once"),
    "each": ("كل واحد", "each"),
}
_CODES = {
    "missed": ("لم يكن أحد يعمل", "nobody led then"),
    "covered_by_a_later_one": ("أغنى عنه موعد لاحق", "covered by a later one"),
    "leader_lost": ("انقطع من كان ينفّذه", "whoever ran it was lost"),
    "fenced": ("تولّى غيره", "another one took over"),
}


@app.command("list")
def list_schedules(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List what runs by time: when, what is done about missed ticks, the next fire, and the last outcome.

    Example:

      jisr schedule list
    """
    here = front(context)
    found = admin_client.call(here.settings(), "schedule.list")
    if as_json:
        here.out.print_json(data=found)
        return
    table = _table(
        here, ("الاسم", "name"), ("الموعد", "times"), ("الفائت", "missed"), ("التالي", "next"), ("آخر مرة", "last")
    )
    for each in found["entries"]:
        last = each["last"]
        ended = f"{here.text(*_STATES[last['state']])} {last['ended_at']} {_why(here, last)}" if last else "-"
        if each["now"]:
            ended = f"{here.text(*_STATES[each['now']])}; {ended}"
        policy = here.text(*_POLICIES[each["catch_up"]])
        table.add_row(each["name"], each["times"], policy, each["next"], f"{ended}\n{each['why'][here.language]}")
    for each in found["pulses"]:
        often = f"{each['every_seconds']:g}"
        every = here.text(f"كل {often} ث في كل عملية", f"every {often} s, in each process")
        table.add_row(each["name"], every, "", "", each["why"][here.language])
    here.out.print(table)
    leader = found["leader"]
    if leader is None:
        here.say("لا أحد يقود الجدول الآن: شغّل `jisr serve`.", "Nobody leads the timetable now: start `jisr serve`.")
    else:
        here.say(f"يقود الجدول {leader}.", f"{leader} leads the timetable.")


@app.command("run")
def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The schedule, as `jisr schedule list` names it.")],
    wait: Annotated[int, typer.Option(help="How many seconds to wait for its end.", min=0, max=86400)] = 60,
) -> None:
    """Let a schedule fire now; it is noted in its history as by hand, and by whom.

    The process that leads runs it; this one does when none is running. Exit status: 0 it succeeded or goes on, 1 it
    failed.

    Example:

      jisr schedule run reconcile
    """
    here = front(context)
    settings = here.settings()
    asked = admin_client.call(settings, "schedule.fire", name=name, by=getpass.getuser())
    deadline = time.monotonic() + wait
    while True:
        told = admin_client.call(settings, "schedule.fired", name=name, fire_time=asked["fire_time"])
        if told["ended"] or time.monotonic() >= deadline:
            break
        time.sleep(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
    state = here.text(*_STATES[told["state"]])
    if not told["ended"]:
        here.say(
            f"{name}: {state}. تابعه بـ ‎`jisr schedule history {name}`.",
            f"{name}: {state}. Follow it with `jisr schedule history {name}`.",
        )
    elif told["state"] == "succeeded":
        here.say(f"{name}: {state}، {told['milliseconds']} م.ث.", f"{name}: {state}, {told['milliseconds']} ms.")
    else:
        ended = f"{name}: {state} ({_why(here, told)})."
        raise CommandError(ended)


@app.command("history")
def history(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only this schedule.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only failed, skipped …; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=10_000)] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what became of the ticks, newest first: when each ran, for how long, by whom, and why one did not.

    Examples:

      jisr schedule history reconcile

      jisr schedule history --state failed --state skipped
    """
    here = front(context)
    for given in state or ():
        if given not in _STATES:
            raise CommandError(
                here.text(
                    f"لا توجد نتيجة {given!r}؛ المتاح: {', '.join(_STATES)}.",
                    f"There is no outcome {given!r}; there are {', '.join(_STATES)}.",
                )
            )
    found = admin_client.call(here.settings(), "schedule.history", name=name, states=state or [], limit=limit)
    if as_json:
        here.out.print_json(data=found)
        return
    table = _table(
        here,
        ("الاسم", "name"),
        ("الموعد", "due"),
        ("كيف", "how"),
        ("النتيجة", "outcome"),
        ("بدأ", "started"),
        ("م.ث", "ms"),
        ("المنفّذ", "by"),
        ("السبب", "why"),
    )
    for each in found:
        table.add_row(
            each["schedule"],
            each["fire_time"],
            here.text(*_CAUSES[each["cause"]]),
            here.text(*_STATES[each["state"]]) + _ticks(here, each),
            each["started_at"] or "",
            "" if each["milliseconds"] is None else str(each["milliseconds"]),
            f"{each['by']} ({each['asked_by']})" if each["asked_by"] else each["by"],
            _why(here, each),
        )
    here.out.print(table)


def _table(here: Front, *columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for words in columns:
        table.add_column(here.text(*words), overflow="fold", no_wrap=words[1] in ("name", "due", "next"))
    return table


def _ticks(here: Front, fire: dict[str, Any]) -> str:
    if fire["ticks"] == 1:
        return ""
    return here.text(f": {fire['ticks']} منذ {fire['since']}", f": {fire['ticks']} since {fire['since']}")


def _why(here: Front, fire: dict[str, Any]) -> str:
    code = fire["code"] or ""
    return here.text(*_CODES[code]) if code in _CODES else code

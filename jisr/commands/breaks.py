"""`jisr reconcile break`: what differs between us and institutions, in the hands of people."""

import getpass
from typing import Annotated, Any

import typer
from rich.table import Table

from jisr import admin_client
from jisr.errors import CommandError
from jisr.terminal import Front, front

app = typer.Typer(no_args_is_help=True, help="Breaks: list, show, assign, annotate, close.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The break, as reports and the list name it.")]
_STATES = {"open": ("مفتوح", "open"), "assigned": ("مسند", "assigned"), "closed": ("مغلق", "closed")}
_DONE = {
    "assigned": ("أُسند إلى {owner}", "given to {owner}"),
    "noted": ("ملاحظة", "note"),
    "closed": ("أُغلق", "closed"),
}


@app.command("list")
def list_breaks(
    context: typer.Context,
    kind: Annotated[list[str] | None, typer.Option("--type", help="Only of this type; may be repeated.")] = None,
    source: Annotated[str | None, typer.Option(help="Only of this statement: syriatel_cash.settlement.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only those given to this person.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    limit: Annotated[int, typer.Option(help="How many, of the oldest day first.", min=1, max=1000)] = 50,
) -> None:
    """List the breaks that are not closed, of the oldest day first.

    Examples:

      jisr reconcile break list

      jisr reconcile break list --type missing_at_us --owner rana
    """
    here = front(context)
    states = list(_STATES) if everything else ["open", "assigned"]
    given = {"states": states, "types": _known(here, kind or []), "source": source, "owner": owner, "limit": limit}
    found = admin_client.call(here.settings(), "reconcile.breaks", **given)
    if not found:
        here.say("لا فروق مفتوحة.", "No break is open.")
        return
    table = Table(box=None, pad_edge=False)
    for ar, en in (
        ("الرقم", "id"),
        ("النوع", "type"),
        ("الكشف", "statement"),
        ("اليوم", "day"),
        ("أيام عمل", "working days"),
        ("المبلغ", "amount"),
        ("الحال", "state"),
        ("لدى", "owner"),
        ("الطلب", "request"),
    ):
        table.add_column(here.text(ar, en), no_wrap=en in ("id", "request"))
    for each in found:
        table.add_row(
            each["id"],
            each["title"][here.language],
            each["source"],
            each["day"],
            str(each["age_business_days"]),
            _amount(each),
            here.text(*_STATES[each["state"]]),
            each["owner"] or "",
            each["request"] or "",
        )
    here.out.print(table)


@app.command("show")
def show(context: typer.Context, break_id: Id) -> None:
    """Show a break and what was done about it. Example: jisr reconcile break show B2F0C4D9A1E37B56"""
    _tell(front(context), _ask(front(context), break_id, "show"))


@app.command("assign")
def assign(
    context: typer.Context,
    break_id: Id,
    to: Annotated[str, typer.Argument(help="Who takes it up.")],
    note: Annotated[str, typer.Option(help="What to tell them.")] = "",
) -> None:
    """Give a break to somebody. Example: jisr reconcile break assign B2F0C4D9A1E37B56 rana --note "call the wallet" """
    here = front(context)
    _tell(here, _ask(here, break_id, "assign", to=_text(here, to), text=note[:_LONGEST]))


@app.command("note")
def annotate(
    context: typer.Context, break_id: Id, text: Annotated[str, typer.Argument(help="What was learned.")]
) -> None:
    """Write a note about a break. Example: jisr reconcile break note B2F0C4D9A1E37B56 "ticket 4711" """
    here = front(context)
    _tell(here, _ask(here, break_id, "note", text=_text(here, text)))


@app.command("close")
def close(
    context: typer.Context,
    break_id: Id,
    because: Annotated[str, typer.Option(help="Why; kept with the break.")] = "",
) -> None:
    """Close a break with a reason: it leaves the reports from today's on. The request is not touched by it.

    Example:

      jisr reconcile break close B2F0C4D9A1E37B56 --because "refunded by the wallet, ticket 4711"
    """
    here = front(context)
    if not because.strip():
        raise CommandError(here.text("اذكر السبب: ‎--because.", "Say why: --because."))
    _tell(here, _ask(here, break_id, "close", text=_text(here, because)))


_LONGEST = 2000


def _text(here: Front, text: str) -> str:
    if not text.strip() or len(text) > _LONGEST:
        raise CommandError(
            here.text(
                f"النص فارغ أو أطول من {_LONGEST} حرف.", f"The text is empty or longer than {_LONGEST} characters."
            )
        )
    return text


def _known(here: Front, types: list[str]) -> list[str]:
    from gateway.reconciliation.breaks import Kind

    known = [kind.value for kind in Kind]
    if wrong := [name for name in types if name not in known]:
        raise CommandError(
            here.text(
                f"لا نوع باسم {wrong[0]!r}؛ الأنواع: {', '.join(known)}.",
                f"There is no type {wrong[0]!r}; there are: {', '.join(known)}.",
            )
        )
    return types


def _ask(here: Front, break_id: str, act: str, **given: Any) -> dict[str, Any]:
    about = {"id": break_id, "act": act, "by": getpass.getuser(), "language": here.language}
    found: dict[str, Any] = admin_client.call(here.settings(), "reconcile.break", **about, **given)
    return found


def _amount(each: dict[str, Any]) -> str:
    amount = each["amount"]
    return f"{amount['value']} {amount['denomination']}" if amount else ""


def _tell(here: Front, told: dict[str, Any]) -> None:
    state = here.text(*_STATES[told["state"]]) + (f" {told['closed_day']}" if told["closed_day"] else "")
    here.out.print(f"{told['id']}  {told['title'][here.language]}  {state}", markup=False)
    for ar, en, value in (
        ("الكشف", "statement", told["source"]),
        ("اليوم", "day", f"{told['day']} ({told['age_business_days']})"),
        ("المبلغ", "amount", _amount(told)),
        ("الطلب", "request", told["request"]),
        ("لدى", "owner", told["owner"]),
    ):
        if value:
            here.out.print(f"  {here.text(ar, en)}: {value}", markup=False)
    for note in told["notes"]:
        what = here.text(*_DONE[note["kind"]]).format(owner=note["owner"])
        here.out.print(f"  {note['at'][:19]}Z  {note['by']}  {what}: {note['text']}", markup=False)

"""`jisr doubt`: what no machine can tell, and what two operators decide about it, each with a key of their own.

These commands speak to the API and not over the local socket: whoever may use the socket is the machine's operator and
no person, so it cannot stand for one of the two.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.markup import escape
from rich.table import Table

from jisr.client import Client
from jisr.commands.keys import URL, Url, client_of
from jisr.errors import CommandError
from jisr.terminal import Front, front
from jisr.words import state_in_both

app = typer.Typer(
    no_args_is_help=True, help="Doubts: what is in doubt or parked; ask, propose, and approve as another person."
)

KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", envvar="JISR_KEY_FILE", help="File with your operator's key; else JISR_KEY."),
]
RequestId = Annotated[str, typer.Argument(help="The request.")]
DecisionId = Annotated[str, typer.Argument(help="The decision; `jisr doubt list` shows it.")]
ACTIONS: Mapping[str, tuple[str, str]] = {
    "inquire": ("سؤال الجهة الآن", "ask now"),
    "done": ("تم", "done"),
    "not_done": ("لم يتم", "not done"),
    "resend": ("إرسال من جديد", "send again"),
}
_STATES: Mapping[str, tuple[str, str]] = {
    "proposed": ("مقترح", "proposed"),
    "approved": ("موافق عليه", "approved"),
    "refused": ("مرفوض", "refused"),
    "withdrawn": ("مسحوب", "withdrawn"),
    "superseded": ("حل محله اقتراح آخر", "superseded"),
    "expired": ("انتهت مدته", "expired"),
}


@app.command("list")
def list_doubts(
    context: typer.Context,
    state: Annotated[list[str] | None, typer.Option("--state", help="in_doubt or parked; both, unless given.")] = None,
    service: Annotated[str | None, typer.Option(help="Only requests of this service.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only requests with this code.")] = None,
    proposed: Annotated[bool, typer.Option("--proposed", help="Only those that wait for a second person.")] = False,
    limit: Annotated[int, typer.Option(help="How many, oldest first.", min=1, max=200)] = 50,
    url: Url = URL,
    key_file: KeyFile = None,
) -> None:
    """List what waits for people, oldest first: reason, age, what may be done, and the proposal that is open.

    Examples:

      jisr doubt list --key-file layla.key

      jisr doubt list --proposed
    """
    here = front(context)
    asked: list[tuple[str, str]] = [("state", each) for each in state or ()]
    asked += [(name, value) for name, value in (("service", service), ("reason", reason)) if value is not None]
    asked += [("proposed", "true")] if proposed else []
    page = _client(here, url, key_file).ask("GET", f"/v1/admin/doubts?{urlencode([*asked, ('limit', limit)])}").json()
    if not page["items"]:
        here.say("لا شيء ينتظر.", "Nothing waits.")
        return
    table = Table(box=None, pad_edge=False)
    for ar, en in (
        ("المعرّف", "id"),
        ("الخدمة", "service"),
        ("الحالة", "state"),
        ("العمر", "age"),
        ("السبب", "reason"),
        ("الممكن", "possible"),
        ("الاقتراح", "proposal"),
    ):
        table.add_column(here.text(ar, en), overflow="fold", no_wrap=en == "id")
    for item in page["items"]:
        possible = ", ".join(_action(here, each["action"]) for each in item["actions"])
        open_one = item["proposal"]
        told = f"{_action(here, open_one['action'])} ({open_one['proposed_by']}) {open_one['id']}" if open_one else ""
        code = (item["reason"] or {}).get("code", "")
        age = _age(here, item["age_seconds"])
        table.add_row(item["id"], item["service"], state_in_both(item["state"]), age, code, possible, escape(told))
    here.out.print(table)
    if page["next_cursor"]:
        here.say("يوجد المزيد؛ زد ‎--limit.", "There are more; raise --limit.")


@app.command("show")
def show(
    context: typer.Context,
    request_id: RequestId,
    as_json: Annotated[bool, typer.Option("--json", help="As the API tells it.")] = False,
    url: Url = URL,
    key_file: KeyFile = None,
) -> None:
    """Show what is known of one: what was sent, what was said of it, what each decision would mean.

    Example:

      jisr doubt show 0192…
    """
    here = front(context)
    doubt = _client(here, url, key_file).ask("GET", f"/v1/admin/doubts/{request_id}").json()
    if as_json:
        here.out.print_json(data=doubt)
        return
    _show(here, doubt)


@app.command("inquire")
def inquire(context: typer.Context, request_id: RequestId, url: Url = URL, key_file: KeyFile = None) -> None:
    """Ask the institution now what became of it; one person is enough. Example: jisr doubt inquire 0192…"""
    here = front(context)
    doubt = _client(here, url, key_file).ask("POST", f"/v1/admin/doubts/{request_id}/inquire").json()
    here.say("تُسأل الجهة الآن.", "The institution is being asked.")
    here.out.print(f"{doubt['id']}  {state_in_both(doubt['state'])}", markup=False)


@app.command("propose")
def propose(
    context: typer.Context,
    request_id: RequestId,
    action: Annotated[str, typer.Argument(help="done, not_done or resend.")],
    reason: Annotated[str, typer.Option(help="Why. Kept sealed, with the evidence.")],
    evidence: Annotated[str | None, typer.Option(help="What it rests on: a letter, a ticket, a call.")] = None,
    reference: Annotated[str | None, typer.Option(help="The institution's own reference of it.")] = None,
    replaces: Annotated[str | None, typer.Option(help="The open proposal whose place this one takes.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
) -> None:
    """Propose what became of it; another operator must approve, unless nothing could be done twice.

    Examples:

      jisr doubt propose 0192… done --reason "found in their books" --evidence "ticket 4711" --reference SC-77120

      jisr doubt propose 0192… not_done --reason "they have nothing under this number"
    """
    here = front(context)
    if action not in ACTIONS or action == "inquire":
        raise CommandError(
            here.text(
                f"لا يوجد قرار {action!r}؛ المتاح: done و not_done و resend.",
                f"There is no decision {action!r}; there are done, not_done and resend.",
            )
        )
    given = {"action": action, "reason": reason, "evidence": evidence, "reference": reference, "replaces": replaces}
    body = {name: value for name, value in given.items() if value is not None}
    decision = _post(_client(here, url, key_file), f"/v1/admin/doubts/{request_id}/decisions", body)
    _show_decision(here, decision)
    if decision["state"] == "proposed":
        here.say("ينتظر موافقة شخص آخر:", "It waits for another person:")
        here.out.print(f"  jisr doubt approve {decision['id']}", markup=False)


@app.command("approve")
def approve(
    context: typer.Context,
    decision_id: DecisionId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False,
    url: Url = URL,
    key_file: KeyFile = None,
) -> None:
    """Read what another operator proposed, and approve exactly that. It is done at once.

    Example:

      jisr doubt approve 0193… --key-file rana.key
    """
    here = front(context)
    client = _client(here, url, key_file)
    path = f"/v1/admin/decisions/{decision_id}"
    decision = client.ask("GET", path).json()
    _show_decision(here, decision)
    if not yes:
        if not sys.stdin.isatty():
            raise CommandError(
                here.text("اقرأ الاقتراح ثم أعد الأمر مع ‎--yes.", "Read the proposal, then repeat with --yes.")
            )
        if not typer.confirm(here.text("هل توافق؟", "Do you approve?")):
            raise typer.Exit(1)
    _show_decision(here, _post(client, f"{path}/approve", {"digest": decision["digest"]}), briefly=True)


@app.command("refuse")
def refuse(
    context: typer.Context,
    decision_id: DecisionId,
    reason: Annotated[str, typer.Option(help="Why not.")],
    url: Url = URL,
    key_file: KeyFile = None,
) -> None:
    """Refuse what another operator proposed, or take your own proposal back.

    Example:

      jisr doubt refuse 0193… --reason "the ticket is about another payment"
    """
    here = front(context)
    client = _client(here, url, key_file)
    decision = _post(client, f"/v1/admin/decisions/{decision_id}/refuse", {"reason": reason})
    _show_decision(here, decision, briefly=True)


def _client(here: Front, url: str, key_file: Path | None) -> Client:
    return client_of(here, url, key_file, whose=("الموظف", "Your operator's"))


def _post(client: Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.ask("POST", path, json.dumps(body).encode()).json()
    return found


def _show(here: Front, doubt: Mapping[str, Any]) -> None:
    here.out.print(f"{doubt['id']}  [bold]{state_in_both(doubt['state'])}[/]  {_age(here, doubt['age_seconds'])}")
    why = doubt["reason"]
    if why:
        here.out.print(f"  {why['code']}: {(why.get('clerk') or {}).get(here.language, '')}", markup=False)
    attempt = doubt["attempt"]
    if attempt:
        sent = f"{attempt['connector']}.{attempt['operation']}  {attempt['operation_id']}  {attempt['sent_at']}"
        here.out.print(f"  {sent}  {attempt['state']}", markup=False)
    for told in doubt["told"]:
        here.out.print(f"    {told['at']}  {told['source']}: {told['status']} {told['code'] or ''}", markup=False)
    for option in doubt["actions"]:
        _show_option(here, option)
    for decision in doubt["decisions"]:
        _show_decision(here, decision)


def _show_option(here: Front, option: Mapping[str, Any]) -> None:
    people = here.text(f"أشخاص: {option['people']}", f"people: {option['people']}")
    here.out.print(f"  [bold]{option['action']}[/] · {_action(here, option['action'])} ({people})")
    _show_words(here, option)


def _show_words(here: Front, told: Mapping[str, Any]) -> None:
    here.out.print(f"    {told['means'][here.language]}", markup=False)
    if told["twice"]:
        here.out.print(f"    {told['twice'][here.language]}", markup=False, style="red")


def _show_decision(here: Front, decision: Mapping[str, Any], *, briefly: bool = False) -> None:
    state = here.text(*_STATES[decision["state"]])
    who = here.text("اقترحه", "proposed by")
    line = f"{decision['id']}  {_action(here, decision['action'])}: {state}  ({who} {decision['proposed_by']})"
    here.out.print(line, markup=False)
    if briefly:
        return
    here.out.print(f"  {decision['request']}", markup=False)
    for text in (decision["reason"], decision["evidence"], decision["reference"], decision["answer"]):
        if text:
            here.out.print(f"  {text}", markup=False)
    _show_words(here, decision)
    if decision["contradicted"]:
        said = decision["contradicted"]
        words = here.text("قيل بعده خلافه", "said otherwise after it")
        here.out.print(f"  {words}: {said['source']} {said['status']} {said['at']}", markup=False, style="red")


def _action(here: Front, action: str) -> str:
    return here.text(*ACTIONS[action])


def _age(here: Front, seconds: int) -> str:
    """How long it has stood, in its largest unit."""
    for length, ar, en in ((86_400, "يوم", "d"), (3600, "ساعة", "h"), (60, "دقيقة", "min")):
        if seconds >= length:
            return here.text(f"{seconds // length} {ar}", f"{seconds // length} {en}")
    return here.text(f"{seconds} ثانية", f"{seconds} s")

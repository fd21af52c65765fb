"""`jisr request`: send a request as a channel does, follow it, and look at requests as the operator of the machine."""

import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from jisr import admin_client, timeline
from jisr.client import Client, Reply
from jisr.commands.keys import URL, Url, client_of
from jisr.errors import CommandError
from jisr.terminal import Front, front
from jisr.words import FINAL, state_in_both

app = typer.Typer(no_args_is_help=True, help="Requests: submit, show, list, watch.")

KeyFile = Annotated[
    Path | None, typer.Option("--key-file", envvar="JISR_KEY_FILE", help="File with the channel's key; else JISR_KEY.")
]


@app.command("submit")
def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The body as JSON; - is standard input.")],
    url: Url = URL,
    key_file: KeyFile = None,
    wait: Annotated[int, typer.Option(help="Seconds that the gateway may take before it answers.", min=0)] = 5,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="The key of this request; the same key never acts twice. A new one, unless given."),
    ] = None,
    otp: Annotated[str | None, typer.Option(help="The one-time password, if the request asks for one.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check: nothing is stored or sent.")] = False,
) -> None:
    """Send a request and show what it needs next.

    Examples:

      jisr request submit body.json --key-file channel.key

      JISR_KEY=… jisr request submit body.json --wait 10 --otp 123456
    """
    here = front(context)
    client = _client(here, url, key_file)
    body = _read(here, file)
    if check:
        here.out.print_json(data=client.ask("POST", "/v1/requests?dry_run=true", body).json())
        return
    key = idempotency_key or str(uuid.uuid4())
    here.err.print(here.text(f"مفتاح التكرار: {key}", f"Idempotency-Key: {key}"), markup=False)
    reply = client.ask(
        "POST", "/v1/requests", body, timeout_seconds=wait + 30, Idempotency_Key=key, Prefer=f"wait={wait}"
    )
    request = reply.json()
    if otp is not None and (request.get("next_action") or {}).get("kind") == "confirm_otp":
        request = _answer(client, request, {"otp": otp}, wait).json()
    _show(here, request)


@app.command("answer")
def answer(
    context: typer.Context,
    request_id: Annotated[str, typer.Argument(help="The request.")],
    file: Annotated[Path | None, typer.Argument(help="The answer as JSON; - is standard input.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    otp: Annotated[str | None, typer.Option(help="The one-time password, instead of a file.")] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Ask for another one-time password.")] = False,
    wait: Annotated[int, typer.Option(help="Seconds that the gateway may take before it answers.", min=0)] = 5,
) -> None:
    """Answer what a request asks of the citizen.

    Examples:

      jisr request answer 0192… --otp 123456

      jisr request answer 0192… --resend
    """
    import json

    here = front(context)
    client = _client(here, url, key_file)
    request = client.ask("GET", f"/v1/requests/{request_id}").json()
    if not request.get("next_action"):
        raise CommandError(
            here.text("لا ينتظر هذا الطلب شيئاً من المواطن.", "This request asks nothing of the citizen now.")
        )
    if otp is not None:
        content: Any = {"otp": otp}
    elif resend:
        content = {"resend": True}
    elif file is not None:
        content = json.loads(_read(here, file))
    else:
        raise CommandError(here.text("أعط ملفاً أو ‎--otp أو ‎--resend.", "Give a file, --otp or --resend."))
    _show(here, _answer(client, request, content, wait).json())


@app.command("watch")
def watch(
    context: typer.Context,
    request_id: Annotated[str, typer.Argument(help="The request.")],
    url: Url = URL,
    key_file: KeyFile = None,
) -> None:
    """Follow a request's timeline as it happens, until it is decided. Example: jisr request watch 0192…"""
    here = front(context)
    client = _client(here, url, key_file)
    seen = ""
    while True:
        for event in client.stream(request_id, after=seen):
            seen = event.id or seen
            timeline.print_event(here.out, event.data)
        request = client.ask("GET", f"/v1/requests/{request_id}").json()
        if request["state"] in FINAL:
            _show(here, request)
            return


@app.command("show")
def show(context: typer.Context, request_id: Annotated[str, typer.Argument(help="The request.")]) -> None:
    """Show a request and its timeline, as the operator of this machine; nothing personal is shown.

    Example:

      jisr request show 0192…
    """
    here = front(context)
    found = admin_client.call(here.settings(), "request.show", id=request_id)
    _show(here, found["request"])
    for event in found["events"]:
        timeline.print_event(here.out, event)


@app.command("list")
def list_requests(
    context: typer.Context,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="Only requests in this state; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=1000)] = 50,
) -> None:
    """List requests, newest first, as the operator of this machine.

    Examples:

      jisr request list --state in_doubt --state parked
    """
    here = front(context)
    for given in state or ():
        if given not in admin_client.STATES:
            raise CommandError(
                here.text(
                    f"لا توجد حالة {given!r}؛ المتاح: {', '.join(admin_client.STATES)}.",
                    f"There is no state {given!r}; there are {', '.join(admin_client.STATES)}.",
                )
            )
    rows = admin_client.call(here.settings(), "request.list", states=state or [], limit=limit)
    table = Table(box=None, pad_edge=False)
    for ar, en in (("المعرّف", "id"), ("الخدمة", "service"), ("الحالة", "state"), ("منذ", "since"), ("السبب", "reason")):
        table.add_column(here.text(ar, en), overflow="fold", no_wrap=en == "id")
    for row in rows:
        table.add_row(row["id"], row["service"], state_in_both(row["state"]), row["since"], row["reason"] or "")
    here.out.print(table)


def _client(here: Front, url: str, key_file: Path | None) -> Client:
    return client_of(here, url, key_file, whose=("القناة", "A channel's"))


def _read(here: Front, file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    if not file.is_file():
        raise CommandError(here.text(f"لا يوجد ملف {file}.", f"There is no file {file}."))
    return file.read_bytes()


def _answer(client: Client, request: dict[str, Any], content: Any, wait: int) -> Reply:
    import json

    path = f"/v1/requests/{request['id']}/actions/{request['next_action']['id']}"
    key = str(uuid.uuid4())
    return client.ask(
        "POST",
        path,
        json.dumps(content).encode(),
        timeout_seconds=wait + 30,
        Idempotency_Key=key,
        Prefer=f"wait={wait}",
    )


def _show(here: Front, request: dict[str, Any]) -> None:
    here.out.print(f"{request['id']}  [bold]{state_in_both(request['state'])}[/]")
    action = request.get("next_action")
    if action:
        here.out.print(f"  {action['kind']} ({action['id']}): {action['text'][here.language]}", markup=False)
    reason = request.get("reason")
    if reason:
        words = (reason.get("clerk") or {}).get(here.language, "")
        here.out.print(f"  {reason['code']}: {words}", markup=False)
    for document in request.get("documents") or ():
        here.out.print(f"  {document.get('name')}  {document.get('digest')}", markup=False)

"""`jisr webhook`: where channels are told what becomes of their requests, and what became of the telling."""

from typing import Annotated, Any

import typer
from rich.table import Table

from jisr import admin_client
from jisr.errors import CommandError
from jisr.terminal import Front, front

app = typer.Typer(no_args_is_help=True, help="Webhooks: add, list, rotate, ping, switch, remove, log, redeliver.")

Webhook = Annotated[str, typer.Argument(help="Id of the webhook; `jisr webhook list` shows it.")]
STATES = ("waiting", "delivered", "failed", "dropped")
#: Words of the log in Arabic; in English it shows the words themselves.
_ARABIC = {
    "waiting": "ينتظر",
    "delivered": "سُلّم",
    "failed": "تُرك بعد ثلاثة أيام",
    "dropped": "أُسقط",
    "active": "يعمل",
    "disabled": "متوقف",
}


@app.command("add")
def add(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name or id of the channel.")],
    url: Annotated[str, typer.Argument(help="The address, https.")],
    event: Annotated[
        list[str] | None, typer.Option("--event", "-e", help="Only events of this type; may be repeated.")
    ] = None,
) -> None:
    """Add an address at which a channel is told, and show its secret, once.

    Examples:

      jisr webhook add web-site https://channel.example.com/jisr

      jisr webhook add web-site https://channel.example.com/ends -e jisr.request.completed -e jisr.request.refused
    """
    here = front(context)
    added = _call(here, "webhook.add", channel=channel, url=url, events=event or ["*"])
    if added["secret"] is None:
        here.say(
            f"لهذه القناة هذا العنوان من قبل: {added['id']}", f"The channel has this address already: {added['id']}"
        )
        return
    _show_secret(here, added)


@app.command("list")
def list_webhooks(
    context: typer.Context,
    channel: Annotated[str | None, typer.Option(help="Only those of this channel.")] = None,
) -> None:
    """List addresses, how they do and how much waits for them. Example: jisr webhook list --channel web-site"""
    here = front(context)
    rows = _call(here, "webhook.list", channel=channel)
    if not rows:
        here.say("لا عناوين بعد.", "There is none yet.")
        return
    heads = (
        ("المعرّف", "id"),
        ("القناة", "channel"),
        ("العنوان", "address"),
        ("الحالة", "state"),
        ("إخفاقات متتالية", "failures"),
        ("ينتظر", "waiting"),
    )
    table = _table(here, heads)
    for row in rows:
        state = _word(here, row["state"]) + (f" ({row['reason']})" if row["reason"] else "")
        table.add_row(row["id"], row["channel"], row["url"], state, str(row["failures"]), str(row["waiting"]))
    here.out.print(table)


@app.command("rotate")
def rotate(
    context: typer.Context,
    webhook: Webhook,
    hours: Annotated[
        float | None, typer.Option(help="How long the old secret signs too; 0 ends it at once.", min=0, max=720)
    ] = None,
) -> None:
    """Change the secret and show the new one, once; until the old one ends, every event has both signatures.

    Examples:

      jisr webhook rotate 0199…

      jisr webhook rotate 0199… --hours 0
    """
    here = front(context)
    _show_secret(here, _call(here, "webhook.rotate", id=webhook, hours=hours))


@app.command("ping")
def ping(context: typer.Context, webhook: Webhook) -> None:
    """Send an event that tells of nothing; the log shows what came of it. Example: jisr webhook ping 0199…"""
    here = front(context)
    sent = _call(here, "webhook.ping", id=webhook)
    here.say(f"أُرسل الحدث {sent['id']}.", f"The event {sent['id']} is on its way.")


@app.command("enable")
def enable(context: typer.Context, webhook: Webhook) -> None:
    """Go on; what waits is sent at once. Example: jisr webhook enable 0199…"""
    here = front(context)
    row = _call(here, "webhook.switch", id=webhook, active=True)
    here.say(f"يعمل العنوان، وينتظره {row['waiting']}.", f"It goes on; {row['waiting']} events wait for it.")


@app.command("disable")
def disable(context: typer.Context, webhook: Webhook) -> None:
    """Rest: nothing is sent, and what happens meanwhile is not kept. Example: jisr webhook disable 0199…"""
    here = front(context)
    _call(here, "webhook.switch", id=webhook, active=False)
    here.say("توقف العنوان.", "It rests.")


@app.command("remove")
def remove(context: typer.Context, webhook: Webhook) -> None:
    """Tell nothing more there; what waits is dropped. Example: jisr webhook remove 0199…"""
    here = front(context)
    _call(here, "webhook.remove", id=webhook)
    here.say("حُذف العنوان.", "It is removed.")


@app.command("log")
def log(
    context: typer.Context,
    webhook: Webhook,
    event: Annotated[str | None, typer.Option(help="Only this event, with every try.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only events in this state.")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=1000)] = 50,
) -> None:
    """Show what was told and what waits, newest first.

    Examples:

      jisr webhook log 0199… --state failed

      jisr webhook log 0199… --event 0199…
    """
    here = front(context)
    for given in state or ():
        if given not in STATES:
            listed = ", ".join(STATES)
            raise CommandError(
                here.text(
                    f"لا توجد حالة {given!r}؛ المتاح: {listed}.", f"There is no state {given!r}; there are {listed}."
                )
            )
    rows = _call(here, "webhook.log", id=webhook, event=event, states=state or [], limit=limit)
    if event is not None:
        _show_tries(here, rows[0]["tries"])
        return
    heads = (("الحدث", "event"), ("النوع", "type"), ("الطلب", "request"), ("الحالة", "state"), ("محاولات", "tries"))
    table = _table(here, (*heads, ("آخر نتيجة", "last outcome"), ("المحاولة التالية", "next try")))
    for row in rows:
        table.add_row(
            row["id"],
            row["type"],
            row["request"] or "",
            _word(here, row["state"]),
            str(row["tried"]),
            _outcome(row),
            row["next_try_at"] or "",
        )
    here.out.print(table)


@app.command("redeliver")
def redeliver(
    context: typer.Context,
    webhook: Webhook,
    event: Annotated[str | None, typer.Argument(help="The event.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Everything that was given up, a thousand at a time.")
    ] = False,
) -> None:
    """Send an event again under its id, or everything that was given up.

    Examples:

      jisr webhook redeliver 0199… 0199…

      jisr webhook redeliver 0199… --failed
    """
    here = front(context)
    if (event is None) is not failed:
        raise CommandError(here.text("أعط حدثاً أو ‎--failed.", "Give an event, or --failed."))
    count = _call(here, "webhook.redeliver", id=webhook, event=event)["count"]
    here.say(f"عاد إلى الانتظار: {count}.", f"In line again: {count}.")


def _call(here: Front, name: str, **given: Any) -> Any:
    return admin_client.call(here.settings(), name, language=here.language, **given)


def _show_secret(here: Front, row: dict[str, Any]) -> None:
    """The secret alone on standard output, so that it can be piped; the words beside it on standard error."""
    here.err.print(
        here.text(
            f"العنوان {row['id']}. هذا هو السر. يظهر مرة واحدة فقط: احفظه الآن في مكان آمن.",
            f"Webhook {row['id']}. This is its secret. It is shown this once: keep it in a safe place now.",
        ),
        markup=False,
    )
    print(row["secret"])


def _show_tries(here: Front, tries: list[dict[str, Any]]) -> None:
    table = _table(here, (("رقم", "number"), ("الوقت", "at"), ("النتيجة", "outcome"), ("مللي ثانية", "milliseconds")))
    for row in tries:
        table.add_row(str(row["number"]), row["at"], _outcome(row), str(row["milliseconds"]))
    here.out.print(table)


def _outcome(row: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (row["outcome"], row["http_status"]) if part)


def _word(here: Front, state: str) -> str:
    return here.text(_ARABIC.get(state, state), state)


def _table(here: Front, heads: tuple[tuple[str, str], ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for ar, en in heads:
        table.add_column(here.text(ar, en), overflow="fold", no_wrap=en in ("id", "event"))
    return table

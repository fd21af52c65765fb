"""`jisr channel` and `jisr operator`: who may call, with keys that are shown once."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from jisr import admin_client
from jisr.errors import CommandError
from jisr.terminal import Front, front

channels = typer.Typer(
    no_args_is_help=True, help="Channels: the web site, the mobile app, the desks that send requests."
)
operators = typer.Typer(no_args_is_help=True, help="Operators: people who watch requests and resolve what is stuck.")

Roles = Annotated[list[str] | None, typer.Option("--role", help="maker, checker, or one of your own; may be repeated.")]
Name = Annotated[str, typer.Argument(help="A name of your choice, unique among its kind.")]


@channels.command("add")
def add_channel(
    context: typer.Context,
    name: Name,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", "-s", help="Service id or pattern it may use; may be repeated. All, unless given."),
    ] = None,
    priority: Annotated[str, typer.Option(help="Who waits first: desk, mobile, web or batch.")] = "web",
    test: Annotated[
        bool, typer.Option("--test", help="Its requests reach test systems only, and are marked everywhere.")
    ] = False,
) -> None:
    """Add a channel and show its key, once.

    Examples:

      jisr channel add web-site

      jisr channel add desk-damascus --priority desk --service 'education.*'

      jisr channel add app-developers --test
    """
    here = front(context)
    if priority not in admin_client.PRIORITIES:
        raise CommandError(
            here.text(
                f"الأولوية {priority!r} غير معروفة؛ المتاح: {', '.join(admin_client.PRIORITIES)}.",
                f"There is no priority {priority!r}; choose one of {', '.join(admin_client.PRIORITIES)}.",
            )
        )
    asked = {"name": name, "services": service, "priority": priority, "test": test}
    _show_key(here, admin_client.call(here.settings(), "channel.add", **asked))


@channels.command("list")
def list_channels(context: typer.Context) -> None:
    """List the channels, revoked ones too. Example: jisr channel list"""
    _show(front(context), admin_client.call(front(context).settings(), "channel.list"))


@channels.command("revoke")
def revoke_channel(context: typer.Context, name: Name) -> None:
    """End a channel's key; every node refuses it within a minute. Example: jisr channel revoke web-site"""
    admin_client.call(front(context).settings(), "channel.revoke", name=name)
    front(context).say(f"أُلغي مفتاح القناة {name}.", f"The key of channel {name} is revoked.")


@operators.command("add")
def add_operator(
    context: typer.Context,
    name: Name,
    role: Roles = None,
) -> None:
    """Add an operator, a person, and show the key, once.

    Anybody may look and ask; the role `maker` may propose what becomes of a doubt, `checker` may approve what another
    one proposed.

    Examples:

      jisr operator add layla

      jisr operator add rana --role maker --role checker
    """
    here = front(context)
    _show_key(here, admin_client.call(here.settings(), "operator.add", name=name, roles=role or []))


@operators.command("roles")
def set_roles(context: typer.Context, name: Name, role: Roles = None) -> None:
    """Give an operator these roles and no others; none takes them all. It holds at once.

    Examples:

      jisr operator roles layla --role checker

      jisr operator roles layla
    """
    told = admin_client.call(front(context).settings(), "operator.roles", name=name, roles=role or [])
    roles = ", ".join(told["roles"])
    here = front(context)
    said = here.text(f"صلاحيات {name}: {roles or 'لا شيء'}.", f"Roles of {name}: {roles or 'none'}.")
    here.out.print(said, markup=False)


@operators.command("list")
def list_operators(context: typer.Context) -> None:
    """List the operators, revoked ones too. Example: jisr operator list"""
    _show(front(context), admin_client.call(front(context).settings(), "operator.list"), roles=True)


@operators.command("revoke")
def revoke_operator(context: typer.Context, name: Name) -> None:
    """End an operator's key; every node refuses it within a minute. Example: jisr operator revoke layla"""
    admin_client.call(front(context).settings(), "operator.revoke", name=name)
    front(context).say(f"أُلغي مفتاح {name}.", f"The key of operator {name} is revoked.")


def _show_key(here: Front, added: dict[str, Any]) -> None:
    """The key alone on standard output, so that it can be piped; the words beside it on standard error."""
    here.err.print(
        here.text(
            "هذا هو المفتاح. يظهر مرة واحدة فقط: احفظه الآن في مكان آمن.",
            "This is the key. It is shown this once: keep it in a safe place now.",
        )
    )
    print(added["key"])


def _show(here: Front, rows: list[dict[str, Any]], *, roles: bool = False) -> None:
    if not rows:
        here.say("لا يوجد أحد بعد.", "There is none yet.")
        return
    table = Table(box=None, pad_edge=False)
    rights = (("الصلاحيات", "roles"),) if roles else (("الخدمات", "services"), ("الأولوية", "priority"))
    for ar, en in (("الاسم", "name"), *rights, ("المفتاح", "key"), ("المعرّف", "id")):
        table.add_column(here.text(ar, en), overflow="fold", no_wrap=en == "id")
    for row in rows:
        valid = here.text("ملغى", "revoked") if row["revoked"] else here.text("صالح", "valid")
        name = escape(f"{row['name']} ({here.text('تجريبية', 'test')})" if row.get("test") else row["name"])
        told = [" ".join(row["roles"])] if roles else [" ".join(row["services"]), row["priority"]]
        table.add_row(name, *told, valid, row["id"])
    here.out.print(table)

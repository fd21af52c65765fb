"""The commands that read or change the record database: one registry for both ways to run them.

A running server runs a command that came over its local socket (jisr/admin_socket.py); without one, the command line
opens the store and runs it itself (jisr/admin_client.py).
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from gateway.catalogue import Catalogue
from gateway.ids import new_id
from gateway.moments import iso
from gateway.reconciliation.reconciler import Reconciler
from gateway.representation import represent
from gateway.restoring.mode import RestoreMode
from gateway.security.principals import Kind, StoredPrincipal, new_key
from gateway.settings import Settings
from gateway.store import queries
from gateway.store.engine import Store
from gateway.store.principals import add_principal, list_principals, revoke_principal, set_roles
from gateway.stranded import Stranded
from jisr.admin_client import PRIORITIES
from jisr.admin_client import call as call  # noqa: PLC0414 - tools that have a store at hand use both modules as one
from jisr.errors import CommandError
from scheduler.worker import Worker


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    store: Store
    settings: Settings
    reconciler: Reconciler | None = None  #: Where the whole gateway is at hand.
    mode: RestoreMode | None = None  #: Where a server or worker runs.
    worker: Worker | None = None  #: Likewise.
    stranded: Stranded | None = None  #: Likewise.

    def catalogue(self) -> Catalogue:
        """The services, read anew: a command is rare."""
        return Catalogue.load(self.settings.service_folders)


Command = Callable[[Desk, Mapping[str, Any]], Awaitable[Any]]
COMMANDS: dict[str, Command] = {}


def command(name: str) -> Callable[[Command], Command]:
    """Enter a command into the registry."""

    def enter(function: Command) -> Command:
        COMMANDS[name] = function
        return function

    return enter


async def run(desk: Desk, name: str, arguments: Mapping[str, Any]) -> Any:
    """Run one command; its result is plain JSON. Raises CommandError."""
    if name.startswith("webhook."):
        from jisr import admin_webhooks as admin_webhooks  # noqa: PLC0414 - it enters its commands
    if name.startswith("reconcile."):
        from jisr import admin_reconcile as admin_reconcile  # noqa: PLC0414 - it enters its commands
    if name.startswith("deadletter."):
        from jisr import admin_dead_letters as admin_dead_letters  # noqa: PLC0414 - it enters its commands
    if name.startswith("restore."):
        from jisr import admin_restore as admin_restore  # noqa: PLC0414 - it enters its commands
    if name.startswith("schedule."):
        from jisr import admin_schedule as admin_schedule  # noqa: PLC0414 - it enters its commands
    if name not in COMMANDS:
        raise CommandError(f"The running server knows no command {name!r}: it is of another version.")
    return await COMMANDS[name](desk, arguments)


async def _add(desk: Desk, kind: Kind, arguments: Mapping[str, Any]) -> dict[str, Any]:
    principal_id = new_id()
    test = bool(arguments.get("test"))
    key = new_key(kind, principal_id, test=test)
    services = list(arguments.get("services") or ["*"])
    _require_known(desk.catalogue(), services)

    def add(conn: Any) -> None:
        add_principal(
            conn,
            principal_id,
            key,
            kind=kind,
            name=arguments["name"],
            roles=arguments.get("roles") or (),
            services=services,
            priority=PRIORITIES[arguments.get("priority") or "web"],
            test=test,
        )

    try:
        await desk.store.write(add)
    except IntegrityError as error:
        raise CommandError(f"The name {arguments['name']!r} is taken by another {kind}.") from error
    return {"id": principal_id, "name": arguments["name"], "key": key}


def _require_known(catalogue: Catalogue, services: list[str]) -> None:
    for service in services:
        if "*" not in service and catalogue.get(service) is None:
            raise CommandError(f"There is no service {service!r}; `jisr doctor` lists the services that are known.")


async def _list(desk: Desk, kind: Kind) -> list[dict[str, Any]]:
    return [_shown(stored) for stored in await desk.store.read(list_principals, kind)]


def _shown(stored: StoredPrincipal) -> dict[str, Any]:
    principal = stored.principal
    names = {number: name for name, number in PRIORITIES.items()}
    return {
        "id": principal.id,
        "name": principal.name,
        "roles": sorted(principal.roles),
        "services": list(principal.services),
        "priority": names.get(principal.priority, str(principal.priority)),
        "revoked": stored.revoked,
        "test": principal.test,
    }


async def _revoke(desk: Desk, kind: Kind, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if not await desk.store.write(revoke_principal, kind, arguments["name"]):
        raise CommandError(f"No {kind} named {arguments['name']!r} has a valid key.")
    return {"name": arguments["name"]}


@command("channel.add")
async def _channel_add(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    return await _add(desk, Kind.CHANNEL, arguments)


@command("channel.list")
async def _channel_list(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    return await _list(desk, Kind.CHANNEL)


@command("channel.revoke")
async def _channel_revoke(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    return await _revoke(desk, Kind.CHANNEL, arguments)


@command("operator.add")
async def _operator_add(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    return await _add(desk, Kind.OPERATOR, arguments)


@command("operator.list")
async def _operator_list(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    return await _list(desk, Kind.OPERATOR)


@command("operator.revoke")
async def _operator_revoke(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    return await _revoke(desk, Kind.OPERATOR, arguments)


@command("operator.roles")
async def _operator_roles(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    if not await desk.store.write(set_roles, arguments["name"], list(arguments["roles"])):
        raise CommandError(f"No operator named {arguments['name']!r} has a valid key.")
    return {"name": arguments["name"], "roles": sorted(set(arguments["roles"]))}


@command("database.facts")
async def _database_facts(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    return {"facts": await desk.store.read(_facts), "seconds": await desk.store.read(_seconds)}


def _facts(conn: Any) -> str:
    """What the database says of itself."""
    if conn.dialect.name == "sqlite":
        names = ("journal_mode", "synchronous", "foreign_keys")
        version = conn.exec_driver_sql("SELECT sqlite_version()").scalar()
        return f"SQLite {version}, " + ", ".join(f"{n}={conn.exec_driver_sql(f'PRAGMA {n}').scalar()}" for n in names)
    names = ("server_version", "fsync", "synchronous_commit")
    return "PostgreSQL " + ", ".join(f"{n}={conn.exec_driver_sql(f'SHOW {n}').scalar()}" for n in names)


def _seconds(conn: Any) -> float:
    """The database's clock; the embedded one has none of its own."""
    if conn.dialect.name == "sqlite":
        return time.time()
    return float(conn.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar())


@command("stranded.list")
async def _stranded_list(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    if desk.stranded is None:
        raise CommandError("This process knows no lanes; run the command beside `jisr serve`.")
    told = [[each.state, each.institution, each.count] for each in await desk.stranded.now()]
    return {"summary": told, "items": await desk.stranded.oldest(int(arguments["limit"]))}


@command("request.list")
async def _request_list(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    filters = queries.Filters(states=tuple(arguments["states"]))
    page = await desk.store.read(queries.find_page, filters, None, int(arguments["limit"]))
    return [
        {
            "id": found.view.id,
            "service": found.view.service,
            "state": found.view.state.value,
            "since": iso(found.state_since),
            "reason": found.view.reason,
        }
        for found in page
    ]


@command("request.show")
async def _request_show(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    view = await desk.store.read(queries.find_view, arguments["id"], None)
    events = await desk.store.read(queries.find_events, arguments["id"], None)
    if view is None or events is None:
        raise CommandError(f"There is no request {arguments['id']!r}.")
    return {
        "request": represent(view, desk.catalogue().get(view.service)),
        "events": [
            {"id": event.id, "at": event.at, "kind": event.kind, "state": event.state.value, "facts": event.facts}
            for event in events
        ],
    }

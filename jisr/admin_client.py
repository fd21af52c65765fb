"""Runs an administrative command from the command line: over the running server's socket, or on the store itself.

The embedded database belongs to one process, so the socket is tried first. Light to import: what is heavy is imported
when a store is opened.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from gateway.settings import Settings
from gateway.store.errors import StoreError
from jisr import admin_socket
from mappings.status import Request

PRIORITIES: Mapping[str, int] = {"desk": 0, "mobile": 1, "web": 2, "batch": 3}
STATES = tuple(state.value for state in Request)
#: Commands that need the whole gateway, not its store alone.
_WHOLE = ("reconcile.", "schedule.", "stranded.")
#: How long the embedded database may be held by a process that is just starting or just ending.
_OWNER_PATIENCE_SECONDS = 5.0


def call(settings: Settings, name: str, /, **arguments: Any) -> Any:
    """Run a command over the running server's socket, or on the store itself when no server runs."""
    deadline = time.monotonic() + _OWNER_PATIENCE_SECONDS
    while True:
        if admin_socket.answers(settings.admin_socket_path):
            return admin_socket.ask(settings.admin_socket_path, name, arguments)
        try:
            return asyncio.run(_directly(settings, name, arguments))
        except StoreError:
            if not settings.uses_sqlite or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


async def _directly(settings: Settings, name: str, arguments: Mapping[str, Any]) -> Any:
    if name.startswith(_WHOLE):
        return await _with_gateway(settings, name, arguments)
    from gateway.security.keyring import Keyring
    from gateway.store.clock import Clock
    from gateway.store.engine import open_store
    from jisr.admin import Desk, run

    store = await open_store(settings.database_url, Keyring.load(settings.keyring_path), Clock())
    try:
        return await run(Desk(store, settings), name, arguments)
    finally:
        await store.close()


async def _with_gateway(settings: Settings, name: str, arguments: Mapping[str, Any]) -> Any:
    """The same for a command that settles requests, for which services and connectors are needed."""
    from gateway import logs
    from gateway.settings import LogSettings
    from jisr.admin import Desk, run
    from jisr.app import gateway

    logs.configure(LogSettings(format="auto", level="error"))  # whoever asked wants the answer, not the way to it
    async with gateway(settings) as built:
        await built.worker.rescue_leases()  # a run that was killed held what it was about to settle
        try:
            result = await run(
                Desk(built.store, settings, built.reconciler, None, built.worker, built.services.stranded),
                name,
                arguments,
            )
            if name == "schedule.fire":  # here, unless another process leads: then that one runs it
                await built.worker.leader.lead_for(arguments["name"])
        finally:
            await built.worker.give_back(settings.shutdown_seconds)  # what that run was sending was judged here
        return result

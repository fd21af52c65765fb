"""The administrative commands of restore mode: how it stands, and its end."""

from collections.abc import Mapping
from typing import Any

from connectors.kit.contract import Effect
from connectors.registry import find_packages
from gateway.dead_letters.desk import known_of
from gateway.logs import log
from gateway.restoring.mode import let_go
from gateway.restoring.standing import shown
from gateway.store.restores import finish_restore, resume, standing
from jisr.admin import Desk, command
from jisr.errors import CommandError


@command("restore.status")
async def _status(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    return shown(await desk.store.read(standing))


@command("restore.finish")
async def _finish(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    """End it; then the held requests go, and so do acts in doubt whose key is honoured."""
    if not await desk.store.write(finish_restore, str(arguments["by"])):
        raise CommandError("Restore mode is not on.")
    if desk.mode is not None:
        await desk.mode.learn(desk.store)
    known = known_of(desk.catalogue(), find_packages(desk.settings.connector_paths))
    repeatable = {
        tuple(name.rsplit(".", 1))
        for name, operation in known.operations.items()
        if operation.effect is Effect.IDEMPOTENT
    }
    resumed = await desk.store.write(resume, repeatable)
    held = await let_go(desk.store)
    log.warning("restore_mode_over", count=held)
    return {"held": held, "resumed": resumed, **shown(await desk.store.read(standing))}

"""This file says whether the process lives and whether it can take requests in: it can only when it can commit."""

import shutil
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.api.services import Services
from gateway.logs import log
from gateway.store.queries import prove_writable

#: Below this much free space the process calls itself not ready before the disk is full.
LEAST_FREE_BYTES = 64 * 1024 * 1024


@get("/health/live")
async def live() -> ASGIResponse:
    """The process answers."""
    return json_of({"status": "ok"})


@get("/health/ready")
async def ready(request: Request[Any, Any, Any]) -> ASGIResponse:
    """A transaction was just committed and the disk has room."""
    services = services_of(request)
    checks = {"database": await _database(services), "disk": _disk(services), "accepting": _running(request)}
    good = all(checks.values())
    words = {name: "ok" if passed else "failing" for name, passed in checks.items()}
    mode = "restore" if services.mode.on else "normal"
    return json_of({"status": "ok" if good else "failing", "mode": mode, "checks": words}, 200 if good else 503)


async def _database(services: Services) -> bool:
    try:
        await services.store.write(prove_writable)
    except Exception as error:  # noqa: BLE001 - whatever the database says, the answer is the same
        log.warning("not_ready", exc_info=error)
        return False
    return True


def _disk(services: Services) -> bool:
    try:
        return shutil.disk_usage(services.settings.data_dir).free >= LEAST_FREE_BYTES
    except OSError:
        return False


def _running(request: Request[Any, Any, Any]) -> bool:
    return not request.app.state["streams"].closed

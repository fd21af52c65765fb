"""This file says whether the process lives and whether it can take requests in: it can only when it can commit."""

import asyncio
import shutil
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse

from gateway.api.requests import services_of
from gateway.api.responses import json_of
from gateway.api.services import Services
from gateway.logs import log
from gateway.store.engine import StoreError
from gateway.store.queries import prove_writable
from gateway.store.webhooks.log import webhook_notice

#: Below this much free space the process calls itself not ready before the disk is full.
LEAST_FREE_BYTES = 64 * 1024 * 1024
BELIEVED_SECONDS = 5.0


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
    told = {"status": "ok" if good else "failing", "mode": mode, "checks": words}
    notices: Notices = request.app.state["notices"]
    if good and (webhooks := await notices.webhooks(services)) is not None:
        told["webhooks"] = webhooks
    return json_of(told, 200 if good else 503)


class Notices:
    """What people should know of and no probe should act on; read again after BELIEVED_SECONDS."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._last: tuple[float, dict[str, Any]] | None = None

    async def webhooks(self, services: Services) -> dict[str, Any] | None:
        """How many addresses fail, how many events wait and how long the oldest; None when it cannot be read."""
        async with self._lock:
            now = services.clock.monotonic()
            if self._last is None or now - self._last[0] >= BELIEVED_SECONDS:
                try:
                    waiting, oldest_ms, failing = await services.store.read(webhook_notice)
                except StoreError:
                    return None
                self._last = now, {"failing": failing, "waiting": waiting, "oldest_seconds": oldest_ms // 1000}
            return self._last[1]


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


@get("/health/stranded")
async def stranded(request: Request[Any, Any, Any]) -> ASGIResponse:
    """Requests that stand in a state for too long. The process is well all the same, so the status is always 200."""
    found = await services_of(request).stranded.now()
    items = [{"state": each.state, "institution": each.institution, "count": each.count} for each in found]
    total = sum(each.count for each in found)
    return json_of({"status": "stranded" if total else "ok", "total": total, "items": items})

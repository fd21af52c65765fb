"""Requests as a sandbox takes them: aiohttp's own limit of 1 MiB would refuse what citizens upload."""

import asyncio
from typing import Any

from aiohttp import web

MAX_REQUEST_BYTES = 256 * 1024 * 1024


def make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]") -> web.BaseRequest:
    """A request of at most MAX_REQUEST_BYTES, as `web.Server` asks for it."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_REQUEST_BYTES)

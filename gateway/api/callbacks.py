"""This file holds the door for messages that institutions send by themselves."""

from typing import Any

from litestar import Request, post
from litestar.response.base import ASGIResponse

from gateway.api.body import read_body
from gateway.api.requests import services_of
from gateway.api.responses import json_of


@post("/callbacks/{institution:str}")
async def receive_callback(request: Request[Any, Any, Any]) -> ASGIResponse:
    """Commit the message as it came; what it says is looked at afterwards."""
    institution = request.path_params["institution"]
    callbacks = services_of(request).callbacks
    raw = await read_body(request, callbacks.limit(institution))
    receipt = await callbacks.take(institution, raw, request.headers.multi_items())
    return json_of({"id": receipt.id, "again": receipt.again}, 202)

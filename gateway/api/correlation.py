"""This file stands around the whole application: it gives every call its trace, and every answer the trace's name.

It wraps the router, so that an address that does not exist gets a trace too, which route middleware would not do.
"""

import time
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.admission import Admission
from gateway.api.negotiation import traceparent_of
from gateway.logs import correlation, log

_STATE_KEY = "jisr.traceparent"


def traceparent(scope: Any) -> str:
    """The call's own traceparent."""
    return str(scope["state"][_STATE_KEY])


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return value.decode("latin-1")
    return None


class Correlation:
    """The outermost application."""

    def __init__(self, app: ASGIApp, admission: Admission, full: Callable[[Scope], ASGIApp]) -> None:
        """`full` answers a call for which there is no room."""
        self._app, self._admission, self._full = app, admission, full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the trace, run the call, log it in one line (the route's template: a raw path may name a person)."""
        started = time.perf_counter()
        trace = traceparent_of(_given(scope))
        scope["state"][_STATE_KEY] = trace
        correlation.set(trace.split("-")[1])
        status = 0

        async def send_with_trace(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"traceparent", trace.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        if not self._admission.enter(scope):
            await self._full(scope)(scope, receive, send_with_trace)
            return
        try:
            await self._app(scope, receive, send_with_trace)
        finally:
            self._admission.leave(scope)
            path = scope.get("path_template", "")
            if path.startswith("/v1"):
                milliseconds = round((time.perf_counter() - started) * 1000)
                log.info("answered", method=scope.get("method"), path=path, status=status, milliseconds=milliseconds)

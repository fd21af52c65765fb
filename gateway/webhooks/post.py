"""One try: resolve, look, connect to what was looked at, send, and name what came of it."""

import asyncio
import ssl
import time
from dataclasses import dataclass

from connectors.kit.contract import Call
from connectors.kit.errors import (
    ConnectionLost,
    ConnectorError,
    NotSent,
    Redirected,
    Throttled,
    TimedOut,
    TooLarge,
)
from connectors.kit.http import HttpAnswer, HttpClient, HttpRequest
from gateway import crash
from gateway.store.clock import Clock
from gateway.store.webhooks.deliveries import Due
from gateway.webhooks.address import AddressRefused, Guard
from gateway.webhooks.events import MEDIA_TYPE, body_of
from gateway.webhooks.settings import WebhookSettings
from gateway.webhooks.signing import signed_headers

#: A receiver's answer beyond this is cut off.
_MOST_ANSWER_BYTES = 16 * 1024
DELIVERED = "delivered"
#: How the log calls what an exception tells.
_OUTCOMES: tuple[tuple[type[ConnectorError], str], ...] = (
    (TimedOut, "no_answer"),
    (NotSent, "not_connected"),
    (ConnectionLost, "connection_lost"),
    (Redirected, "redirect"),
    (TooLarge, "answer_too_large"),
    (Throttled, "status"),
)
#: Every outcome that the log may show.
OUTCOMES = (DELIVERED, "status", "address_refused", "host_unknown", *dict(_OUTCOMES[:-1]).values(), "answer_unreadable")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a try."""

    outcome: str
    http_status: int | None
    at: int
    milliseconds: int
    retry_after_seconds: float = 0.0  #: As the receiver wishes.

    @property
    def delivered(self) -> bool:
        """Whether the receiver said that it has it."""
        return self.outcome == DELIVERED


class Post:
    """Carries events to their receivers."""

    def __init__(self, guard: Guard, settings: WebhookSettings, clock: Clock) -> None:
        """Raises OSError when the file of certificates cannot be read."""
        self._guard, self._clock, self._seconds = guard, clock, settings.deadline_seconds
        self._tls = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else None

    async def carry(self, due: Due) -> Told:
        """Try once, in the deadline altogether; never raises for what a receiver does."""
        at, begun = self._clock.now_ms(), time.monotonic()
        outcome, status, wish = await self._try(due, at, begun)
        return Told(outcome, status, at, round((time.monotonic() - begun) * 1000), wish)

    async def _try(self, due: Due, at: int, begun: float) -> tuple[str, int | None, float]:
        try:
            async with asyncio.timeout(self._seconds):
                target = await self._guard.target(due.url)
        except AddressRefused as refused:
            return refused.outcome, None, 0.0
        except TimeoutError:
            return "host_unknown", None, 0.0
        client = HttpClient(target.base_url, now=self._clock.utcnow, tls=self._tls, address=target.address)
        try:
            answer = await self._send(client, target.path, due, at, begun)
        except ConnectorError as error:
            outcome = next((name for kind, name in _OUTCOMES if isinstance(error, kind)), "answer_unreadable")
            status = error.exchange.status if error.exchange else 0
            return outcome, status or None, error.retry_after_seconds or 0.0
        finally:
            await client.close()
        return DELIVERED if 200 <= answer.status < 300 else "status", answer.status, 0.0

    async def _send(self, client: HttpClient, path: str, due: Due, at: int, begun: float) -> HttpAnswer:
        body = body_of(due)
        headers = {"Content-Type": MEDIA_TYPE, **signed_headers(due.event_id, at // 1000, body, due.secrets)}
        request = HttpRequest("POST", path, headers, body, b"")
        left = self._seconds - (time.monotonic() - begun)
        answer = await client.exchange(
            request, Call(due.event_id, {}), seconds=left, max_bytes=_MOST_ANSWER_BYTES, gated=False, fresh=True
        )
        crash.point("webhook.after_send")
        return answer

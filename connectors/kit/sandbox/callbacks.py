"""The messages that a sandbox sends by itself after an act: signed as the manifest declares, or as a switch spoils it.

Only an address of this machine is called.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from connectors.kit.manifest import CallbackSignature, Manifest
from connectors.kit.message_signature import encoded, secret_bytes, signed_bytes, written_time
from connectors.kit.sandbox.institution import Callback, Desk

_SECONDS = 10
_MOST_SHOWN = 500


class CallbackError(ValueError):
    """The address is none that a sandbox calls; the text says why."""


def loopback(url: str) -> str:
    """The same address. Raises CallbackError unless it is one of this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        mine = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        mine = False
    if parts.scheme != "http" or not mine:
        raise CallbackError("callbacks go to an http address of this machine: http://127.0.0.1:PORT/path")
    return url


class CallbackSender:
    """Sends what is due, and remembers what came of it."""

    def __init__(self, manifest: Manifest, desk: Desk, url: str = "") -> None:
        self._declared = manifest.callbacks
        self._desk = desk
        self.url = loopback(url) if url else ""
        self.sent: list[dict[str, Any]] = []
        self._held: list[Callback] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def later(self, callback: Callback, modes: Mapping[str, Any]) -> None:
        """Send it after its time, as the switches that apply say."""
        if "callback_never" in modes:
            self._remember(callback, None, "never sent", signed=False)
            return
        if "callback_out_of_order" in modes:
            self._held.append(callback)
            return
        due = [callback, *reversed(self._held)] * (2 if "callback_twice" in modes else 1)
        self._held.clear()
        seconds = callback.seconds + modes.get("callback_late", 0) / 1000
        self._start(self._send_all(due, seconds, modes))

    async def now(self, callback: Callback, modes: Mapping[str, Any]) -> None:
        """Send it and wait until it has arrived: before the answer leaves."""
        await self._send_all([callback] * (2 if "callback_twice" in modes else 1), 0, modes)

    def reset(self) -> None:
        """Forget what was sent and what is due."""
        self.sent.clear()
        self._held.clear()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """End what is under way."""
        self.reset()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_all(self, due: list[Callback], seconds: float, modes: Mapping[str, Any]) -> None:
        if seconds:
            await asyncio.sleep(seconds)
        for callback in due:
            await self._send(callback, modes)

    async def _send(self, callback: Callback, modes: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", **self._signature(callback, modes)}
        signed = len(headers) > 1
        if not self.url:
            self._remember(callback, None, "there is no address to send it to", signed=signed)
            return
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS), trust_env=False)
        try:
            async with self._session.post(
                self.url, data=callback.body, headers=headers, allow_redirects=False
            ) as answer:
                self._remember(callback, answer.status, "", signed=signed)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._remember(callback, None, type(error).__name__, signed=signed)

    def _signature(self, callback: Callback, modes: Mapping[str, Any]) -> dict[str, str]:
        declared = self._declared.get(callback.name)
        if declared is None or declared.signature is None or "callback_unsigned" in modes:
            return {}
        wrong = "callback_badly_signed" in modes
        return signature_headers(declared.signature, self._desk, callback.body + (b" " if wrong else b""))

    def _remember(self, callback: Callback, status: int | None, why: str, *, signed: bool) -> None:
        row = {"name": callback.name, "operation": callback.operation, "status": status, "why": why, "signed": signed}
        self.sent.append({**row, "at": self._desk.now().isoformat(timespec="milliseconds")})
        del self.sent[:-_MOST_SHOWN]


def signature_headers(form: CallbackSignature, desk: Desk, body: bytes) -> dict[str, str]:
    """The headers of a callback with this body, signed now. Raises SettingError for a key that cannot be read."""
    key = secret_bytes(desk.settings[form.key], form.key_encoding, form.key)
    time = written_time(desk.now(), form.timestamp_format)
    message = signed_bytes(
        form.signed, form.separator, form.digest_encoding, {"timestamp": time.encode(), "body": body}
    )
    signature = form.prefix + encoded(hmac.digest(key, message, form.algorithm), form.encoding)
    times = {form.timestamp_header: time} if "timestamp" in form.signed else {}
    return {**times, form.header: signature}

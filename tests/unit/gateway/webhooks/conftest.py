"""Receivers that listen on loopback, and the sender over a real store, one try at a time under the test's clock."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from gateway import settings as settings_module
from gateway.security.principals import Kind
from gateway.store import requests as store_requests
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.jobs import intend
from gateway.store.principals import add_principal
from gateway.store.settlements import settle
from gateway.webhooks.address import Guard
from gateway.webhooks.desk import WebhookDesk
from gateway.webhooks.post import Post
from gateway.webhooks.sender import Sender
from gateway.webhooks.settings import WebhookSettings
from tests.unit.gateway.store.records import new_attempt, new_request, sending, settling

DEFAULTS = settings_module.load(environment={}).webhooks
CHANNELS = ("web", "app")


def settings_with(**changes: Any) -> WebhookSettings:
    """The defaults, but receivers may stand on loopback."""
    values = {name: getattr(DEFAULTS, name) for name in DEFAULTS.__struct_fields__}
    return WebhookSettings(**values | {"private_networks": ("127.0.0.0/8",), "plain_http": True} | changes)


@dataclass(slots=True)
class Receiver:
    """A channel's system: what it got, and how it answers."""

    answers: list[Any] = field(default_factory=list)  #: One for each call, then 204.
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    gate: asyncio.Event | None = None  #: Each call waits for it.
    url: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, calls: int) -> None:
        """Wait until so many calls have come."""
        async with asyncio.timeout(20):
            while len(self.got) < calls:
                self.heard.clear()
                await self.heard.wait()

    async def hear(self, request: web.Request) -> web.StreamResponse:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.heard.set()
        answer = self.answers.pop(0) if self.answers else 204
        if self.gate is not None:
            await self.gate.wait()
        if callable(answer):
            found: web.StreamResponse = await answer(request)
            return found
        return web.Response(status=answer) if isinstance(answer, int) else web.Response(**answer)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def states(self) -> list[str]:
        return [event["data"]["state"] for event in self.events]


def signed_by(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Written from the specification, not from the code under test."""
    key = base64.b64decode(secret.split("_", 1)[1])
    message = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    wanted = "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    return wanted in headers["webhook-signature"].split(" ")


@dataclass(slots=True)
class Scene:
    """The store, the sender, and the test's hands on both."""

    store: Store
    clock: Clock
    settings: WebhookSettings
    sender: Sender
    desk: WebhookDesk

    async def listen(
        self, receiver: Receiver, channel: str = "web", types: tuple[str, ...] = ("*",)
    ) -> tuple[str, str]:
        """An endpoint of the channel; its id and its secret."""
        told = await self.desk.add(channel, receiver.url, types)
        return told.body["id"], told.body["secret"]

    async def accept(self, channel: str = "web") -> Any:
        row = new_request(channel)
        await self.store.batch(store_requests.accept, row)
        return row

    async def complete(self, row: Any) -> None:
        """Its institution is asked, and says yes."""
        attempt = new_attempt()
        assert await self.store.batch(intend, sending(row, attempt))
        settled = await self.store.batch(settle, settling(row, attempt, channel_id=row.channel_id))
        assert settled.valid

    async def run(self) -> None:
        """Send all that is due now, and what falls due by that."""
        while True:
            await self.sender._open_lanes()
            if not self.sender._lanes:
                return
            await asyncio.wait(tuple(self.sender._lanes.values()))
            await asyncio.sleep(0)

    async def log(self, endpoint: str) -> list[Any]:
        return list(reversed((await self.desk.log(endpoint, None)).items))


@pytest.fixture
async def make_receiver() -> AsyncIterator[Callable[[], Any]]:
    """`await make_receiver()`: one that listens; all end with the test."""
    runners: list[web.AppRunner] = []

    async def make() -> Receiver:
        receiver = Receiver()
        app = web.Application()
        app.add_routes([web.post("/{path:.*}", receiver.hear)])
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks?key=k"
        return receiver

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def receiver(make_receiver: Any) -> Receiver:
    """One receiver."""
    made: Receiver = await make_receiver()
    return made


def scene_over(store: Store, clock: Clock, **changes: Any) -> Scene:
    """A scene with other settings."""
    settings = settings_with(**changes)
    guard = Guard(settings)
    sender = Sender(store, Post(guard, settings, clock), settings, clock.monotonic, "w1", poll_seconds=0.05)
    return Scene(store, clock, settings, sender, WebhookDesk(store, guard, settings))


@pytest.fixture
async def scene(store: Store, clock: Clock) -> Scene:
    """The sender is not started: the test lets it run."""
    for name in CHANNELS:
        await store.write(lambda conn, name=name: add_principal(conn, name, name, kind=Kind.CHANNEL, name=name))
    return scene_over(store, clock)

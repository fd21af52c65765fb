"""The real gateway on both databases, before the real sandboxes, with a clock that all of them follow into tomorrow."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from gateway import settings as settings_module
from gateway.api.app import build_app
from gateway.reconciliation.days import bounds, day_of
from gateway.reconciliation.reconciler import Reconciler
from gateway.security.principals import Kind, new_key
from gateway.store.clock import Clock
from gateway.store.principals import add_principal
from gateway.store.queries import find_view
from jisr.app import Gateway
from jisr.app import gateway as open_gateway
from jisr.setup import toml
from tests.conftest import Database
from tests.gateways import CERTIFICATE, STEADY
from tests.sandboxes import SandboxProcess

ZONE = "Asia/Damascus"
_DAY_SECONDS = 86_400


@dataclass(slots=True)
class Scene:
    """The gateway, its institutions and its drop folder."""

    built: Gateway
    client: httpx.AsyncClient
    clock: Clock
    folder: Path
    sandboxes: dict[str, SandboxProcess]

    @property
    def reconciler(self) -> Reconciler:
        return self.built.reconciler

    @property
    def wallet(self) -> SandboxProcess:
        return self.sandboxes["syriatel_cash"]

    @property
    def ministry(self) -> SandboxProcess:
        return self.sandboxes["education"]

    def today(self) -> date:
        return day_of(self.clock.now_ms(), ZONE)

    def next_day(self) -> date:
        """Let a day pass, for the gateway and for the institutions; the day that is over now."""
        over = self.today()
        self.clock.advance(_DAY_SECONDS)
        for each in self.sandboxes.values():
            each.advance_clock(_DAY_SECONDS)
        return over

    def write_files(self, day: date) -> None:
        """The institutions put the files of that day into the drop folder."""
        for each in self.sandboxes.values():
            each.control("POST", "statements", {"day": day.isoformat(), "folder": str(self.folder)})

    async def settle_day(self, day: date) -> dict[str, Any]:
        """The files of that day come, and of the day after, should the act stand near midnight; the day's report."""
        self.write_files(day)
        told = await self.reconciler.run(day)
        assert told.run is not None
        return told.run.report

    async def asked(self, key: str, *, mobile: str = "0930000001", year: int = 2015) -> dict[str, Any]:
        """A paid request that waits for its one-time password."""
        body = CERTIFICATE | {
            "input": CERTIFICATE["input"] | {"year": year},
            "payment": {"method": "syriatel_cash", "payer": {"mobile": mobile}},
        }
        answer = await self.client.post("/v1/requests", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (201, 202), answer.text
        return await self.until_state(answer.json()["id"], "awaiting_citizen")

    async def confirm(self, asked: dict[str, Any], key: str, *, number: int = 1) -> dict[str, Any]:
        """Answer with the one-time password."""
        otp = self.wallet.otp(f"{asked['id'].replace('-', '')}-p{number}")
        return await self.act(asked, {"otp": otp}, key)

    async def act(self, request: dict[str, Any], body: dict[str, Any], key: str) -> dict[str, Any]:
        path = f"/v1/requests/{request['id']}/actions/{request['next_action']['id']}"
        answer = await self.client.post(path, json=body, headers={"Idempotency-Key": key, "Prefer": "wait=10"})
        assert answer.status_code in (200, 202), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def read(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(f"/v1/requests/{request_id}")).json()
        return found

    async def until_final(self, request_id: str, state: str) -> None:
        """Wait until the request is in that state, whoever's it is."""
        for _ in range(600):
            view = await self.built.store.read(find_view, request_id, None)
            assert view is not None
            if view.state.value == state:
                return
            await self.built.services.watch.wait(request_id, timeout_seconds=0.05)
        raise AssertionError(f"{request_id} is not {state}")

    async def until_state(self, request_id: str, *states: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(600):
            found = await self.read(request_id)
            if found["state"] in states:
                return found
            await self.built.services.watch.wait(request_id, timeout_seconds=0.05)
        raise AssertionError(f"{request_id} is {found['state']} and not {states}")

    async def in_doubt(self, key: str, mode: str | None = "cut_after", **more: Any) -> dict[str, Any]:
        """A request whose payment's answer was lost; with `cut_before` nothing was debited; None: as the payer is."""
        asked = await self.asked(key, **more)
        if mode is not None:
            self.wallet.switch(mode, operation="confirm", times=1)
        await self.confirm(asked, f"{key}-otp")
        return await self.until_state(asked["id"], "in_doubt")

    async def paid(self, key: str) -> dict[str, Any]:
        """A request that was paid and served."""
        asked = await self.asked(key)
        await self.confirm(asked, f"{key}-otp")
        return await self.until_state(asked["id"], "completed")


def write_config(folder: Path, database: Database, keyring: Path, sandboxes: dict[str, SandboxProcess]) -> Path:
    """The settings of an installation before these sandboxes."""
    dispatch = STEADY | {"poll_seconds": 0.05, "inquiry_seconds": [0.1, 0.1], "absences_needed": 1}
    lines = [f'data_dir = "{folder}"', f'database_url = "{database.url}"', f'keyring_path = "{keyring}"']
    lines += ["[dispatch]", *(f"{name} = {toml(value)}" for name, value in dispatch.items())]
    for name, each in sandboxes.items():
        lines += [f"[connectors.{name}]", *(f"{key} = {toml(value)}" for key, value in each.settings.items())]
    config = folder / "jisr.toml"
    config.write_text("\n".join(lines))
    return config


@contextlib.asynccontextmanager
async def open_scene(config: Path, clock: Clock, sandboxes: dict[str, SandboxProcess]) -> AsyncIterator[Scene]:
    """Everything, running; a scene that is opened again goes on at the time at which the first one was left."""
    settings = settings_module.load(config, environment={})
    name = f"web-{clock.passed_ms}"
    if not clock.passed_ms:  # away from midnight: a payment of its last minutes would need the next day's file too
        clock.advance(_until_noon(clock))
        for each in sandboxes.values():
            each.advance_clock(clock.passed_ms / 1000)
    async with open_gateway(settings, clock) as built:
        app = build_app(built.services)
        key = new_key(Kind.CHANNEL, name)
        await built.store.write(
            lambda conn: add_principal(conn, name, key, kind=Kind.CHANNEL, name=name, services=("*",))
        )
        transport = httpx.ASGITransport(app=cast("Any", app))
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers) as client:
            await built.worker.start()
            yield Scene(built, client, clock, settings.statements_folder, sandboxes)
            await built.worker.stop(5)


@pytest.fixture
def config(
    database: Database, keyring_path: Path, tmp_path: Path, sandbox: Callable[[str], SandboxProcess]
) -> tuple[Path, dict[str, SandboxProcess]]:
    """An installation, and its institutions."""
    sandboxes = {name: sandbox(name) for name in ("education", "syriatel_cash")}
    return write_config(tmp_path, database, keyring_path, sandboxes), sandboxes


@pytest.fixture
async def scene(config: tuple[Path, dict[str, SandboxProcess]], clock: Clock) -> AsyncIterator[Scene]:
    """Everything, running."""
    async with open_scene(config[0], clock, config[1]) as running:
        yield running


def _until_noon(clock: Clock) -> float:
    """Seconds until it is noon in Damascus the next time."""
    now = clock.now_ms()
    noons = (bounds(day_of(now, ZONE) + timedelta(days=n), ZONE)[0] + 12 * 3_600_000 for n in (0, 1))
    return (next(noon for noon in noons if noon > now) - now) / 1000

"""The real application over the real gateway and a real database; only the institutions are away (nobody listens)."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import structlog
from litestar import Litestar

from gateway import settings as settings_module
from gateway.api.app import build_app
from gateway.api.openapi_examples import CERTIFICATE, VEHICLE
from gateway.api.services import Services
from gateway.security.principals import Kind, new_key
from gateway.store.clock import Clock
from gateway.store.principals import add_principal, set_roles
from jisr.app import gateway
from tests.conftest import Database

#: A port of loopback on which nothing listens: every institution is out of reach.
_NOBODY = "http://127.0.0.1:9"


@dataclass(slots=True)
class Api:
    """The application with a channel, a second channel, a narrow one and an operator."""

    app: Litestar
    services: Services
    client: httpx.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)
    logs: list[Any] = field(default_factory=list)  #: What was logged, before the allow-list.

    def headers(self, who: str = "web", **more: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.keys[who]}", **named}

    async def get(self, path: str, who: str = "web", **more: str) -> httpx.Response:
        return await self.client.get(path, headers=self.headers(who, **more))

    async def submit(
        self, body: Any = None, key: str | None = "k-1", who: str = "web", path: str = "/v1/requests", **more: str
    ) -> httpx.Response:
        """POST a body (bytes as they are, anything else as JSON; the vehicle statement unless given)."""
        raw = body if isinstance(body, bytes) else json.dumps(VEHICLE if body is None else body).encode()
        headers = self.headers(who, Content_Type="application/json", **more)
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.client.post(path, content=raw, headers=headers)


def certificate(**changes: Any) -> dict[str, Any]:
    """The paid example with some of its parts changed."""
    body: dict[str, Any] = json.loads(json.dumps(CERTIFICATE))
    return {**body, **changes}


@pytest.fixture
async def api(database: Database, keyring_path: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    """The application, on both databases."""
    config = tmp_path / "jisr.toml"
    config.write_text(
        f'data_dir = "{tmp_path}"\ndatabase_url = "{database.url}"\nkeyring_path = "{keyring_path}"\n'
        f'[connectors.education]\nbase_url = "{_NOBODY}"\nusername = "u"\npassword = "p"\n'
        f'[connectors.transport]\nbase_url = "{_NOBODY}"\nclient_id = "c"\nclient_secret = "s"\n'
        f'[connectors.syriatel_cash]\nbase_url = "{_NOBODY}"\nusername = "u"\npassword = "p"\nmerchant = "963930000099"\n'
    )
    settings = settings_module.load(config, environment={})
    async with gateway(settings, clock) as built:
        app = build_app(built.services)
        transport = httpx.ASGITransport(app=cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            api = Api(app, built.services, client)
            for name, kind, services in (
                ("web", Kind.CHANNEL, ("*",)),
                ("other", Kind.CHANNEL, ("*",)),
                ("narrow", Kind.CHANNEL, ("transport.*",)),
                ("layla", Kind.OPERATOR, ("*",)),
                ("school", Kind.MINISTRY, ()),
            ):
                api.keys[name] = new_key(kind, name)
                await built.store.write(_add, name, api.keys[name], kind, services)
            await built.store.write(set_roles, "layla", ["maker"])
            with structlog.testing.capture_logs() as api.logs:
                yield api
                await built.worker.stop(5)


def _add(conn: Any, name: str, key: str, kind: Kind, services: tuple[str, ...]) -> None:
    add_principal(conn, name, key, kind=kind, name=name, services=services)

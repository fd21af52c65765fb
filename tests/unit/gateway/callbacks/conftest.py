"""The real gateway with its worker, on both databases, over a small office that answers as each test wants."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import structlog
from aiohttp import web
from sqlalchemy import select

from gateway import settings as settings_module
from gateway.api.app import build_app
from gateway.api.openapi_examples import VEHICLE
from gateway.security.principals import Kind, new_key
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.principals import add_principal
from gateway.store.tables import attempts, callbacks, events, evidence
from jisr.app import Gateway
from jisr.app import gateway as open_gateway
from tests.conftest import Database
from tests.unit.connectors.packages import MANIFEST, write_package

KEY = "an invented callback key"
OFFICE = """
[settings.callback_secret]
type = "text"
secret = true

[operations.submit]
wire = "POST /acts"
role = "submit"
effect = "inquirable"
inquire = "inquire"

[operations.inquire]
wire = "GET /acts/{id}"
role = "inquire"
effect = "safe"

[callbacks.result]
operation_id = "request.id"
max_bytes = 4096

[callbacks.result.signature]
encoding = "hex"

[callbacks.notice]
operation_id = "request.id"

[callbacks.notice.signature]
encoding = "hex"
"""
ANSWER = """
  code: answer.status
  message: answer.message
  reference: answer.number
  data: {n: answer.n}
"""
ASKS = """  next_action:
    $when: answer.ask
    kind: "'resubmit_photo'"
"""
PHOTO_ACTION = """
[actions.resubmit_photo]
goes_on = "submit"
text.ar = "أرسل صورة أوضح."
text.en = "Please send a clearer photo."
[actions.resubmit_photo.answer]
type = "object"
additionalProperties = false
required = ["photo"]
[actions.resubmit_photo.answer.properties.photo]
type = "string"
pattern = "^sha256:[0-9a-f]{64}$"
title.ar = "الصورة"
title.en = "Photo"
"""
MAPPINGS = {
    "submit": f"request:\n  body: {{id: operation_id, plate: input.plate_number, photo: attachments.photo}}\nanswer:{ANSWER}{ASKS}",
    "inquire": f"request:\n  path: {{id: subject_operation_id}}\nanswer:{ANSWER}",
    "notice": "answer: {code: answer.notice.code}",
    # what the message says of the act is held against what was asked for
    "result": f"answer:{ANSWER}  same:\n    - [answer.plate || input.plate_number, input.plate_number]\n",
}
SERVICE = """
id = "office.act"
institution = "office"
name = { ar = "عمل المكتب", en = "Act of the office" }
turnaround_hours = 24
[[steps]]
kind = "submit"
connector = "office"
operation = "submit"
[input]
type = "object"
additionalProperties = false
required = ["plate_number"]
[input.properties.plate_number]
type = "string"
pattern = "^[0-9]{6}$"
title.ar = "رقم اللوحة"
title.en = "Plate number"
"""


@dataclass(slots=True)
class Office:
    """The institution: what it answers, what it was asked, and a gate before each answer to a submit."""

    answers: dict[str, Any] = field(
        default_factory=lambda: {"submit": {"status": "waits"}, "inquire": {"status": "waits"}}
    )
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)  #: Of the submits.
    before_answer: Callable[[str], Any] | None = None
    before_telling: asyncio.Event | None = None  #: Before each answer to an inquiry.
    url: str = ""

    async def submit(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(("submit", body["id"]))
        self.bodies.append(body)
        if self.before_answer is not None:
            await self.before_answer(body["id"])
        return self._tell("submit")

    async def stamp(self, request: web.Request) -> web.Response:
        self.asked.append(("stamp", (await request.json())["id"]))
        return self._tell("stamp")

    async def inquire(self, request: web.Request) -> web.Response:
        self.asked.append(("inquire", request.match_info["id"]))
        if self.before_telling is not None:
            await self.before_telling.wait()
        return self._tell("inquire")

    def _tell(self, operation: str) -> web.Response:
        answer = self.answers[operation]
        return web.Response(status=answer) if isinstance(answer, int) else web.json_response(answer)

    def count(self, operation: str) -> int:
        return len([name for name, _ in self.asked if name == operation])


@dataclass(slots=True)
class Scene:
    """The running gateway, the office, and the test's hands on both."""

    built: Gateway
    client: httpx.AsyncClient
    office: Office
    clock: Clock
    key: str
    logs: list[Any] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.built.store

    async def submit(self, key: str = "k-1", wait: int = 0, service: str = "office.act") -> dict[str, Any]:
        """One request for the office's act."""
        body = {"service": service, "applicant": VEHICLE["applicant"], "input": {"plate_number": "123456"}}
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
        if wait:
            headers["Prefer"] = f"wait={wait}"
        answer = await self.client.post("/v1/requests", json=body, headers=headers)
        assert answer.status_code in (201, 202), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def read(self, request_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/requests/{request_id}", headers={"Authorization": f"Bearer {self.key}"})
        found: dict[str, Any] = answer.json()
        return found

    async def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition that is looked at again and again."""
        async with asyncio.timeout(20):
            while True:
                value = await condition()
                if value:
                    return value
                await asyncio.sleep(0.01)
        raise AssertionError(what)

    async def until_state(self, request_id: str, *states: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            found = await self.read(request_id)
            return found if found["state"] in states else None

        found: dict[str, Any] = await self.until(there, f"{states}")
        return found

    def act(self, request: dict[str, Any]) -> str:
        """The operation id of the request's act."""
        return f"{request['id'].replace('-', '')}-0"

    def message(self, act: str, status: str = "done", **more: Any) -> bytes:
        return json.dumps({"request": {"id": act}, "status": status, **more}).encode()

    def signed(self, body: bytes, *, key: str = KEY, at: float | None = None) -> dict[str, str]:
        moment = str(int(at if at is not None else self.clock.now_ms() / 1000))
        signature = hmac.new(key.encode(), moment.encode() + b"\n" + body, hashlib.sha256).hexdigest()
        return {"X-Timestamp": moment, "X-Signature": signature}

    async def call_back(self, body: bytes, headers: dict[str, str] | None = None, to: str = "office") -> httpx.Response:
        """Send a message; signed well unless headers are given."""
        given = {"Content-Type": "application/json", **(self.signed(body) if headers is None else headers)}
        return await self.client.post(f"/callbacks/{to}", content=body, headers=given)

    async def rows(self, table: Any) -> list[Any]:
        return list(await self.store.read(lambda conn: conn.execute(select(table).order_by(table.c.id)).all()))

    async def verdicts(self) -> list[str | None]:
        return [row.verdict for row in await self.rows(callbacks)]

    async def until_judged(self, count: int = 1) -> list[str | None]:
        async def judged() -> list[str | None] | None:
            found = await self.verdicts()
            return found if len(found) >= count and None not in found else None

        found: list[str | None] = await self.until(judged, "every message to be judged")
        return found

    async def until_waiting(self) -> None:
        """Until the one message was looked at and put off."""

        async def looked() -> bool:
            return any(row.tries > 0 and row.verdict is None for row in await self.rows(callbacks))

        await self.until(looked, "the message to be put off")

    async def history(self, request: dict[str, Any]) -> list[str]:
        return [row.kind for row in await self.rows(events) if row.request_id == request["id"]]

    async def attempt_state(self) -> str:
        (row,) = await self.rows(attempts)
        return str(row.state)

    async def seen(self) -> list[tuple[str, str]]:
        return [(row.source, row.status) for row in await self.rows(evidence)]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """The office, listening on loopback."""
    playing = Office()
    app = web.Application()
    app.add_routes([web.post("/acts", playing.submit), web.get("/acts/{id}", playing.inquire)])
    app.add_routes([web.post("/stamps", playing.stamp)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    playing.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield playing
    await runner.cleanup()


@contextlib.asynccontextmanager
async def open_scene(
    folder: Path,
    database: Database,
    keyring_path: Path,
    clock: Clock,
    office: Office,
    *,
    manifest: str = "",
    mappings: Mapping[str, str] | None = None,
    services: Mapping[str, str] | None = None,
) -> AsyncIterator[Scene]:
    """Everything, running; inquiries come only when somebody asks for them, or an hour later.

    The office's package and services may have more than the one act.
    """
    write_package(folder / "packages", manifest=MANIFEST + OFFICE + manifest, mappings={**MAPPINGS, **(mappings or {})})
    (folder / "services").mkdir()
    with_photo = 'id = "office.photo"\nrequired_documents = ["photo"]\n'
    own = {
        "office.act": SERVICE,
        "office.photo": SERVICE.replace('id = "office.act"\n', with_photo) + PHOTO_ACTION,
    }
    for name, content in {**own, **(services or {})}.items():
        (folder / "services" / f"{name}.toml").write_text(content, "utf-8")
    config = folder / "jisr.toml"
    config.write_text(
        f'data_dir = "{folder}"\ndatabase_url = "{database.url}"\nkeyring_path = "{keyring_path}"\n'
        f'services_paths = ["{folder / "services"}"]\nconnector_paths = ["{folder / "packages"}"]\n'
        f"[dispatch]\npoll_seconds = 0.05\ninquiry_seconds = [3600, 3600]\n"
        f'[connectors.office]\nbase_url = "{office.url}"\ncallback_secret = "{KEY}"\n'
    )
    settings = settings_module.load(config, environment={})
    async with open_gateway(settings, clock) as built:
        app = build_app(built.services)
        key = new_key(Kind.CHANNEL, "web")
        await built.store.write(
            lambda conn: add_principal(conn, "web", key, kind=Kind.CHANNEL, name="web", services=("*",))
        )
        transport = httpx.ASGITransport(app=cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            with structlog.testing.capture_logs() as logs:
                await built.worker.start()
                yield Scene(built, client, office, clock, key, logs)
                await built.worker.stop(5)


@pytest.fixture
async def scene(
    database: Database, keyring_path: Path, tmp_path: Path, clock: Clock, office: Office
) -> AsyncIterator[Scene]:
    """Everything, running."""
    async with open_scene(tmp_path, database, keyring_path, clock, office) as running:
        yield running


async def with_institution(scene: Scene, key: str = "k-1") -> dict[str, Any]:
    """A request that the office has received and not decided."""
    request = await scene.submit(key)
    return await scene.until_state(request["id"], "with_institution")

"""N4 for every operation that may be done only once: the connection is cut after it was sent.

Every package's operations get this by existing. The institution is played in the test's own process and never answers.
"""

import asyncio
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from connectors.kit.conformance.bench import opened
from connectors.kit.conformance.canned import Canned, Said, playing
from connectors.kit.contract import Connector, Effect, Operation
from gateway import settings as settings_module
from gateway.asking_sooner import QUIET_SECONDS
from gateway.catalogue import Catalogue, Service, Step
from gateway.dispatch import Dispatcher
from gateway.documents.attachments import Attachments
from gateway.lanes.bulkhead import Lanes, lane_of
from gateway.recorder import Recorder
from gateway.steps import Route
from gateway.store.attachments import Room
from gateway.store.claims import claim
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.jobs import NEVER, Intending, intend
from gateway.store.requests import accept
from gateway.store.sooner import ask_sooner
from gateway.store.tables import attempts, intents, jobs, requests
from gateway.upkeep import revive_inquiries
from gateway.waiters import Waiters
from gateway.watch import Watch
from mappings.status import Intent
from tests.conformance.packages import SUBJECTS
from tests.unit.gateway.store.conftest import channel
from tests.unit.gateway.store.records import new_request, rows_of

__all__ = ["channel"]

POLICY = replace(settings_module.load(environment={}).dispatch, inquiry_seconds=(60.0, 600.0), breaker_failures=0)
#: What may neither be repeated nor is harmless.
ONCE = [
    (name, operation, declared.effect)
    for name, subject in SUBJECTS.items()
    for operation, declared in subject.package.manifest.operations.items()
    if declared.effect not in (Effect.SAFE, Effect.IDEMPOTENT)
]


def cut(_answer: bytes) -> bytes:
    """The institution hangs up: the request was read, and no byte of an answer leaves."""
    raise asyncio.CancelledError


@dataclass
class Scene:
    """One act of one connector, and the worker that does it."""

    store: Store
    clock: Clock
    office: Canned
    dispatcher: Dispatcher
    connector: Connector
    operation: Operation
    request_id: str

    @property
    def lane(self) -> str:
        return lane_of(self.connector.name, self.operation.name)

    @property
    def inquiry_lane(self) -> str:
        return lane_of(self.connector.name, str(self.operation.inquire))

    async def states(self) -> tuple[str, str | None, str]:
        """Of the request, with its reason, and of the one attempt."""
        (request,) = await rows_of(self.store, requests, id=self.request_id)
        (attempt,) = await rows_of(self.store, attempts, request_id=self.request_id)
        return request.state, request.reason, attempt.state

    async def job(self) -> Any:
        (job,) = await rows_of(self.store, jobs, request_id=self.request_id)
        return job

    async def ended(self) -> None:
        """Wait until the worker has nothing to do."""
        while self.dispatcher.in_flight:
            for task in list(self.dispatcher._running):
                await task

    async def work(self, lane: str) -> int:
        """Claim and do what is due in the lane; how much that was."""
        works = await self.store.write(claim, "w1", {lane: 1}, 30_000)
        self.dispatcher.judge(works)  # takes a place of the lane, as a claim had
        await self.ended()
        return len(works)


def service_of(name: str, connector: str, operation: Operation) -> Service:
    """A service whose one step is the act."""
    pays = operation.role == "confirm"
    step = Step("pay") if pays else Step("submit", connector, operation.name)
    fee: Any = SimpleNamespace(money=None, methods=(connector,), example=True) if pays else None
    return Service(name, connector, {"ar": "", "en": ""}, 1, (), "low", 2, fee, ("electronic",), (step,), {})


def contents(document: dict[str, Any], connector: str, operation: Operation) -> dict[str, Any]:
    """The columns of a request whose exchange renders from the sample's document."""
    content = {name: document.get(name) or {} for name in ("applicant", "input", "delivery")}
    progress = {"steps": document.get("steps") or {}, "reference": document.get("reference") or ""}
    progress |= {"quote": document["quote"]} if document.get("quote") else {}
    if operation.role == "confirm":
        progress["payment"] = {"method": connector, "payer": document.get("payer"), "number": 1}
    if document.get("action"):
        act = {"connector": connector, "operation": operation.name, "about": "earlier", "open": True, "id": "a1"}
        progress["act"] = {**act, **document["action"]}
    return {
        "content": json.dumps(content).encode(),
        "progress": json.dumps(progress).encode(),
        "phase": "act" if document.get("action") else "",
    }


@pytest.fixture
async def lost(store: Store, clock: Clock, channel: str, name: str, operation: str) -> Any:
    """The act was sent, and its answer is lost."""
    subject = SUBJECTS[name]
    async with playing(subject, Said(b"")) as office, opened(subject, office.port) as connector:
        office.seal = cut
        declared = connector.operations[operation]
        document = subject.document(operation)
        service = service_of(document["request"]["service"], name, declared)
        routes = {service.id: Route(service, {name: connector})}
        lanes = Lanes([connector], POLICY)
        watch = Watch()
        recorder = Recorder(store, Catalogue([service]), Waiters(), watch, clock)
        attachments = Attachments(store, Room(10, 10**6))
        dispatcher = Dispatcher(store, routes, lanes, POLICY, clock, recorder, "w1", attachments)
        lane = lane_of(name, operation)
        row = new_request(channel, lane=lane, claim_for=None, service=service.id, **contents(document, name, declared))
        await store.batch(accept, row)
        paying = update(intents).where(intents.c.request_id == row.id).values(state=Intent.IN_PROGRESS.value)
        await store.write(lambda conn: conn.execute(paying).rowcount)  # as taking the payer's code leaves it
        scene = Scene(store, clock, office, dispatcher, connector, declared, row.id)
        (work,) = await store.write(claim, "w1", {lane: 1}, 30_000)
        work.attachments = document.get("attachments") or {}
        plan = routes[service.id].payment(work, declared.role) if work.progress.get("payment") else None
        plan = plan or routes[service.id].plan(work)
        exchange = dispatcher.render(work, plan, dict.fromkeys(declared.secrets, "123456"))
        assert exchange.failure is None, exchange.failure
        assert exchange.attempt is not None
        assert await store.batch(intend, Intending(row.id, work.token, work.intent_id, exchange.attempt))
        dispatcher.opened(exchange)
        lanes.enter_beyond(lane)
        dispatcher.start(work, exchange)
        await scene.ended()
        yield scene


@pytest.mark.parametrize(("name", "operation"), [(name, operation) for name, operation, _ in ONCE])
async def test_n4_a_lost_answer_to_what_may_be_done_once_is_in_doubt_and_resolved_by_asking_alone(
    lost: Scene, name: str, operation: str
) -> None:
    assert len(lost.office.asked) == 1
    state, reason, attempt = await lost.states()
    assert (state, attempt) == ("in_doubt", "in_doubt")
    assert reason in ("upstream_connection_lost", "payment_in_doubt")
    job = await lost.job()
    if lost.operation.inquire is None:
        assert lost.operation.effect is Effect.NONE, "what can be asked about must say how"
        assert job.due_at == NEVER
        lost.clock.advance(86_400)
        assert not await lost.store.write(ask_sooner, lost.request_id, 0)
        assert await lost.store.write(revive_inquiries, {}) == 0
        assert await lost.work(lost.lane) == 0, "it rests: a statement or two people decide"
        assert len(lost.office.asked) == 1
        return
    assert (job.lane, job.due_at < NEVER) == (lost.inquiry_lane, True), "the schedule asks"
    assert not await lost.store.write(ask_sooner, lost.request_id, 30_000), "it moved just now"
    lost.clock.advance(QUIET_SECONDS + 1)
    assert await lost.work(lost.inquiry_lane) == 0, "not yet due"
    assert await lost.store.write(ask_sooner, lost.request_id, 30_000), "somebody reads it"
    inquiries = 0
    for _ in range(10):
        if not await lost.work(lost.inquiry_lane):
            break
        inquiries += 1
        assert await lost.work(lost.lane) == 0, "nothing is sent again"
        lost.clock.advance(601)
    assert inquiries == len(POLICY.inquiry_seconds)
    assert len(lost.office.asked) == 1 + inquiries
    assert await lost.states() == ("parked", "inquiry_exhausted", "review"), "with a reason: people decide"


def test_n4_there_is_something_to_prove() -> None:
    assert len(ONCE) >= 9
    assert {effect for _, _, effect in ONCE} == {Effect.INQUIRABLE, Effect.NONE}

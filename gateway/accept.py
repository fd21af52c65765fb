"""Accept: a checked request is committed with its first job, and goes at once when its lane has a free place."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from gateway import crash
from gateway.availability import Availability
from gateway.catalogue import Service
from gateway.dispatch import Dispatcher
from gateway.errors import Problem
from gateway.exchange import Exchange
from gateway.ids import new_id
from gateway.lanes.bulkhead import Lanes
from gateway.logs import log
from gateway.packed import pack
from gateway.quoting import Quoter
from gateway.representation import money, represent, to_json, view_of
from gateway.restoring.mode import RestoreMode
from gateway.security.keyring import Keyring
from gateway.security.principals import Principal
from gateway.settings import Settings
from gateway.steps import Landing, Route
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.jobs import HELD_CODE
from gateway.store.requests import REQUESTS_SCOPE, Accepted, Existing, NewIntent, NewRequest, accept
from gateway.testing import route_name
from gateway.validation import CheckedRequest
from gateway.waiters import Waiter, Waiters
from gateway.work import Work
from mappings.status import Intent, Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What the channel is told; once committed, a replay of the key is told the same."""

    status: str  #: "created" (finished), "accepted" (goes on), "ok" (an action's outcome).
    request_id: str
    body: bytes
    replayed: bool = False


def replay(existing: Existing, scope: str, body_hash: bytes) -> Answer:
    """The stored answer. Raises Problem("idempotency_key_reused") when the key stands for something else."""
    if existing.scope != scope or not hmac.compare_digest(existing.body_hash, body_hash):
        raise Problem("idempotency_key_reused")
    return Answer(existing.status, existing.request_id, existing.answer, replayed=True)


class FreshKeys:
    """The idempotency keys that this process saw last: whoever sends one again costs the institution no question."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._seen: dict[tuple[str, str], None] = {}

    def add(self, channel_id: str, key: str) -> bool:
        """Whether it is new here."""
        if (channel_id, key) in self._seen:
            return False
        self._seen[channel_id, key] = None
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        return True


class Acceptor:
    """Takes requests in."""

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        lanes: Lanes,
        dispatcher: Dispatcher,
        waiters: Waiters,
        availability: Availability,
        keyring: Keyring,
        clock: Clock,
        settings: Settings,
        mode: RestoreMode | None = None,
    ) -> None:
        self._mode = mode or RestoreMode()
        self._store, self._routes, self._lanes, self._dispatcher = store, routes, lanes, dispatcher
        self._waiters, self._availability, self._keyring = waiters, availability, keyring
        self._clock, self._settings = clock, settings
        self._fresh_keys = FreshKeys()
        self._quoter = Quoter(lanes, dispatcher)

    async def preflight(
        self, principal: Principal, checked: CheckedRequest, *, language: str, missing: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What passed the checks: the fee, what the applicant must bring, the availability. Stores nothing.

        Where the institution names the price it is asked for it, and says by that whether it would take the request.
        """
        service = checked.service
        told = {
            "service": service.id,
            "acceptable": not missing,
            "fee": money(service.fee.money) if service.fee and service.fee.money else None,
            "payment_methods": list(service.fee.methods) if service.fee else [],
            "turnaround_hours": service.turnaround_hours,
            "missing_documents": list(missing),
            "availability": await self._availability.of(service, principal),
        }
        route, progress = self._route(principal, service), _progress(checked.content)
        if "quote" in [step.kind for step in service.steps]:
            work = _work(checked, route.land(0, progress), progress, principal, now=self._clock.now_ms())
            work.language = language
            asked = await self._quoter.quote(work, route)
            if asked is not None:
                told |= {
                    "quote": asked["quote"],
                    "reason": asked["reason"],
                    "acceptable": not (asked["refused"] or missing),
                }
                told["payment_methods"] = asked.get("methods", told["payment_methods"])
                told["fee"] = asked["quote"]["amount"] if asked["quote"] and service.fee else told["fee"]
        return told

    async def accept(
        self,
        principal: Principal,
        key: str,
        checked: CheckedRequest,
        *,
        language: str,
        traceparent: str,
        wait_seconds: float,
    ) -> Answer:
        """Commit, and wait for the outcome as long as the caller wishes. Nothing is answered before COMMIT.

        Raises Problem("idempotency_key_reused") for a key that stands for another body.
        """
        route = self._route(principal, checked.service)
        progress = _progress(checked.content)
        landing = route.land(0, progress)
        work = _work(checked, landing, progress, principal, now=self._clock.now_ms())
        work.language, work.traceparent = language, traceparent
        place = not (self._dispatcher.stopping or self._mode.on) and self._lanes.try_enter(work.lane)
        row = self._row(work, principal, key, checked, claim_for=self._dispatcher.worker if place else None)
        waiter = Waiter(principal.id, key, creates=True) if wait_seconds > 0 else None
        if waiter:
            self._waiters.add(work.request_id, waiter)
        fresh = self._fresh_keys.add(principal.id, key)
        early: Exchange | None = None
        try:
            if fresh and place:
                early = self._dispatcher.ask_early(work)
            result = await self._store.batch(accept, row)
        except BaseException:
            self._undo(work, early, place=place)
            raise
        if isinstance(result, Existing):
            self._undo(work, early, place=place)
            return replay(result, REQUESTS_SCOPE, row.body_hash)
        crash.point("accept.after_commit")
        log.info("accepted", request_id=work.request_id, correlation=work.correlation, service=work.service)
        self._go(work, result, early, place=place)
        answered = await self._waiters.outcome(work.request_id, waiter, wait_seconds) if waiter else None
        if answered is None:
            return Answer("accepted", work.request_id, row.answer)
        return Answer(answered.status, work.request_id, answered.body)

    def _route(self, principal: Principal, service: Service) -> Route:
        """Raises Problem("not_testable") when a test channel asks for what has no test systems."""
        route = self._routes.get(route_name(service.id, test=principal.test))
        if route is None:
            raise Problem("not_testable")
        return route

    def _undo(self, work: Work, early: Exchange | None, *, place: bool) -> None:
        if early is not None:
            early.drop()
        self._waiters.take(work.request_id)
        if place:
            self._lanes.leave(work.lane)

    def _go(self, work: Work, result: Accepted, early: Exchange | None, *, place: bool) -> None:
        if result.token is not None:
            work.token = result.token
            self._dispatcher.start(work, early)
            return
        if early is not None:
            early.drop()
        if place:
            self._lanes.leave(work.lane)
        self._dispatcher.wake()

    def _row(
        self, work: Work, principal: Principal, key: str, checked: CheckedRequest, *, claim_for: str | None
    ) -> NewRequest:
        intent = None
        if work.intent_id:
            intent = NewIntent(work.intent_id, work.amount_minor, work.currency, work.denomination)
        view = view_of(work, work.created_at)
        if self._mode.on:
            view = msgspec.structs.replace(view, reason=HELD_CODE)
        first = represent(view, checked.service)
        return NewRequest(
            id=work.request_id,
            channel_id=principal.id,
            key=key,
            body_hash=self.body_hash(checked.body_hash),
            answer=to_json(first),
            service=work.service,
            language=work.language,
            priority=work.priority,
            reference=work.reference,
            traceparent=work.traceparent,
            content=pack(work.content),
            progress=pack(work.progress),
            applicant_index=self._keyring.blind_index(work.content["applicant"]["national_number"]),
            mapping_version=self._routes[work.route].mapping_version,
            step=work.step,
            phase=work.phase,
            lane=work.lane,
            intent=intent,
            keep_key_ms=self._settings.idempotency_days * 86_400_000,
            created_at=work.created_at,
            test=work.test,
            claim_for=claim_for,
            held=self._mode.on,
            lease_ms=int(self._settings.dispatch.lease_seconds * 1000),
        )

    def body_hash(self, plain: bytes) -> bytes:
        """The keyed hash that is stored: a plain one of a body with few unknown digits could be searched through."""
        return self._keyring.blind_index(sha256(plain).hexdigest())


def _progress(content: Mapping[str, Any]) -> dict[str, Any]:
    payment, method = content.get("payment"), content["delivery"]["method"]
    progress = {"payment": {"method": payment["method"], "payer": payment.get("payer"), "number": 1}} if payment else {}
    return progress if method == "electronic" else {**progress, "delivery": method}


def _work(
    checked: CheckedRequest, landing: Landing, progress: dict[str, Any], principal: Principal, *, now: int
) -> Work:
    """The new request as the worker will see it, when it may go at once."""
    fee = checked.service.fee.money if checked.service.fee else None
    return Work(
        request_id=new_id(),
        service=checked.service.id,
        language="",
        traceparent="",
        reference=checked.reference,
        priority=principal.priority,
        state=Request.ACCEPTED,
        step=landing.step,
        phase=landing.phase,
        version=1,
        created_at=now,
        expires_at=None,
        content=checked.content,
        progress=progress,
        lane=str(landing.lane),
        token=0,
        intent_id=new_id() if fee else None,
        intent_state=Intent.CREATED if fee else None,
        amount_minor=fee.amount_minor if fee else 0,
        currency=fee.currency if fee else "",
        denomination=fee.denomination if fee else "",
        test=principal.test,
        channel_id=principal.id,
    )

"""What the citizen and the channel do to a request on its way: answer a next action, cancel."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import jsonschema_rs
import msgspec

from gateway import asking, next_action
from gateway.accept import Acceptor, Answer, replay
from gateway.catalogue import Catalogue
from gateway.dispatch import Dispatcher
from gateway.documents.attachments import Attachments
from gateway.documents.references import in_fields
from gateway.errors import FieldError, Problem
from gateway.exchange import Exchange
from gateway.following import follow
from gateway.lanes.bulkhead import Lanes
from gateway.logs import log
from gateway.payments.fee_orders import facts_of
from gateway.payments.rules import payer_errors
from gateway.representation import represent, to_json, view_of
from gateway.schema_errors import explain
from gateway.security.principals import Kind, Principal
from gateway.settings import Settings
from gateway.steps import Plan, Route
from gateway.store.actions import (
    DECLINED,
    Key,
    Taking,
    cancel,
    decline,
    find_key,
    find_request,
    hand_over,
    load_work,
    take,
)
from gateway.store.clock import Clock, now_ms
from gateway.store.engine import Store
from gateway.store.queries import find_view
from gateway.store.requests import Existing
from gateway.strict_json import canonical_json
from gateway.validation import read_object
from gateway.waiters import Waiter, Waiters
from gateway.watch import Watch
from gateway.work import FeeOrder, Work
from mappings.person import mobile
from mappings.status import Request, move

#: An action answers with its exchange's outcome; a caller that names no other patience is given this much.
DEFAULT_WAIT_SECONDS = 10.0
#: Once an exchange of these roles has left, a request cannot be cancelled any more.
_TOUCHING_ROLES = ("submit", "confirm", "cancel")


@dataclass(slots=True)
class _Reply:
    """A checked answer to a next action."""

    body: dict[str, Any]
    work: Work
    action: Mapping[str, Any]
    intent_id: str | None = None  #: The fee order that stood before the answer.
    fee_order: FeeOrder | None = None  #: The price that it consents to.


class Actions:
    """Answers to next actions, and cancelling."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        routes: Mapping[str, Route],
        lanes: Lanes,
        dispatcher: Dispatcher,
        waiters: Waiters,
        watch: Watch,
        acceptor: Acceptor,
        payer_operators: Mapping[str, str],
        clock: Clock,
        settings: Settings,
        attachments: Attachments,
    ) -> None:
        self._attachments = attachments
        self._store, self._catalogue, self._routes, self._lanes = store, catalogue, routes, lanes
        self._dispatcher, self._waiters, self._watch, self._acceptor = dispatcher, waiters, watch, acceptor
        self._payer_operators, self._clock, self._settings = payer_operators, clock, settings

    async def answer(
        self,
        principal: Principal,
        request_id: str,
        action_id: str,
        key: str,
        raw: bytes,
        *,
        traceparent: str,
        wait_seconds: float | None,
    ) -> Answer:
        """Take the citizen's answer and tell what came of it.

        Raises Problem: not_found, action_not_open, action_expired, invalid_request, overloaded, idempotency_key_reused.
        """
        body, errors = read_object(raw)
        scope = f"actions/{request_id}/{action_id}"
        body_hash = self._acceptor.body_hash(sha256(canonical_json(body)).digest())
        existing = await self._store.read(find_key, principal.id, key)
        if existing is not None:
            return replay(existing, scope, body_hash)
        reply = await self._check(principal, request_id, action_id, body, errors)
        reply.work.traceparent = traceparent
        if named := in_fields(body):
            await self._attachments.pin_answer(principal.id, named)
            earlier = reply.work.progress.get("attachments", {})
            reply.work.progress = {**reply.work.progress, "attachments": {**earlier, **named}}
        kept = Key(principal.id, key, scope, body_hash, b"", self._settings.idempotency_days * 86_400_000)
        if asking.ends(reply.action, body):
            told = await self._decline(reply, kept)
            return replay(told, scope, body_hash) if isinstance(told, Existing) else Answer("ok", request_id, told)
        waiter = Waiter(principal.id, key, creates=False)
        taken = await self._take(reply, kept, waiter)
        if isinstance(taken, Existing):
            return replay(taken, scope, body_hash)
        patience = DEFAULT_WAIT_SECONDS if wait_seconds is None else wait_seconds
        answered = await self._waiters.outcome(request_id, waiter, patience)
        return Answer("ok" if answered else "accepted", request_id, answered.body if answered else taken)

    async def _check(
        self, principal: Principal, request_id: str, action_id: str, body: dict[str, Any], errors: list[FieldError]
    ) -> _Reply:
        row = await self._store.read(find_request, principal.id, request_id)
        if row is None:
            raise Problem("not_found")
        action = json.loads(row.next_action) if row.next_action else None
        if row.state != Request.AWAITING_CITIZEN.value or action is None or action["id"] != action_id:
            raise Problem("action_not_open")
        if row.expires_at is not None and row.expires_at <= self._clock.now_ms() and await self._over(row.expires_at):
            raise Problem("action_expired")
        schema = jsonschema_rs.Draft202012Validator(next_action.schema(action))
        if errors or not schema.is_valid(body):
            errors += explain(schema, body, but_not={error.pointer for error in errors})
        elif action["kind"] == next_action.CHOOSE_PAYMENT:
            found = payer_errors({"method": body["method"], "payer": body["payer"]}, self._operator(body))
            errors += [replace(error, pointer=error.pointer.removeprefix("/payment")) for error in found]
        if errors:
            raise Problem("invalid_request", errors=errors)
        work = await self._store.read(load_work, request_id)
        if work is None or work.version != row.version:
            raise Problem("action_not_open")
        return _Reply(body, work, action)

    async def _over(self, moment: int) -> bool:
        """Whether it has passed by the clock that all nodes share: this node's own may be wrong."""
        now: int = await self._store.read(now_ms)
        return moment <= now

    def _operator(self, body: Mapping[str, Any]) -> str | None:
        return self._payer_operators.get(str(body["method"]))

    async def _take(self, reply: _Reply, key: Key, waiter: Waiter) -> bytes | Existing:
        """Commit the answer and start its exchange; the provisional answer, or what the key stood for already."""
        work, route = reply.work, self._routes[reply.work.route]
        exchange = self._prepare(reply, route)
        plan = exchange.plan if exchange else route.plan(work)
        placed = await self._dispatcher.claims.enter(plan.lane)
        if not placed and "then" not in reply.action:
            raise Problem("overloaded", retry_after_seconds=2)
        work.lane = plan.lane
        if exchange and exchange.failure:
            self._lanes.leave(work.lane)
            raise Problem(exchange.failure.code)
        provisional = self._provisional(work)
        self._waiters.add(work.request_id, waiter)
        try:
            taking = self._taking(reply, replace(key, answer=provisional), exchange, placed=placed)
            result = await self._store.write(take, taking)
        except BaseException:
            self._undo(work, waiter, placed=placed)
            raise
        if isinstance(result, Existing):
            self._undo(work, waiter, placed=placed)
            return result
        self._begin(work, result, exchange, placed=placed)
        log.info("action_taken", request_id=work.request_id, correlation=work.correlation, kind=reply.action["kind"])
        return provisional

    async def _decline(self, reply: _Reply, key: Key) -> bytes | Existing:
        """The citizen said no: the request ends, and what was paid is to be given back."""
        work = reply.work
        view = msgspec.structs.replace(
            view_of(work, self._clock.now_ms()), state=move(work.state, "cancelled"), reason=DECLINED
        )
        told = to_json(represent(view, self._catalogue.get(work.service)))
        kept = replace(key, answer=told)
        standing = await self._store.write(decline, work.request_id, work.version, str(reply.action["kind"]), kept)
        if standing is not None:
            return standing
        self._watch.publish([work.request_id])
        log.info("declined", request_id=work.request_id, correlation=work.correlation, kind=reply.action["kind"])
        return told

    def _undo(self, work: Work, waiter: Waiter, *, placed: bool) -> None:
        self._waiters.drop(work.request_id, waiter)
        if placed:
            self._lanes.leave(work.lane)

    def _begin(self, work: Work, token: int, exchange: Exchange | None, *, placed: bool) -> None:
        if not placed:
            self._watch.publish([work.request_id])
            self._dispatcher.wake()
            return
        work.token = token
        if exchange is not None:
            self._dispatcher.opened(exchange)
        self._watch.publish([work.request_id])
        self._dispatcher.start(work, exchange)

    def _prepare(self, reply: _Reply, route: Route) -> Exchange | None:
        """What carries a secret or belongs to an open payment is rendered now; another payment starts by itself."""
        work, body = reply.work, reply.body
        work.version += 1
        work.tries = work.waits = work.inquiries = work.absences = 0
        work.open_attempt = None
        work.state, work.expires_at, work.since = Request.IN_PROGRESS, None, self._clock.now_ms()
        if "then" in reply.action:
            reply.intent_id = work.intent_id
            reply.fee_order = follow(work, reply.action, body, route)
            return None
        if "method" in body:
            payer = {"mobile": mobile(body["payer"]["mobile"])}
            number = int((work.progress.get("payment") or {}).get("number", 0)) + 1
            work.progress = {
                **work.progress,
                "payment": {"method": body["method"], "payer": payer, "number": number},
                "otp_tries": 0,
            }
            work.phase = "initiate"
            return None
        role = "confirm" if "otp" in body else "resend"
        work.phase = role
        if role == "confirm" and work.intent_state is not None:
            work.intent_state = move(work.intent_state, "initiated")
        plan: Plan = route.payment(work, role)
        secrets = {"otp": str(body["otp"])} if "otp" in body else {}
        return self._dispatcher.render(work, plan, secrets)

    def _taking(self, reply: _Reply, key: Key, exchange: Exchange | None, *, placed: bool) -> Taking:
        work, order = reply.work, reply.fee_order
        worker = self._dispatcher.worker if placed else None
        return Taking(
            request_id=work.request_id,
            action_id=str(reply.action["id"]),
            kind=str(reply.action["kind"]),
            key=key,
            version=work.version - 1,
            progress=work.progress,
            phase=work.phase,
            lane=work.lane,
            worker=worker,
            lease_ms=int(self._settings.dispatch.lease_seconds * 1000),
            attempt=exchange.attempt if exchange else None,
            step=work.step,
            facts=facts_of(order, work.state) if order else {},
            fee_order=order,
            intent_id=reply.intent_id,
        )

    def _provisional(self, work: Work) -> bytes:
        """What is told, and replayed, when the exchange takes longer than the caller waits."""
        return to_json(represent(view_of(work, self._clock.now_ms()), self._catalogue.get(work.service)))

    async def hand_over(self, principal: Principal, request_id: str) -> Answer:
        """The citizen has taken the result over at a centre; saying it twice is once, so no key is needed.

        Raises Problem: not_found, cannot_hand_over.
        """
        scope = principal.id if principal.kind is Kind.CHANNEL else None
        await self._store.write(hand_over, scope, request_id)
        self._watch.publish([request_id])
        log.info("handed_over", request_id=request_id)
        view = await self._store.read(find_view, request_id, scope)
        assert view is not None
        return Answer("ok", request_id, to_json(represent(view, self._catalogue.get(view.service))))

    async def cancel(self, principal: Principal, request_id: str) -> Answer:
        """Cancel before anything that cannot be taken back; cancelling twice is once, so no key is needed.

        Raises Problem: not_found, cannot_cancel.
        """
        await self._store.write(cancel, principal.id, request_id, _TOUCHING_ROLES)
        self._watch.publish([request_id])
        log.info("cancelled", request_id=request_id)
        view = await self._store.read(find_view, request_id, principal.id)
        assert view is not None
        return Answer("ok", request_id, to_json(represent(view, self._catalogue.get(view.service))))

"""Understands one message of an institution: whose act it is about, whether it is signed, what follows from it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.kit.contract import CallbackNamed, CallbackSaid, Connector, Effect, Outcome
from connectors.kit.errors import ConnectorError, Unreadable
from gateway import crash
from gateway.callback_verdict import Verdict, contradicts, is_clear, is_news, is_unsettled
from gateway.callbacks.settlement import on_told
from gateway.logs import log
from gateway.recorder import Recorder
from gateway.settings import CallbackSettings, DispatchSettings
from gateway.steps import Plan, Route, canonical_document
from gateway.store import callbacks as store_of
from gateway.store.actions import load_work
from gateway.store.callbacks import Act, Kept
from gateway.store.engine import Store
from gateway.work import Evidence, Work
from mappings.status import Attempt

_FIRST_PAUSE_MS = 500
_LONGEST_PAUSE_MS = 60_000
_HELD_PAUSE_MS = 300  #: Another worker has the request just now.
_MOST_FAILURES = 20


class Judge:
    """Judges messages one at a time; each ends with a verdict or is put off."""

    def __init__(
        self,
        store: Store,
        connectors: Mapping[str, Connector],
        routes: Mapping[str, Route],
        recorder: Recorder,
        dispatch: DispatchSettings,
        settings: CallbackSettings,
        wake_dispatcher: Callable[[], None],
        worker: str,
    ) -> None:
        self._store, self._connectors, self._routes, self._recorder = store, connectors, routes, recorder
        self._dispatch, self._settings = dispatch, settings
        self._wake_dispatcher, self._worker = wake_dispatcher, worker

    async def judge(self, kept: Kept) -> str | None:
        """Give the verdict, or put it off; then the id of the request whose settlement it waits for, if one is known.

        What fails in an unforeseen way is put off too, and given up after many times.
        """
        try:
            return await self._judge(kept)
        except Exception as error:
            if kept.tries < _MOST_FAILURES:
                raise
            log.error("callback_failed", connector=kept.institution, exc_info=error)
            await self._conclude(kept, Verdict.FAILED)
            return None

    async def _judge(self, kept: Kept) -> str | None:
        connector = self._connectors.get(kept.institution)
        if connector is None:
            return await self._wait(kept, None)
        received = datetime.fromtimestamp(kept.received_at / 1000, UTC)
        try:
            named = connector.name_callback(kept.body, kept.headers, received)
        except ConnectorError as error:
            await self._conclude(kept, Verdict.UNREADABLE, error_kind=type(error).__name__)
            return None
        act: Act | None = await self._store.read(store_of.find_act, connector.name, named.operation_id)
        if named.verified and (act is None or is_unsettled(act.state)):
            return await self._wait(kept, act)
        if act is None:
            await self._conclude(kept, Verdict.IGNORED)
            return None
        if named.verified:
            return await self._read(kept, connector, named, act, received)
        await self._ask(kept, act)
        return None

    async def _read(
        self, kept: Kept, connector: Connector, named: CallbackNamed, act: Act, received: datetime
    ) -> str | None:
        work: Work | None = await self._store.read(load_work, act.request_id)
        document = canonical_document(work, self._plan(work, act)) if work is not None else None
        try:
            said = _read_as_any(connector, named, kept, received, document)
        except ConnectorError as error:
            log.warning("callback_unclear", request_id=act.request_id, connector=connector.name, code=error.code)
            await self._ask(kept, act)
            return None
        outcome = said.outcome
        if work is not None and is_news(act.state, outcome.status):
            return await self._apply(kept, act, outcome)
        if is_clear(outcome.status):
            await self._record(kept, act, outcome)
        else:
            await self._ask(kept, act)
        return None

    async def _apply(self, kept: Kept, act: Act, outcome: Outcome) -> str | None:
        lease_ms = int(self._dispatch.lease_seconds * 1000)
        work = await self._store.write(store_of.hold, act.request_id, act.attempt, self._worker, lease_ms)
        if work is None:
            await self._store.write(store_of.postpone, kept.id, _HELD_PAUSE_MS)
            return act.request_id
        plan, route = self._plan(work, act), self._routes[work.route]
        try:
            settlement = on_told(work, plan, route, outcome, self._dispatch, source="callback")
        except BaseException:
            await self._store.write(store_of.let_go, act.request_id, work.token)
            raise
        crash.point("callback.before_settle")
        await self._recorder.record(
            work,
            settlement,
            attempt_id=act.attempt.id,
            attempt=None,
            intended=True,
            keep_for=None,
            beside=partial(store_of.settle_callback, callback_id=kept.id),
        )
        log.info(
            "callback_judged",
            request_id=act.request_id,
            correlation=work.correlation,
            connector=kept.institution,
            verdict=Verdict.APPLIED.value,
            status=outcome.status.value,
            code=outcome.code,
        )
        self._wake_dispatcher()
        return None

    def _plan(self, work: Work, act: Act) -> Plan:
        """The exchange that the message is an answer to."""
        route = self._routes[work.route]
        attempt, kind = act.attempt, route.service.steps[work.step].kind
        connector, operation = self._connectors[attempt.connector], route.operation_of(attempt)
        return Plan(connector, operation, attempt.operation_id, kind, subject=attempt, about=attempt.operation_id)

    async def _record(self, kept: Kept, act: Act, outcome: Outcome) -> None:
        seen = Evidence(
            "callback", outcome.status.value, outcome.code, outcome.institution_code, outcome.message, outcome.exchange
        )
        verdict = Verdict.CONTRADICTED if contradicts(act.state, outcome.status) else Verdict.RECORDED
        await self._store.write(store_of.record, act, seen, kept.id, verdict)
        tell = log.error if verdict is Verdict.CONTRADICTED else log.info
        tell("callback_judged", request_id=act.request_id, connector=kept.institution, verdict=verdict.value)

    async def _ask(self, kept: Kept, act: Act) -> None:
        """Believe nothing of it, and ask the institution, where it can be asked."""
        lane = self._inquiry_lane(act)
        if lane is None:
            await self._conclude(kept, Verdict.IGNORED, request_id=act.request_id)
            return
        quiet_ms = int(self._settings.quiet_seconds * 1000)
        verdict = await self._store.write(store_of.ask_now, act, lane, kept.id, quiet_ms)
        log.warning("callback_judged", request_id=act.request_id, connector=kept.institution, verdict=verdict.value)
        self._wake_dispatcher()

    def _inquiry_lane(self, act: Act) -> str | None:
        connector = self._connectors[act.attempt.connector]
        operation = connector.operations.get(act.attempt.operation)
        if operation is None or operation.inquire is None:
            return None
        doubtful = act.state is Attempt.IN_DOUBT and operation.effect is Effect.INQUIRABLE
        return f"{connector.name}.{operation.inquire}" if act.state is Attempt.PENDING or doubtful else None

    async def _wait(self, kept: Kept, act: Act | None) -> str | None:
        """Its act is not known yet, or the answer to it is still on its way."""
        if kept.age_ms > self._settings.wait_hours * 3_600_000:
            await self._conclude(kept, Verdict.UNMATCHED)
            return None
        pause = min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS * 2 ** min(kept.tries - 1, 10))
        await self._store.write(store_of.postpone, kept.id, pause)
        log.info("callback_waits", connector=kept.institution, attempt=kept.tries, seconds=pause / 1000)
        return act.request_id if act else None

    async def _conclude(
        self, kept: Kept, verdict: Verdict, *, request_id: str | None = None, error_kind: str | None = None
    ) -> None:
        await self._store.write(store_of.conclude, kept.id, verdict, request_id)
        log.warning(
            "callback_judged",
            request_id=request_id,
            connector=kept.institution,
            verdict=verdict.value,
            error_kind=error_kind,
        )


def _read_as_any(
    connector: Connector, named: CallbackNamed, kept: Kept, received: datetime, document: Mapping[str, Any] | None
) -> CallbackSaid:
    """What it says, read as the first of the institution's callbacks that it fits. Raises ConnectorError."""
    failure: ConnectorError = Unreadable("it fits none of the institution's callbacks")
    for name in (named.name, *sorted(connector.callbacks - {named.name})):
        try:
            said = connector.read_callback(name, kept.body, kept.headers, received_at=received, document=document)
        except ConnectorError as error:
            failure = error
            continue
        if said.verified and said.operation_id == named.operation_id:
            return said
    raise failure

"""Runs claimed work: commit the intent, call the connector outside any transaction, settle; and again, step by step."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.kit.contract import Call, Effect, Outcome
from connectors.kit.errors import ConnectorError, MappingFailed
from gateway import crash, settle
from gateway.claiming import Claims
from gateway.documents.attachments import Attachments
from gateway.exchange import Broken, Exchange, SendWindow, ask, with_attempt
from gateway.hand import Hand
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.patience import Patience
from gateway.late import LateAnswers
from gateway.logs import log
from gateway.recorder import Recorder
from gateway.restoring import doubt
from gateway.restoring.mode import RestoreMode
from gateway.settings import DispatchSettings
from gateway.steps import Plan, Route, canonical_document
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.jobs import Intending, intend, release
from gateway.verdict import Interrupted
from gateway.work import RESTORED, NewAttempt, Settlement, Work
from mappings.status import Attempt


class Dispatcher:
    """One worker: its claims, its running work and its graceful end."""

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        lanes: Lanes,
        policy: DispatchSettings,
        clock: Clock,
        recorder: Recorder,
        worker: str,
        attachments: Attachments,
        mode: RestoreMode | None = None,
    ) -> None:
        self._attachments = attachments
        self._mode = mode or RestoreMode()
        self._store, self._routes, self._lanes = store, routes, lanes
        self._policy, self._clock, self._recorder = policy, clock, recorder
        self.worker = worker
        self.claims = Claims(store, lanes, policy, clock, worker, self.start)
        self._late = LateAnswers(store, routes, policy, recorder, worker, self.claims.wake)
        self._patience = Patience(store, lanes, clock)
        self._stopping = False
        self._running: set[asyncio.Task[None]] = set()
        self.hand = Hand(store, policy.poison_after, self.wake)

    def wake(self) -> None:
        """Look for due work now."""
        self.claims.wake()

    async def run(self) -> None:
        """Claim and start due work until stopped."""
        await self.claims.run()

    def start(self, work: Work, exchange: Exchange | None = None) -> None:
        """Run claimed work, whose lane place is taken; `exchange` is committed as SENDING already, or asked early."""
        if self._stopping and (exchange is None or not exchange.intended):
            if exchange is not None:
                exchange.drop()
            self.claims.leave(work.lane)  # claimed at the last moment: it is given back with the rest
            return
        self.hand.take(work)
        self._run(self._work(work, exchange))

    def _run(self, running: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(running)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def judge(self, works: Sequence[Work]) -> None:
        """Judge what workers that died were sending, claimed for this one.

        That makes no call, so it waits neither for a place nor for an institution that is closed or left alone.
        """
        for work in works:
            self._lanes.enter_beyond(work.lane)
            self.start(work)

    def ask_early(self, work: Work) -> Exchange | None:
        """Ask the first question of a request that is being written, when it only reads; see docs/adr/0004.

        The place in its lane is taken. Whoever calls either starts the work with it or drops it.
        """
        plan = self._routes[work.route].plan(work)
        if self._stopping or plan.operation.effect is not Effect.SAFE or self._attachments.wanted(work, plan):
            return None
        exchange = self.render(work, plan)
        exchange.asked = asyncio.get_running_loop().create_task(self._send(work, exchange))
        return exchange

    async def stop(self, grace_seconds: float) -> None:
        """Claim no more, and let what runs finish within the grace."""
        self._stopping = True
        self.claims.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=grace_seconds)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def give_back(self) -> int:
        """Give back what was claimed and not sent, once nobody can hand in work any more; how many."""
        return await self._store.write(release, self.worker)

    @property
    def stopping(self) -> bool:
        """Whether no new work is begun any more."""
        return self._stopping

    @property
    def in_flight(self) -> int:
        """Pieces of work that run now."""
        return len(self._running)

    # --- running --------------------------------------------------------------------------------------------------

    async def _work(self, work: Work, exchange: Exchange | None) -> None:
        """Step after step while the next one can go at once."""
        current: Work | None = work
        lane = work.lane
        try:
            while current is not None:
                lane = current.lane
                crash.point("work.begin", current.reference)
                current = await self._step(current, exchange)
                exchange = None
                if current is not None:
                    self.claims.leave(lane)
                    lane = current.lane
                if self._stopping:
                    return
        except Exception as error:  # noqa: BLE001 (a request that this program cannot work on must not stop the lane)
            assert current is not None
            await self.hand.stumbled(current, error)
        finally:
            self.claims.leave(lane)
            self.hand.leave(work)

    async def _step(self, work: Work, exchange: Exchange | None) -> Work | None:
        """One exchange and its settlement; the work to go on with, if its place could be kept."""
        route = self._routes[work.route]
        going = work
        if RESTORED in work.progress:
            if (act := doubt.doubtful(work, route, over=not self._mode.on)) is not None:
                await self._doubt(work, route, act)
                return None
            going = doubt.going_on(work)
        interrupted = work.open_attempt is not None and work.open_attempt.state is Attempt.SENDING
        if exchange is None and interrupted:
            return await self._recover(work, route)
        made = exchange or await self._intend(going, route)
        if made is None:
            return None
        settlement = await self._exchange(going, route, made)
        return await self._record(work, settlement, made.plan, made.attempt, intended=made.intended, answer=made.answer)

    async def _doubt(self, work: Work, route: Route, act: Plan) -> None:
        """It came out of a backup: whether the act was made since then is asked, or told by people."""
        attempt, known = doubt.attempt_of(work, act), work.open_attempt
        about = attempt or known
        assert about is not None
        log.warning("in_doubt_since_backup", request_id=work.request_id, connector=act.connector.name)
        # the claim is not kept: whoever asks has to see the attempt that is asked about
        await self._recorder.record(
            work,
            doubt.in_doubt(work, act, route),
            attempt_id=about.id,
            attempt=attempt,
            intended=attempt is None,
            keep_for=None,
        )
        self.wake()

    async def _recover(self, work: Work, route: Route) -> Work | None:
        """The process that was sending died: judge what may have arrived."""
        attempt = work.open_attempt
        assert attempt is not None
        plan = replace(
            route.plan(replace(work, open_attempt=None)) if attempt.role not in ("confirm", "resend")
            else route.payment(work, attempt.role),
            subject=attempt,
        )  # fmt: skip
        log.warning("interrupted", request_id=work.request_id, connector=attempt.connector, operation=attempt.operation)
        error = Interrupted("the process that was sending ended before it recorded an answer")
        settlement = settle.on_error(work, plan, route, error, self._policy, age_ms=0)
        return await self._record(work, settlement, plan, None, intended=True)

    async def _intend(self, work: Work, route: Route) -> Exchange | None:
        """Render the next exchange and commit it as SENDING; None when another worker has the job by now."""
        plan = route.plan(work)
        exchange = await self._render_with_attachments(work, plan)
        if exchange.attempt is None or exchange.failure or exchange.plan.operation.effect is Effect.SAFE:
            return exchange
        crash.point("intend.before_commit")
        row = Intending(work.request_id, work.token, work.intent_id, exchange.attempt)
        if not await self._store.batch(intend, row):
            log.warning("fenced", request_id=work.request_id, connector=exchange.plan.connector.name)
            return None
        self.opened(exchange)
        return exchange

    def render(self, work: Work, plan: Plan, secrets: Mapping[str, str] | None = None) -> Exchange:
        """The wire request, before any I/O. A failure to render stays in the exchange and is judged like any other."""
        exchange = Exchange(plan, intended=False, window=self._window(), secrets=secrets or {})
        try:
            exchange.prepared = plan.connector.prepare(plan.operation.name, self._call(work, exchange))
        except Exception as error:  # noqa: BLE001 (whatever it is, the request must be judged, not lost)
            failure = error if isinstance(error, ConnectorError) else MappingFailed(type(error).__name__)
            log.warning("not_rendered", request_id=work.request_id, code=failure.code, error_kind=type(error).__name__)
            exchange.failure = failure
        return with_attempt(work, exchange)

    async def _render_with_attachments(self, work: Work, plan: Plan) -> Exchange:
        """The same, with the uploads that the operation reads; they are let go as soon as it is rendered."""
        if not self._attachments.wanted(work, plan):
            return self.render(work, plan)
        try:
            await self._attachments.bring(work, plan)
        except MappingFailed as error:
            log.error("attachment_gone", request_id=work.request_id, code=error.code)
            return with_attempt(work, Exchange(plan, intended=False, window=self._window(), failure=error))
        exchange = self.render(work, plan)
        work.attachments = {}
        return exchange

    def opened(self, exchange: Exchange) -> None:
        """SENDING is committed: the send window runs from now."""
        exchange.intended = True
        exchange.window.committed_at = self._clock.monotonic()
        crash.point("intend.after_commit")

    def _window(self) -> SendWindow:
        """A send window that is not open yet."""
        return SendWindow(self._policy.send_window_seconds, self._clock.monotonic)

    def _call(self, work: Work, exchange: Exchange) -> Call:
        return Call(
            operation_id=exchange.plan.operation_id,
            document=canonical_document(work, exchange.plan),
            secrets=exchange.secrets,
            deadline_seconds=self._policy.deadlines.get(exchange.plan.lane),
            traceparent=work.traceparent,
            send_gate=exchange.window.check,
        )

    async def _exchange(self, work: Work, route: Route, made: Exchange) -> Settlement:
        """Send, read, decide. Logs one line, without a word of the content."""
        plan = made.plan
        answer = await (made.asked or self._send(work, made))
        made.answer = answer
        crash.point("answer.before_record", work.reference)
        failed = isinstance(answer, ConnectorError)
        log.info(
            "exchange",
            request_id=work.request_id,
            correlation=work.correlation,
            connector=plan.connector.name,
            operation=plan.operation.name,
            attempt=made.attempt.number if made.attempt else work.inquiries + 1,
            milliseconds=round((time.perf_counter() - made.begun) * 1000),
            status="none" if isinstance(answer, ConnectorError) else answer.status.value,
            code=answer.code,
            error_kind=type(answer).__name__ if failed else None,
        )
        waited_ms = await self._patience.spent_ms(work, plan.lane, self._policy) if failed else 0
        try:
            return self._decide(work, route, plan, answer, waited_ms)
        except Exception as error:  # noqa: BLE001 (a fault of ours in deciding is judged as a lost answer)
            log.error("undecidable", request_id=work.request_id, connector=plan.connector.name, exc_info=error)
            return self._decide(work, route, plan, Broken(type(error).__name__), waited_ms)

    def _decide(
        self, work: Work, route: Route, plan: Plan, answer: Outcome | ConnectorError, waited_ms: int
    ) -> Settlement:
        if isinstance(answer, Outcome):
            decide = settle.on_inquiry if plan.subject else settle.on_outcome
            return decide(work, plan, route, answer, self._policy)
        if plan.subject:
            return settle.on_inquiry_error(work, plan, route, answer, self._policy)
        return settle.on_error(work, plan, route, answer, self._policy, age_ms=waited_ms)

    async def _send(self, work: Work, made: Exchange) -> Outcome | ConnectorError:
        begun = time.perf_counter()
        answer = await ask(work, made)
        if self._lanes.saw(made.plan.lane, answer, time.perf_counter() - begun):
            self.wake()
        return answer

    async def _record(
        self,
        work: Work,
        settlement: Settlement,
        plan: Plan,
        attempt: NewAttempt | None,
        *,
        intended: bool,
        answer: Outcome | ConnectorError | None = None,
    ) -> Work | None:
        """Commit the settlement; keep the claim when the next step can go at once and has a place.

        An answer that came too late to settle its request is judged apart.
        """
        following = settlement.next
        reserve = following is not None and following.delay_ms == 0 and not self._stopping
        keep = reserve and following is not None and self._lanes.try_enter(following.lane)
        about = attempt or plan.subject
        assert about is not None
        kept = False
        try:
            settled = await self._recorder.record(
                work,
                settlement,
                attempt_id=about.id,
                attempt=attempt,
                intended=intended,
                keep_for=self.worker if keep else None,
            )
            kept = settled.kept
        finally:
            if keep and not kept and following is not None:
                self._lanes.leave(following.lane)
        if not settled.valid and intended and attempt is not None and answer is not None:
            self._run(self._late.judge(work, attempt.id, answer))
        elif following is not None and not kept:
            self.wake()  # its lane has no place, or the loop must know when it falls due
        return settle.moved_on(work, settlement) if kept else None

"""Judges the answers of a worker that had lost its job by then: they move their request if they are still news.

Fencing guards state, never evidence. What such a worker was told lies with the evidence already; here it is judged
once more, under a claim of its own, as the institution's word about an act that is still open.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum

from connectors.kit.contract import Outcome
from connectors.kit.errors import ConnectorError, NotSent
from gateway.callback_verdict import contradicts, is_news
from gateway.callbacks.settlement import on_told
from gateway.logs import log
from gateway.recorder import Recorder
from gateway.settings import DispatchSettings
from gateway.settle import on_error
from gateway.steps import Plan, Route
from gateway.store.actions import load_work
from gateway.store.callbacks import hold, let_go
from gateway.store.engine import Store, StoreError
from gateway.store.exchanges import find_attempt
from gateway.work import Happened, OpenAttempt, Settlement, Work
from mappings.status import FINAL, Attempt, Request, move

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
#: While the request waits for its citizen, what is told of an earlier act moves nothing.
_ELSEWHERE = FINAL | {Request.AWAITING_CITIZEN}
SOURCE = "answer"


class LateVerdict(StrEnum):
    """What became of a late answer; it is kept as evidence whatever this says."""

    APPLIED = "applied"  #: It moved its request.
    RECORDED = "recorded"  #: It says nothing that is not known, or its request is about something else by now.
    CONTRADICTED = "contradicted"  #: It says otherwise than what is final; people are told.


class LateAnswers:
    """Judges one answer at a time, again and again while somebody else has its request."""

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        policy: DispatchSettings,
        recorder: Recorder,
        worker: str,
        wake: Callable[[], None],
    ) -> None:
        self._store, self._routes, self._policy, self._recorder = store, routes, policy, recorder
        self._worker, self._wake = worker, wake

    async def judge(self, work: Work, attempt_id: str, answer: Outcome | ConnectorError) -> None:
        """Give the verdict. `work` is the request as it was when the answer was asked for."""
        pause, verdict = _FIRST_PAUSE_SECONDS, None
        while verdict is None:
            try:
                verdict = await self._judge(work.request_id, attempt_id, answer)
            except StoreError as error:
                log.warning("late_answer_waits", request_id=work.request_id, error_kind=type(error).__name__)
            if verdict is None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        tell = log.error if verdict is LateVerdict.CONTRADICTED else log.warning
        tell(
            "late_answer",
            request_id=work.request_id,
            correlation=work.correlation,
            verdict=verdict.value,
            status=answer.status.value if isinstance(answer, Outcome) else "none",
            code=answer.code,
        )
        self._wake()

    async def _judge(self, request_id: str, attempt_id: str, answer: Outcome | ConnectorError) -> LateVerdict | None:
        """The verdict, or None while another worker has the request."""
        attempt: OpenAttempt | None = await self._store.read(find_attempt, attempt_id)
        if attempt is None or not _is_news(attempt.state, answer):
            told = isinstance(answer, Outcome) and attempt is not None and contradicts(attempt.state, answer.status)
            return LateVerdict.CONTRADICTED if told else LateVerdict.RECORDED
        if not self._concerns(await self._store.read(load_work, request_id), attempt):
            return LateVerdict.RECORDED
        lease_ms = int(self._policy.lease_seconds * 1000)
        work: Work | None = await self._store.write(hold, request_id, attempt, self._worker, lease_ms)
        if work is None:
            return None
        try:
            settlement = self._settlement(work, attempt, answer) if self._concerns(work, attempt) else None
        except BaseException:
            await self._store.write(let_go, request_id, work.token)
            raise
        if settlement is None:
            await self._store.write(let_go, request_id, work.token)
            return LateVerdict.RECORDED
        settled = await self._recorder.record(
            work, settlement, attempt_id=attempt.id, attempt=None, intended=True, keep_for=None
        )
        return LateVerdict.APPLIED if settled.valid else None

    def _concerns(self, work: Work | None, attempt: OpenAttempt) -> bool:
        """Whether the request is still about this act, and not at rest or with its citizen."""
        if work is None or work.state in _ELSEWHERE:
            return False
        return self._routes[work.route].stands_at(work, attempt)

    def _settlement(self, work: Work, attempt: OpenAttempt, answer: Outcome | ConnectorError) -> Settlement:
        route = self._routes[work.route]
        return on_late(work, route.plan_of(work, attempt), route, answer, self._policy)


def on_late(
    work: Work, plan: Plan, route: Route, answer: Outcome | ConnectorError, policy: DispatchSettings
) -> Settlement:
    """What follows from an answer about `plan.subject` that is still news."""
    if isinstance(answer, Outcome):
        return on_told(work, plan, route, answer, policy, source=SOURCE)
    happened = []
    if work.state in (Request.IN_DOUBT, Request.PARKED):  # now it is known that nothing was sent
        work = replace(work, state=move(work.state, "advanced"))
        happened.append(Happened("advanced", work.state, {"connector": plan.connector.name, "code": answer.code}))
    settlement = on_error(work, plan, route, answer, policy, age_ms=0)
    settlement.happened = [*happened, *settlement.happened]
    return settlement


def _is_news(state: Attempt, answer: Outcome | ConnectorError) -> bool:
    if isinstance(answer, Outcome):
        return is_news(state, answer.status)
    return isinstance(answer, NotSent) and state in (Attempt.SENDING, Attempt.IN_DOUBT)

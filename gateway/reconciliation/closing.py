"""Tells acts in doubt what a statement decided, through the one settlement that every answer goes through."""

from collections.abc import Callable, Mapping

from connectors.kit.contract import Connector, Outcome, Status
from gateway import crash
from gateway.callbacks.settlement import on_told
from gateway.logs import log
from gateway.reconciliation.matching import DONE
from gateway.reconciliation.sources import PAYMENTS, StatementSource
from gateway.recorder import Recorder
from gateway.settings import DispatchSettings
from gateway.steps import Plan, Route
from gateway.store.callbacks import let_go
from gateway.store.engine import Store
from gateway.store.reconciliation.results import Decided, hold_untold
from gateway.work import OpenAttempt, Work

#: A payment that no file lists: nothing was debited, and the citizen may choose another way to pay.
NOT_MADE = "payment_not_made"
#: An act that the institution's list lacks.
NOT_DONE = "not_done_by_institution"
#: It has it; the document itself is fetched by asking.
ISSUED = "listed_by_institution"
_AT_ONCE_SECONDS = 0.1


class Closer:
    """Settles one decided act at a time."""

    def __init__(
        self,
        store: Store,
        connectors: Mapping[str, Connector],
        routes: Mapping[str, Route],
        recorder: Recorder,
        policy: DispatchSettings,
        wake: Callable[[], None],
        worker: str,
    ) -> None:
        self._store, self._connectors, self._routes, self._recorder = store, connectors, routes, recorder
        self._policy, self._wake, self._worker = policy, wake, worker

    async def close(self, source: StatementSource, decided: Decided) -> bool:
        """Settle it as decided, with the line as evidence; False when somebody has the request just now, or told it."""
        lease_ms = int(self._policy.lease_seconds * 1000)
        held: tuple[Work, OpenAttempt] | None = await self._store.write(hold_untold, decided, self._worker, lease_ms)
        if held is None:
            return False
        work, attempt = held
        route = self._routes[work.route]
        operation = route.operation_of(attempt)
        plan = Plan(
            self._connectors[attempt.connector],
            operation,
            attempt.operation_id,
            route.service.steps[work.step].kind,
            subject=attempt,
            about=attempt.operation_id,
        )
        try:
            outcome = _outcome(source, decided, inquirable=operation.inquire is not None)
            settlement = on_told(work, plan, route, outcome, self._policy, source="statement")
            if decided.decision == DONE and source.leg != PAYMENTS:
                settlement.progress["listed"] = attempt.operation_id
        except BaseException:
            await self._store.write(let_go, decided.request_id, work.token)
            raise
        crash.point("reconcile.before_settle")
        await self._recorder.record(work, settlement, attempt_id=attempt.id, attempt=None, intended=True, keep_for=None)
        log.info(
            "statement_decided",
            request_id=decided.request_id,
            correlation=work.correlation,
            connector=source.connector,
            verdict=decided.decision,
            state=settlement.state.value,
        )
        self._wake()
        return True


def _outcome(source: StatementSource, decided: Decided, *, inquirable: bool) -> Outcome:
    """What the statement says, as if the institution had answered it."""
    where = f"{decided.file} (sha256 {decided.sha256}), line {decided.line}" if decided.file else "no file lists it"
    if decided.decision != DONE:
        code = NOT_MADE if source.leg == PAYMENTS else NOT_DONE
        return Outcome(Status.REFUSED, code, message=where)
    if source.leg != PAYMENTS and inquirable:
        return Outcome(Status.PENDING, ISSUED, message=where, next_inquiry_seconds=_AT_ONCE_SECONDS)
    return Outcome(Status.SUCCEEDED, message=where, reference=decided.their_reference)

"""What operators do about doubts: see what waits, ask, propose, and approve or refuse what another one proposed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway import crash
from gateway.dead_letters.planner import Known
from gateway.decisions.doubts import Action, Decision, Doubt, State
from gateway.decisions.options import INQUIRE, Option, options
from gateway.decisions.settling import settlement_of
from gateway.errors import Problem
from gateway.logs import log
from gateway.recorder import Recorder
from gateway.settings import Settings
from gateway.steps import Route
from gateway.store.callbacks import hold, let_go
from gateway.store.decisions import records
from gateway.store.decisions.doubts import DoubtFilters, find_doubts
from gateway.store.engine import Store
from gateway.testing import route_name
from gateway.watch import Watch
from gateway.work import Work


@dataclass(frozen=True, slots=True)
class Case:
    """A doubt, and what may be done about it."""

    doubt: Doubt
    options: Mapping[str, Option]


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator proposes."""

    action: Action
    reason: str
    evidence: str = ""
    reference: str = ""
    replaces: str | None = None


class DecisionDesk:
    """The desk over one store."""

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        recorder: Recorder,
        settings: Settings,
        known: Known,
        watch: Watch,
        wake: Callable[[], None],
        worker: str,
    ) -> None:
        self._store, self._routes, self._recorder = store, routes, recorder
        self._policy, self._keep_ms = settings.dispatch, int(settings.proposal_hours * 3_600_000)
        self._watch, self._wake, self._worker = watch, wake, worker
        self._known = known

    async def waiting(self, filters: DoubtFilters, after: str | None, limit: int) -> list[Case]:
        """What waits for people, or may, oldest first."""
        ids = await self._store.read(find_doubts, filters, after, limit)
        return [self._case(doubt) for doubt in await self._store.read(records.doubts, ids)]

    async def one(self, request_id: str) -> tuple[Case, list[Decision]]:
        """One request, in doubt or not any more, with every decision about it. Raises Problem("not_found")."""
        case = self._case(await self._doubt(request_id))
        return case, await self._store.read(records.find_decisions, (), [request_id])

    async def decisions(self, states: Sequence[State], after: str | None, limit: int) -> list[Decision]:
        """The decisions, oldest first."""
        return await self._store.read(records.find_decisions, states, None, after, limit)

    async def decision(self, decision_id: str) -> Decision:
        """One. Raises Problem("not_found")."""
        return await self._store.read(records.find_decision, decision_id)

    async def inquire(self, request_id: str) -> None:
        """Ask the institution now; one person is enough, since nothing but a question is sent.

        Raises Problem: not_found, doubt_resolved, action_not_possible.
        """
        case = self._case(await self._doubt(request_id))
        option = self._possible(case, INQUIRE)
        await self._store.write(records.ask_now, case.doubt, option.lane)
        log.info("inquiry_asked", request_id=request_id, lane=option.lane)
        self._watch.publish([request_id])
        self._wake()

    async def propose(self, request_id: str, wish: Wish, by: str) -> Decision:
        """Propose; what one person may do alone is done at once.

        Raises Problem: not_found, role_missing, doubt_resolved, doubt_changed, action_not_possible, decision_open,
        evidence_contradicts, conflict.
        """
        case = self._case(await self._doubt(request_id))
        option = self._possible(case, wish.action.value)
        if case.doubt.denies(wish.action):
            raise Problem("evidence_contradicts")
        proposal = records.Proposal(
            request_id=request_id,
            action=wish.action,
            people=option.people,
            told=option.told,
            reason=wish.reason,
            evidence=wish.evidence,
            reference=wish.reference,
            by=by,
            doubt=case.doubt.mark,
            replaces=wish.replaces,
            keep_ms=self._keep_ms,
            lane=option.lane,
        )
        decision = await self.decision(await self._store.write(records.propose, proposal))
        log.warning("decision_proposed", request_id=request_id, kind=wish.action.value, state=decision.state.value)
        if decision.state is State.APPROVED:
            self._watch.publish([request_id])
            self._wake()
        return decision

    async def approve(self, decision_id: str, digest: str, by: str) -> Decision:
        """Do what was proposed, if the operator is another one and everything is as it was when it was proposed.

        Raises Problem as gateway.store.decisions.records.approve. Nothing is changed then.
        """
        try:
            decision, doubt = await self._store.read(records.may_approve, decision_id, digest, by)
        except Problem as problem:
            await self._lapse(decision_id, problem)
            raise
        work, attempt = await self._held(decision, doubt), doubt.subject.attempt if doubt.subject else None
        try:
            self._possible(self._case(doubt), decision.action.value)
            settlement = settlement_of(work, decision, attempt, self._routes[work.route], self._policy)
            crash.point("decision.before_settle")
            await self._recorder.record(
                work,
                settlement,
                attempt_id=attempt.id if attempt else "",
                attempt=None,
                intended=True,
                keep_for=None,
                beside=partial(records.approve, decision_id=decision_id, digest=digest, by=by),
                patient=False,
            )
        except BaseException:
            await self._store.write(let_go, decision.request_id, work.token)
            raise
        log.warning(
            "decided",
            request_id=decision.request_id,
            correlation=work.correlation,
            kind=decision.action.value,
            state=settlement.state.value,
        )
        self._wake()
        return await self.decision(decision_id)

    async def refuse(self, decision_id: str, by: str, answer: str) -> Decision:
        """Close it unapproved; whoever proposed it takes it back by this.

        Raises Problem: not_found, role_missing, decision_closed.
        """
        await self._store.write(records.refuse, decision_id, by, answer)
        decision = await self.decision(decision_id)
        log.warning("decision_closed", request_id=decision.request_id, state=decision.state.value)
        return decision

    async def _held(self, decision: Decision, doubt: Doubt) -> Work:
        """The request's job, held, so that nobody works on it meanwhile. Raises Problem."""
        lease_ms = int(self._policy.lease_seconds * 1000)
        attempt = doubt.subject.attempt if doubt.subject else None
        work: Work | None = await self._store.write(hold, decision.request_id, attempt, self._worker, lease_ms)
        if work is not None:
            return work
        now = await self.decision(decision.id)
        raise Problem("conflict" if now.state is State.PROPOSED else "decision_closed")

    async def _lapse(self, decision_id: str, problem: Problem) -> None:
        if problem.code in ("doubt_resolved", "doubt_changed", "decision_closed"):
            await self._store.write(records.lapse, decision_id)

    async def _doubt(self, request_id: str) -> Doubt:
        found = await self._store.read(records.doubts, [request_id])
        if not found:
            raise Problem("not_found")
        return found[0]

    def _case(self, doubt: Doubt) -> Case:
        route = self._routes.get(route_name(doubt.service, test=doubt.test))
        return Case(doubt, options(doubt, route, self._known, self._policy))

    def _possible(self, case: Case, action: str) -> Option:
        if not case.doubt.waits:
            raise Problem("doubt_resolved")
        if action not in case.options:
            raise Problem("action_not_possible")
        return case.options[action]

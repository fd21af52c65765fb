"""Walks by chance through the life of one act: workers that die, hang and come back, answers that are lost, late, doubled
or contradicted, statements that decide. The real store, settlements and late verdicts against a small model: what the
institution truly did.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from connectors.kit.contract import Effect, Outcome, Status
from connectors.kit.errors import ConnectionLost, ConnectorError, NotSent
from gateway import settle as deciding
from gateway.callback_verdict import is_news
from gateway.callbacks.settlement import on_told
from gateway.catalogue import Catalogue
from gateway.exchange import new_attempt
from gateway.late import LateAnswers, LateVerdict
from gateway.recorder import Recorder
from gateway.security.principals import Kind
from gateway.steps import Plan
from gateway.store.callbacks import find_act, hold
from gateway.store.claims import claim
from gateway.store.clock import Clock
from gateway.store.engine import Store, open_store
from gateway.store.jobs import NEVER, Intending, intend
from gateway.store.principals import add_principal
from gateway.store.recovery import recover
from gateway.store.requests import accept
from gateway.store.tables import attempts, evidence, jobs, requests
from gateway.verdict import Interrupted
from gateway.waiters import Waiters
from gateway.watch import Watch
from gateway.work import NewAttempt, Settlement, Work
from mappings.status import FINAL, Attempt, Request
from tests.faults.one_act import EFFECTS, LANES, LEASE_MS, POLICY, ROUTES, SERVICES
from tests.unit.gateway.store.records import new_request, rows_of

WORKERS = ("w1", "w2")
DECIDED = {Attempt.SUCCEEDED.value, Attempt.DECLINED.value}


@dataclass(eq=False)
class Flight:
    """One exchange of one worker, on its way."""

    worker: str
    work: Work
    plan: Plan
    attempt: NewAttempt | None  #: None: an inquiry.
    left_at: float
    answer: Outcome | ConnectorError | None = None


class Life(RuleBasedStateMachine):
    """One request with one act, two workers, and an institution that knows what it did."""

    def __init__(self, runner: asyncio.Runner, store: Store, clock: Clock) -> None:
        super().__init__()
        self.run, self.store, self.clock = runner.run, store, clock
        self.acted = 0  #: How often the institution did it.
        self.truth = Status.SUCCEEDED  #: What it says of it, once it did.
        self.told_not_done = False
        self.flights: list[Flight] = []
        self.late: list[tuple[Flight, str]] = []
        self.settled: list[tuple[Flight, Settlement]] = []
        self.final: str | None = None
        self.decided: dict[str, str] = {}
        self.kept = 0

    @initialize(act=st.sampled_from(sorted(EFFECTS)), truth=st.sampled_from([Status.SUCCEEDED, Status.REFUSED]))
    def begin(self, act: str, truth: Status) -> None:
        self.service, self.truth, self.effect = SERVICES[act], truth, EFFECTS[act]
        self.route = ROUTES[self.service.id]
        catalogue, watch = Catalogue([self.service]), Watch()
        self.recorder = Recorder(self.store, catalogue, Waiters(), watch, self.clock)
        self.judges = {
            name: LateAnswers(self.store, ROUTES, POLICY, self.recorder, name, lambda: None) for name in WORKERS
        }
        row = new_request("c1", lane=f"office.{act}", service=self.service.id, claim_for=None, intent=None)
        self.id = row.id
        self.run(self.store.batch(accept, row))

    # --- workers ----------------------------------------------------------------------------------------------------

    @rule(worker=st.sampled_from(WORKERS), seconds=st.sampled_from([0, 1, 400]))
    def look_for_work(self, worker: str, seconds: int) -> None:
        """A worker takes what is due, and begins an exchange."""
        self.clock.advance(seconds)
        for work in self.run(self.store.write(claim, worker, LANES, LEASE_MS)):
            if work.request_id == self.id:
                self._begin(worker, work)

    def _begin(self, worker: str, work: Work) -> None:
        if work.open_attempt is not None and work.open_attempt.state is Attempt.SENDING:
            self._judge_interrupted(work)
            return
        plan = self.route.plan(work)
        attempt = None if plan.subject else new_attempt(plan, "", number=work.tries + work.waits + 1)
        if attempt is not None and not self.run(
            self.store.batch(intend, Intending(self.id, work.token, None, attempt))
        ):
            return
        self.flights.append(Flight(worker, work, plan, attempt, self.clock.monotonic()))

    def _judge_interrupted(self, work: Work) -> None:
        assert work.open_attempt is not None
        plan = self.route.plan_of(work, work.open_attempt)
        settlement = deciding.on_error(work, plan, self.route, Interrupted("it died"), POLICY, age_ms=0)
        self._record(work, settlement, plan, None)

    @rule(fate=st.sampled_from(["answered", "cut", "undecided"]), which=st.integers(0, 9))
    def it_arrives(self, fate: str, which: int) -> None:
        """The institution gets one of the exchanges; its answer comes back, or is lost. Too late it is not even sent."""
        waiting = [each for each in self.flights if each.answer is None]
        if not waiting:
            return
        flight = waiting[which % len(waiting)]
        if flight.attempt is None:
            flight.answer = self._said() if self.acted else Outcome(Status.ABSENT)
        elif self.clock.monotonic() - flight.left_at > POLICY.send_window_seconds:
            flight.answer = NotSent("the send window has passed")
        else:
            self.acted = 1 if self.effect is Effect.IDEMPOTENT else self.acted + 1
            unsure = Outcome(Status.PENDING if self.effect is Effect.INQUIRABLE else Status.IN_DOUBT, "being_looked_at")
            flight.answer = unsure if fate == "undecided" else self._said()
        if fate == "cut":
            flight.answer = ConnectionLost("cut")

    @rule(worker=st.sampled_from(WORKERS))
    def it_acts_and_the_answer_is_lost(self, worker: str) -> None:
        self.look_for_work(worker, 400)
        self.it_arrives("cut", 0)
        self.it_comes_back(0)

    def _said(self) -> Outcome:
        return Outcome(self.truth, "" if self.truth is Status.SUCCEEDED else "no_such_record")

    @rule(which=st.integers(0, 9))
    def it_comes_back(self, which: int) -> None:
        """A worker has its answer and records it; if it has lost the job by then, the answer is judged apart."""
        back = [each for each in self.flights if each.answer is not None]
        if not back:
            return
        flight = back[which % len(back)]
        self.flights.remove(flight)
        settlement = self._decide(flight)
        if self._record(flight.work, settlement, flight.plan, flight.attempt):
            self.settled.append((flight, settlement))
        elif flight.attempt is not None:
            self.late.append((flight, flight.attempt.id))

    def _decide(self, flight: Flight) -> Settlement:
        work, plan, answer = flight.work, flight.plan, flight.answer
        if isinstance(answer, Outcome):
            decide = deciding.on_inquiry if plan.subject else deciding.on_outcome
            return decide(work, plan, self.route, answer, POLICY)
        assert answer is not None
        if plan.subject:
            return deciding.on_inquiry_error(work, plan, self.route, answer, POLICY)
        return deciding.on_error(work, plan, self.route, answer, POLICY, age_ms=0)

    def _record(self, work: Work, settlement: Settlement, plan: Plan, attempt: NewAttempt | None) -> bool:
        about = attempt or plan.subject
        assert about is not None
        settled = self.run(
            self.recorder.record(work, settlement, attempt_id=about.id, attempt=attempt, intended=True, keep_for=None)
        )
        return bool(settled.valid)

    @rule()
    def late_answers_are_judged(self) -> None:
        self.late = [late for late in self.late if self._judge_late(*late) is None]

    def _judge_late(self, flight: Flight, attempt_id: str) -> LateVerdict | None:
        assert flight.answer is not None
        return self.run(self.judges[flight.worker]._judge(self.id, attempt_id, flight.answer))

    @rule(worker=st.sampled_from(WORKERS), dead=st.booleans())
    def dies_or_hangs(self, worker: str, dead: bool) -> None:
        """The other worker frees what it held; one that only hung goes on with what it had in hand."""
        heir = WORKERS[1 - WORKERS.index(worker)]
        if dead:
            self.flights = [each for each in self.flights if each.worker != worker]
        if self.store.dialect != "sqlite":
            self.clock.advance(POLICY.lease_seconds + 1)
        alive = heir if self.store.dialect == "sqlite" else None
        found = self.run(self.store.write(recover, alive, 99, heir, LEASE_MS, frozenset(LANES)))
        for work in found.interrupted:
            if work.request_id == self.id:
                self._judge_interrupted(work)

    # --- evidence ---------------------------------------------------------------------------------------------------

    @rule()
    def a_settlement_comes_twice(self) -> None:
        """Whoever settled and died before it knew may settle again: the token is gone, only evidence is added."""
        if self.settled:
            flight, settlement = self.settled[-1]
            before = self._state()
            valid = self._record(flight.work, settlement, flight.plan, flight.attempt)
            if not self._still_holds(flight):
                assert not valid
                assert self._state() == before

    def _still_holds(self, flight: Flight) -> bool:
        held = self.run(rows_of(self.store, jobs, request_id=self.id))
        return bool(held) and held[0].token == flight.work.token and held[0].claimed_by is not None

    @rule()
    def a_statement_decides(self) -> None:
        """A file lists the act, or a whole file lacks it, which is said only when nothing of it can arrive any more."""
        open_still = any(each.attempt is not None for each in self.flights)
        if not self.acted and open_still:
            return
        act = self.run(self.store.read(find_act, "office", f"{self.id.replace('-', '')}-0"))
        if act is None:
            return
        outcome = self._said() if self.acted else Outcome(Status.REFUSED, "not_done_by_institution")
        if act.state is Attempt.SENDING or not is_news(act.state, outcome.status):
            return
        work = self.run(self.store.write(hold, self.id, act.attempt, "w1", LEASE_MS))
        if work is None:
            return
        self.told_not_done |= not self.acted
        settlement = on_told(
            work, self.route.plan_of(work, act.attempt), self.route, outcome, POLICY, source="statement"
        )
        assert self._record(work, settlement, self.route.plan_of(work, act.attempt), None)

    @rule()
    def somebody_contradicts_what_is_final(self) -> None:
        for attempt_id, state in self.decided.items():
            other = Status.REFUSED if state == Attempt.SUCCEEDED.value else Status.SUCCEEDED
            before = self._state()
            verdict = self.run(self.judges["w1"]._judge(self.id, attempt_id, Outcome(other)))
            assert verdict is LateVerdict.CONTRADICTED
            assert self._state() == before

    # --- what must hold ---------------------------------------------------------------------------------------------

    def _state(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        (request,) = self.run(rows_of(self.store, requests, id=self.id))
        tried = self.run(rows_of(self.store, attempts, request_id=self.id))
        return request.state, tuple(sorted((each.id, each.state) for each in tried))

    @invariant()
    def nothing_is_done_twice_and_what_is_final_stays(self) -> None:
        if not hasattr(self, "id"):
            return
        assert self.acted <= 1, "the institution acted twice"
        state, tried = self._state()
        assert self.final in (None, state), "a final state was left"
        self.final = state if Request(state) in FINAL else None
        now_decided = dict(tried)
        for attempt_id, was in self.decided.items():
            assert now_decided[attempt_id] == was, "what was decided about an exchange changed"
        self.decided = {attempt_id: each for attempt_id, each in tried if each in DECIDED}
        assert sum(each == Attempt.SENDING.value for _, each in tried) <= 1
        if state == Request.COMPLETED.value:
            assert (self.acted, self.truth) == (1, Status.SUCCEEDED)
        if state == Request.REFUSED.value:
            assert self.truth is Status.REFUSED if self.acted else self.told_not_done
        self._evidence_only_grows()
        self._job_fits(state)

    def _evidence_only_grows(self) -> None:
        of_it = select(func.count()).join_from(evidence, attempts).where(attempts.c.request_id == self.id)
        kept = self.run(self.store.read(lambda conn: conn.scalar(of_it)))
        assert kept >= self.kept, "evidence was lost"
        self.kept = kept

    def _job_fits(self, state: str) -> None:
        found = self.run(rows_of(self.store, jobs, request_id=self.id))
        assert len(found) == (0 if Request(state) in FINAL else 1)
        if state == Request.IN_DOUBT.value:
            (job,) = found
            assert job.due_at >= NEVER or job.lane == "office.look", "in doubt nothing is planned but asking"

    def teardown(self) -> None:
        """Left alone, with an institution that answers, it comes to rest, and what can be asked is known."""
        if not hasattr(self, "id"):
            return
        self.dies_or_hangs("w1", dead=False)
        self.dies_or_hangs("w2", dead=False)
        for _ in range(40):
            while self.flights:
                self.it_arrives("answered", 0)
                self.it_comes_back(0)
            self.late_answers_are_judged()
            self.look_for_work("w1", 400)
            self.nothing_is_done_twice_and_what_is_final_stays()
            if not self.flights and not self.late and self._rests():
                break
        assert self._rests(), self._state()
        assert not self.late
        state, _ = self._state()
        if self.acted and self.effect is Effect.INQUIRABLE and state != Request.PARKED.value:
            assert state == (Request.COMPLETED if self.truth is Status.SUCCEEDED else Request.REFUSED).value

    def _rests(self) -> bool:
        found = self.run(rows_of(self.store, jobs, request_id=self.id))
        return not found or (found[0].due_at >= NEVER and found[0].claimed_by is None)


def test_whatever_dies_hangs_or_contradicts_an_act_is_done_once_and_its_request_comes_to_rest(
    database: Any, keyring: Any, clock: Clock
) -> None:
    bounded = settings(
        max_examples=40,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # a failure is told as it was found
        suppress_health_check=list(HealthCheck),
    )
    with asyncio.Runner() as runner:
        store = runner.run(open_store(database.url, keyring, clock))
        try:
            runner.run(store.write(lambda conn: add_principal(conn, "c1", "key", kind=Kind.CHANNEL, name="web")))
            run_state_machine_as_test(cast("Any", lambda: Life(runner, store, clock)), settings=bounded)
        finally:
            runner.run(store.close())

"""What a request out of a backup does next: nothing with an effect, until it is known not to have been done."""

from dataclasses import replace

import pytest

from connectors.kit.contract import Effect, Outcome, Status
from gateway import settle
from gateway.ids import first_id_at
from gateway.restoring.doubt import attempt_of, doubtful, going_on, in_doubt
from gateway.restoring.mode import RestoreMode
from gateway.steps import Plan
from gateway.store.restores import Restored
from gateway.work import RESTORED, NewAttempt, OpenAttempt, Settlement, Work
from mappings.status import Attempt, Intent, Request
from tests.unit.gateway.test_settle import CHECK, OUTCOME_OK, PAY, POLICY, ROUTE, SUBMIT, work


def restored(step, state=Request.IN_DOUBT, **more):
    one = work(step, state, **more)
    return replace(one, progress={**one.progress, RESTORED: 1})


def act_of(one: Work, *, over: bool = False) -> Plan:
    """What must not be done now."""
    plan = doubtful(one, ROUTE, over=over)
    assert plan is not None
    return plan


def made(one: Work, plan: Plan) -> NewAttempt:
    """The attempt that stands for it, which the backup has not."""
    attempt = attempt_of(one, plan)
    assert attempt is not None
    return attempt


def lane_after(settlement: Settlement) -> str | None:
    return settlement.next.lane if settlement.next else None


def test_a_read_is_free_and_goes_on_from_in_doubt():
    one = restored(CHECK)
    assert doubtful(one, ROUTE, over=False) is None
    settlement = settle.on_outcome(going_on(one), ROUTE.plan(one), ROUTE, OUTCOME_OK, POLICY)
    assert settlement.state is Request.IN_PROGRESS
    assert settlement.progress[RESTORED] == 1, "the next act is asked about too"


def test_a_check_that_says_no_refuses_nothing_because_of_what_was_done_since():
    one = going_on(restored(CHECK))
    settlement = settle.on_outcome(one, ROUTE.plan(one), ROUTE, Outcome(Status.REFUSED, "not_found"), POLICY)
    assert (settlement.state, settlement.reason) == (Request.PARKED, RESTORED)


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("intent", [Intent.CREATED, Intent.PAYER_ACTION, Intent.IN_PROGRESS])
def test_a_payment_is_in_doubt_as_the_debit_that_it_may_have_become(over, intent):
    one = restored(PAY, intent_state=intent)
    plan = act_of(one, over=over)
    assert (plan.operation.name, plan.moves_money) == ("confirm", True)
    settlement = in_doubt(one, plan, ROUTE)
    assert (settlement.state, settlement.intent_state) == (Request.IN_DOUBT, Intent.IN_DOUBT)
    assert settlement.next is None, "a statement or people"
    assert made(one, plan).moves_money


def test_an_inquirable_act_is_asked_about_and_only_its_absence_ends_the_doubt():
    one = restored(SUBMIT, intent_state=Intent.SUCCEEDED)
    plan = act_of(one)
    settlement = in_doubt(one, plan, ROUTE)
    assert (settlement.attempt_state, lane_after(settlement)) == (Attempt.IN_DOUBT, "ministry.inquire")
    attempt = made(one, plan)
    subject = OpenAttempt(attempt.id, attempt.operation_id, "ministry", "submit", "submit", Attempt.IN_DOUBT, "", 10**9)
    asked = replace(one, open_attempt=subject, absences=POLICY.absences_needed - 1)
    assert doubtful(asked, ROUTE, over=False) is None, "to ask is free"
    assert attempt_of(asked, plan) is None, "the attempt is there"
    again = settle.on_inquiry(asked, ROUTE.plan(asked), ROUTE, Outcome(Status.ABSENT), POLICY)
    assert (again.attempt_state, lane_after(again)) == (Attempt.ABSENT, "ministry.submit")
    assert RESTORED not in again.progress
    unsure = settle.on_inquiry(replace(asked, absences=0), ROUTE.plan(asked), ROUTE, Outcome(Status.ABSENT), POLICY)
    assert unsure.progress[RESTORED] == 1


def test_an_act_whose_key_is_honoured_rests_until_restore_mode_is_over(monkeypatch):
    submit = ROUTE.plan(restored(SUBMIT)).operation
    monkeypatch.setitem(
        ROUTE._connectors["ministry"].operations, "submit", replace(submit, effect=Effect.IDEMPOTENT, inquire=None)
    )
    one = restored(SUBMIT)
    plan = act_of(one)
    assert in_doubt(one, plan, ROUTE).next is None
    assert doubtful(one, ROUTE, over=True) is None


@pytest.mark.parametrize("state", [Request.ACCEPTED, Request.IN_PROGRESS, Request.DELIVERING, Request.IN_DOUBT])
def test_doubt_is_a_move_of_the_table_from_every_state_that_goes_on(state):
    one = restored(SUBMIT, state)
    wanted = Request.DELIVERING if state is Request.DELIVERING else Request.IN_DOUBT
    assert in_doubt(one, act_of(one), ROUTE).state is wanted


def test_an_id_of_the_gap_between_backup_and_restoration_is_told_from_one_that_never_was():
    mode = RestoreMode()
    assert not mode.may_have_lost(first_id_at(1_500))
    mode.take([Restored("r", 1_000, 2_000, None, None, 3)])
    before = mode.on
    assert [mode.may_have_lost(first_id_at(at)) for at in (999, 1_000, 2_000, 2_001)] == [False, True, True, False]
    mode.take([Restored("r", 1_000, 2_000, 3_000, "op", 3)])
    assert (before, mode.on) == (True, False)
    assert mode.may_have_lost(first_id_at(1_500))

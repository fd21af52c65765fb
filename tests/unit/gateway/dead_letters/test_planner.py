"""What a replay of a parked request would mean: a table of what may have happened."""

import pytest

from connectors.kit.contract import Effect, Operation
from gateway.dead_letters.planner import Known, Letter, Seen, Sort, plan, summary
from mappings.status import Attempt, Request

KNOWN = Known(
    {
        "ministry.check": Operation("check", "check", Effect.SAFE),
        "ministry.submit": Operation("submit", "submit", Effect.INQUIRABLE, inquire="inquire"),
        "ministry.inquire": Operation("inquire", "inquire", Effect.SAFE),
        "ministry.post": Operation("post", "submit", Effect.IDEMPOTENT),
        "ministry.stamp": Operation("stamp", "submit", Effect.NONE),
        "wallet.confirm": Operation("confirm", "confirm", Effect.NONE, secrets=("otp",)),
        "bank.confirm": Operation("confirm", "confirm", Effect.INQUIRABLE, inquire="ask"),
    },
    {"a.service": "ministry@2"},
)


def letter(lane, state=None, of=None, *, at=Request.PARKED, mapping="ministry@2"):
    connector, operation = (of or lane).split(".")
    made = () if state is None else (Seen("t1", connector, operation, state, operation == "confirm"),)
    return Letter("r1", "a.service", at, "poison", 0, lane, mapping, 1, 2, made)


@pytest.mark.parametrize(
    ("lane", "state", "of", "sort", "to"),
    [
        ("ministry.submit", None, None, Sort.SAFE, "ministry.submit"),
        ("ministry.submit", Attempt.NOT_SENT, None, Sort.SAFE, "ministry.submit"),
        ("ministry.submit", Attempt.SUCCEEDED, "ministry.check", Sort.SAFE, "ministry.submit"),
        ("ministry.submit", Attempt.ABSENT, None, Sort.SAFE, "ministry.submit"),
        ("ministry.check", Attempt.IN_DOUBT, None, Sort.SAFE, "ministry.check"),
        ("ministry.post", Attempt.IN_DOUBT, None, Sort.SAFE, "ministry.post"),
        ("ministry.post", Attempt.PENDING, None, Sort.UNSAFE, ""),
        ("ministry.submit", Attempt.SENDING, None, Sort.INQUIRE_FIRST, "ministry.inquire"),
        ("ministry.inquire", Attempt.REVIEW, "ministry.submit", Sort.INQUIRE_FIRST, "ministry.inquire"),
        ("ministry.stamp", Attempt.IN_DOUBT, None, Sort.UNSAFE, ""),
        ("ministry.submit", Attempt.SUCCEEDED, None, Sort.DONE, ""),
        ("wallet.confirm", Attempt.NOT_SENT, None, Sort.UNSAFE, ""),
        ("wallet.confirm", Attempt.IN_DOUBT, None, Sort.UNSAFE, ""),
        ("bank.confirm", Attempt.IN_DOUBT, None, Sort.INQUIRE_FIRST, "bank.ask"),
        ("ministry.gone", Attempt.IN_DOUBT, None, Sort.UNSAFE, ""),
    ],
)
def test_o3_nothing_that_may_have_arrived_is_sent_again_unless_a_repeat_does_nothing(lane, state, of, sort, to):
    planned = plan(letter(lane, state, of), KNOWN)
    assert (planned.sort, planned.lane) == (sort, to)


@pytest.mark.parametrize("state", [state for state in Request if state is not Request.PARKED])
def test_what_is_not_parked_is_left_alone(state):
    assert plan(letter("ministry.submit", at=state), KNOWN).sort is Sort.DONE


def test_a_plan_counts_the_sorts_and_shows_which_mappings_would_change():
    letters = [letter("ministry.submit", mapping="ministry@1"), letter("ministry.submit"), letter("ministry.gone")]
    told = summary([plan(each, KNOWN) for each in letters])
    assert (told["safe"], told["unsafe"], told["done"]) == (2, 1, 0)
    assert told["mappings"] == [{"from": "ministry@1", "to": "ministry@2", "count": 1}]

"""What may be decided about each kind of doubt, by how many people, and that no decision leads out of the table of moves."""

from dataclasses import replace
from typing import Any, cast

import pytest

from connectors.kit.contract import Connector, Effect, Operation
from gateway.catalogue import Step
from gateway.dead_letters.planner import Known, Letter, Seen
from gateway.decisions.doubts import Action, Decision, Doubt, State, Subject, Told
from gateway.decisions.options import options
from gateway.decisions.settling import settlement_of
from gateway.steps import Route
from gateway.work import OpenAttempt
from mappings.status import Attempt, Intent, Request
from tests.unit.gateway.test_settle import CHECK, CONNECTORS, PAY, POLICY, SERVICE, SUBMIT, connector, work

STAMP, DELIVER = 5, 6
OURS = {
    **CONNECTORS,
    "ministry": connector(
        "ministry", *CONNECTORS["ministry"].operations.values(), Operation("stamp", "submit", Effect.NONE)
    ),
    "post": connector("post", Operation("send", "submit", Effect.IDEMPOTENT)),
}
STEPS = (*SERVICE.steps[:-1], Step("deliver"), Step("submit", "ministry", "stamp"), Step("deliver"))
ROUTE = Route(replace(SERVICE, steps=STEPS, delivery=("post",)), cast("dict[str, Connector]", OURS))
KNOWN = Known({f"{name}.{one.name}": one for name, each in OURS.items() for one in each.operations.values()}, {})
LONG_AGO = 3_600_000
#: Step, state of the request, operation, its id, state and age of the attempt -> people by action.
CASES = {
    "a payment in doubt": (PAY, "in_doubt", "wallet.confirm", "p1", "in_doubt", {"done": 2, "not_done": 2}),
    "a payment that inquiry gave up": (PAY, "parked", "wallet.confirm", "p1", "review", {"done": 2, "not_done": 2}),
    "a payment that was begun": (PAY, "parked", "wallet.initiate", "p1", "in_doubt", {"resend": 1}),
    "an act that can be asked about": (
        *(SUBMIT, "in_doubt", "ministry.submit", "2", "in_doubt"),
        {"inquire": 1, "done": 2, "not_done": 2, "resend": 2},
    ),
    "the same, given up": (
        *(SUBMIT, "parked", "ministry.submit", "2", "review"),
        {"inquire": 1, "done": 2, "not_done": 2, "resend": 2},
    ),
    "one that the institution has": (
        *(SUBMIT, "parked", "ministry.submit", "2", "pending"),
        {"inquire": 1, "done": 2, "not_done": 2},
    ),
    "an act of an earlier step": (PAY, "parked", "ministry.submit", "2", "pending", {"inquire": 1}),
    "one that nobody can be asked about": (
        *(STAMP, "in_doubt", "ministry.stamp", "5", "in_doubt"),
        {"done": 2, "not_done": 2, "resend": 2},
    ),
    "the same, while its worker may still send": (
        *(STAMP, "parked", "ministry.stamp", "5", "sending"),
        {"done": 2, "not_done": 2},
    ),
    "a parcel": (DELIVER, "parked", "post.send", "6", "in_doubt", {"done": 2, "resend": 1}),
    "a read": (CHECK, "parked", "ministry.check", "0", "in_doubt", {"resend": 1, "not_done": 2}),
    "what never left": (SUBMIT, "parked", "ministry.submit", "2", "not_sent", {"resend": 1, "not_done": 2}),
    "what is over": (SUBMIT, "completed", "ministry.submit", "2", "succeeded", {}),
}


def doubt_of(step: int, state: str, act: str, tail: str, attempt_state: str, **more: Any) -> Doubt:
    name, operation = act.split(".")
    role, money = KNOWN.operations[act].role, act == "wallet.confirm"
    age = 100 if attempt_state == "sending" else LONG_AGO
    attempt = OpenAttempt("t1", f"0198aa-{tail}", name, operation, role, Attempt(attempt_state), "", age)
    intent = Intent.IN_DOUBT if money else Intent.SUCCEEDED
    progress = {"payment": {"method": "wallet", "number": 1}, "delivery": "post", "documents": 1}
    given = work(step, Request(state), intent_state=intent, progress=progress, content={"delivery": {}})
    seen = Seen("t1", name, operation, Attempt(attempt_state), money)
    letter = Letter("0198-aa", SERVICE.id, Request(state), "", step, act, "", 0, 0, (seen,))
    is_open = attempt_state in ("sending", "pending", "in_doubt", "review")
    subject = Subject(attempt, 1, 0, money, more.pop("told", ()), more.pop("statement", None)) if is_open else None
    return Doubt("0198-aa", SERVICE.id, Request(state), 0, None, False, "c", letter, given, subject, None)


def decided(action: Action) -> Decision:
    words: dict[str, Any] = {"told": {}, "reason": "r", "evidence": "", "reference": "R", "doubt": "", "digest": ""}
    who: dict[str, Any] = {"proposed_by": "a", "proposer": "a", "decided_by": None, "decider": None, "answer": ""}
    when: dict[str, Any] = {"proposed_at": 0, "expires_at": 1, "decided_at": None}
    return Decision(
        id="d", request_id="0198-aa", attempt_id="t1", action=action, people=2, state=State.PROPOSED, **words, **who, **when
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "expected"), [pytest.param(row[:-1], row[-1], id=name) for name, row in CASES.items()]
)
def test_each_doubt_has_its_actions_and_two_people_for_whatever_could_be_done_twice(case, expected):
    doubt = doubt_of(*case)
    found = options(doubt, ROUTE, KNOWN, POLICY)
    assert {str(name): option.people for name, option in found.items()} == expected
    assert all(option.means["ar"] and "{" not in option.means["ar"] + option.means["en"] for option in found.values())
    assert all(option.people == 2 for option in found.values() if option.twice)

    for option in (each for each in found.values() if each.people == 2):
        assert doubt.work is not None
        attempt = doubt.subject.attempt if doubt.subject else None
        told = settlement_of(doubt.work, decided(Action(option.action)), attempt, ROUTE, POLICY)
        sends_again = told.next is not None and told.next.lane == case[2]
        assert sends_again == (option.action == Action.RESEND), "only a resend sends the same again"
        open_still = told.attempt_state in (Attempt.SENDING, Attempt.IN_DOUBT, Attempt.REVIEW)
        assert not open_still, "and never with the old attempt open"
        assert all(each.facts["source"] == "operator" and each.facts["decision"] == "d" for each in told.happened)


@pytest.mark.parametrize(
    ("said", "statement", "denied"),
    [
        ([("answer", "succeeded")], None, {"not_done", "resend"}),
        ([("inquiry", "refused")], None, {"done"}),
        ([("error", "none"), ("inquiry", "absent"), ("answer", "in_doubt")], None, set()),
        ([("operator", "succeeded")], None, set()),
        ([], "done", {"not_done", "resend"}),
        ([], "not_done", {"done"}),
    ],
)
def test_whoever_knows_better_than_an_operator_is_believed(said, statement, denied):
    told = [Told(source, status, "", False, 1) for source, status in said]
    doubt = doubt_of(STAMP, "in_doubt", "ministry.stamp", "5", "in_doubt", told=told, statement=statement)
    assert {action.value for action in Action if doubt.denies(action)} == denied


def test_what_is_known_has_another_mark_as_soon_as_somebody_says_something_new():
    def mark(**more):
        return doubt_of(STAMP, "in_doubt", "ministry.stamp", "5", "in_doubt", **more).mark

    silent = [Told("error", "none", "upstream_timeout", False, 1), Told("inquiry", "in_doubt", "", False, 2)]
    absent = Told("inquiry", "absent", "", False, 3)
    assert mark() == mark(told=silent), "a question without an answer ends no proposal"
    assert len({mark(), mark(told=[absent]), mark(statement="done")}) == 3
    assert mark(told=[absent]) == mark(told=[absent, replace(absent, at=9)])

"""The checker of `make chaos` can fail: what was lost and what was done twice in made-up records is found and named."""

from dataclasses import replace

import pytest

from tests.chaos.checker import check
from tests.chaos.records import Acknowledged, Effect, Kept, Records
from tests.chaos.recovery import Held, fate

VEHICLE, CERTIFICATE = "transport.vehicle-statement", "education.secondary-certificate-copy"
FREE = Kept("0a-1", "k1", VEHICLE, "completed")
PAID = Kept("0b-2", "k2", CERTIFICATE, "completed", intent="succeeded", was_in_doubt=True)
STATEMENT = Effect("transport", "statement", "0a1-0", 1)
DEBIT = Effect("syriatel_cash", "debit", "0b2-p1", 1)
COPY = Effect("education", "copy", "0b2-2", 1)
GOOD = Records([Acknowledged("k1", "0a-1"), Acknowledged("k2", "0b-2")], [FREE, PAID], [STATEMENT, DEBIT, COPY])


def sentences(records):
    found = check(records)
    return [str(each) for each in found.duplicates], [str(each) for each in found.lost]


def test_a_good_run_is_counted_and_nothing_is_found():
    found = check(GOOD)

    assert (found.duplicates, found.lost, found.problems) == ([], [], [])
    assert (found.acknowledged, found.finished, found.effects) == (2, 2, 3)
    assert (found.in_doubt_now, found.in_doubt_resolved, found.parked) == (0, 1, 0)


def test_an_acknowledged_request_that_the_database_lacks_is_lost():
    assert sentences(replace(GOOD, kept=[PAID], effects=[DEBIT, COPY])) == (
        [],
        ["0a-1: acknowledged under the key k1, and not in the database"],
    )


@pytest.mark.parametrize(
    ("effects", "told"),
    [
        ([replace(STATEMENT, count=2), DEBIT, COPY], "transport did statement 2 times (0a1-0 x 2)"),
        (
            [STATEMENT, DEBIT, replace(DEBIT, operation_id="0b2-p2"), COPY],
            "syriatel_cash did debit 2 times (0b2-p1 x 1, 0b2-p2 x 1)",
        ),
    ],
)
def test_an_act_that_was_done_twice_is_found_under_one_operation_id_and_under_several(effects, told):
    duplicates, lost = sentences(replace(GOOD, effects=effects))

    assert lost == []
    assert len(duplicates) == 1
    assert told in duplicates[0]


def test_a_key_that_was_answered_with_two_requests_is_a_duplicate():
    other = replace(FREE, id="0c-3", key="")
    records = replace(
        GOOD,
        acknowledged=[*GOOD.acknowledged, Acknowledged("k1", "0c-3")],
        kept=[*GOOD.kept, other],
        effects=[*GOOD.effects, replace(STATEMENT, operation_id="0c3-0")],
    )
    duplicates, lost = sentences(records)

    assert duplicates == ["k1: one key was answered with the requests 0a-1, 0c-3"]
    assert lost == ["0c-3: acknowledged under the key k1, kept under none"]


@pytest.mark.parametrize(
    ("kept", "effects", "told"),
    [
        (FREE, [], "told to be completed, and no ledger has its statement"),
        (replace(FREE, state="refused"), [STATEMENT], "told to be refused, and a ledger has its statement"),
        (replace(FREE, state="accepted"), [], "not finished in time, and no job is scheduled"),
        (replace(FREE, state="in_progress", scheduled=True), [], "not finished in time, though a job is scheduled"),
        (replace(FREE, state="parked"), [], "parked without a reason"),
        (replace(FREE, state="in_doubt"), [STATEMENT], "in doubt, and nobody will ask"),
        (replace(PAID, state="expired", intent="expired"), [DEBIT], "the gateway says it was not paid"),
        (PAID, [COPY], "told to be paid, and the wallet debited nothing"),
    ],
)
def test_what_stands_still_or_is_untrue_is_lost(kept, effects, told):
    duplicates, lost = sentences(Records([Acknowledged(kept.key, kept.id)], [kept], effects))

    assert duplicates == []
    assert told in " ".join(lost)
    assert kept.id in lost[0]


@pytest.mark.parametrize(
    "kept",
    [
        replace(FREE, state="parked", reason="interrupted"),
        replace(FREE, state="in_doubt", scheduled=True),
        replace(PAID, state="in_doubt", intent="in_doubt", by_statement=True),
    ],
)
def test_what_people_an_inquiry_or_a_statement_will_decide_is_not_lost(kept):
    assert sentences(Records([Acknowledged(kept.key, kept.id)], [kept], [])) == ([], [])


def test_an_effect_for_a_request_that_nobody_has_is_lost():
    assert sentences(Records([], [], [STATEMENT])) == (
        [],
        ["0a1: done (statement) for a request that the database does not have"],
    )


@pytest.mark.parametrize(
    ("now", "rescued", "told"),
    [
        ((7, "g1"), False, "held"),
        ((7, None), False, "settled"),
        (None, False, "settled"),
        ((8, None), False, "held"),
        ((8, None), True, "held"),
        (None, True, "taken up"),
        ((9, "g2"), True, "taken up"),
        ((8, "g2"), False, "taken up"),
    ],
)
def test_a_job_is_taken_up_when_somebody_else_claims_it(now, rescued, told):
    assert fate(Held(7, rescued), now, "g1") == told

"""Matching: exact, on integers, nothing lost and nothing counted twice, whatever stands on the two sides."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox.server import find_folder
from gateway.reconciliation.breaks import Kind
from gateway.reconciliation.days import bounds, bucket_of, business_days, days_touched
from gateway.reconciliation.matching import Sides, match
from gateway.reconciliation.report import SourceDay, amount_in, report_of, text_of
from gateway.reconciliation.sources import ACTS, PAYMENTS, StatementSource
from gateway.store.reconciliation.sides import Act, Grouped, Listed
from mappings.status import Attempt

ZONE = "Asia/Damascus"
DAY = date(2026, 11, 24)
NOON = bounds(DAY, ZONE)[0] + 12 * 3_600_000
_FORMS = {
    "syriatel_cash": load_manifest(find_folder("syriatel_cash")).statements["settlement"],
    "education": load_manifest(find_folder("education")).statements["issued"],
}
WALLET = StatementSource(
    "syriatel_cash", "settlement", _FORMS["syriatel_cash"], {"ar": "م", "en": "w"}, PAYMENTS, "1", {}, 30.0
)
MINISTRY = StatementSource("education", "issued", _FORMS["education"], {"ar": "و", "en": "m"}, ACTS, "", {}, 30.0)


def act(name: str, state: Attempt = Attempt.SUCCEEDED, amount: int | None = 2500, **more: object) -> Act:
    made = Act(
        name, f"a-{name}", f"r-{name}", "s", state, "", NOON, amount, "SYP", "SYP-new", owed=True, paid=True, group=None
    )
    return replace(made, **more)  # type: ignore[arg-type]


def line(name: str, amount: int | None = 2500, number: int = 2, **more: object) -> Listed:
    made = Listed(
        id=f"l-{name}-{number}",
        file="f.csv",
        sha256="0",
        file_day=DAY.isoformat(),
        number=number,
        our_reference=name,
        their_reference=f"T{number}",
        fingerprint=f"{name}-{number}",
        occurrence=1,
        at=NOON,
        day=DAY.isoformat(),
        amount_minor=amount,
        currency="SYP",
        denomination="SYP-new",
        group=None,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def found(source, acts, lines, listed=(DAY,)):
    return match(source, Sides(DAY.isoformat(), acts, lines, frozenset(day.isoformat() for day in listed)))


def kinds(source, acts, lines, listed=(DAY,)):
    return [each.kind for each in found(source, acts, lines, listed).breaks]


def decisions(source, acts, lines, listed=(DAY,)):
    return [(group.rule, group.decision) for group in found(source, acts, lines, listed).groups]


DOUBT = Attempt.IN_DOUBT
GROUPED = Grouped("g", "exact", DAY.isoformat(), None)
NOT_MADE = Grouped("g", "absent", DAY.isoformat(), "not_done")
CASES = {
    "both have it": (WALLET, [act("a")], [line("a")], [("exact", None)], []),
    "in doubt and listed": (WALLET, [act("a", DOUBT)], [line("a")], [("exact", "done")], []),
    "in review and listed": (WALLET, [act("a", Attempt.REVIEW)], [line("a")], [("exact", "done")], []),
    "in doubt and not listed": (WALLET, [act("a", DOUBT)], [], [("absent", "not_done")], []),
    "done and not listed": (WALLET, [act("a")], [], [], [Kind.MISSING_AT_THEM]),
    "refused and not listed": (WALLET, [act("a", Attempt.DECLINED)], [], [], []),
    "listed and unknown": (WALLET, [], [line("a")], [], [Kind.MISSING_AT_US]),
    "amount differs": (WALLET, [act("a", DOUBT)], [line("a", 2600)], [], [Kind.AMOUNT]),
    "old pounds there": (WALLET, [act("a", DOUBT)], [line("a", 250_000)], [], [Kind.DENOMINATION]),
    "old pounds here, converted": (
        WALLET,
        [act("a", amount=250_000, denomination="SYP-old")],
        [line("a", 2500)],
        [("exact", None)],
        [],
    ),
    "refused here, done there": (WALLET, [act("a", Attempt.DECLINED)], [line("a")], [], [Kind.STATUS]),
    "listed twice": (WALLET, [act("a")], [line("a"), line("a", number=3)], [("exact", None)], [Kind.DUPLICATE_AT_THEM]),
    "listed again on another day": (WALLET, [act("a", group=GROUPED)], [line("a")], [], [Kind.DUPLICATE_AT_THEM]),
    "listed after it was not done": (
        WALLET,
        [act("a", Attempt.DECLINED, group=NOT_MADE)],
        [line("a")],
        [],
        [Kind.LATE],
    ),
    "debited, not credited": (
        WALLET,
        [act("a", DOUBT, code="debited_not_credited")],
        [],
        [],
        [Kind.DEBITED_NOT_CREDITED],
    ),
    "debited, and credited after all": (
        WALLET,
        [act("a", DOUBT, code="debited_not_credited")],
        [line("a")],
        [("exact", "done")],
        [],
    ),
    "still being sent": (WALLET, [act("a", Attempt.SENDING)], [line("a")], [], [Kind.TIMING]),
    "an act may be listed later": (MINISTRY, [act("a", DOUBT, None)], [], [], [Kind.PAID_NOT_SERVED]),
    "an act that waits and is listed": (
        MINISTRY,
        [act("a", Attempt.PENDING, None)],
        [line("a", None)],
        [("exact", "done")],
        [],
    ),
    "issued, not paid": (
        MINISTRY,
        [act("a", amount=None, paid=False, group=GROUPED)],
        [line("a", None, group=GROUPED)],
        [],
        [Kind.SERVED_NOT_PAID],
    ),
}


@pytest.mark.parametrize(("source", "acts", "lines", "groups", "breaks"), CASES.values(), ids=list(CASES))
def test_what_stands_on_two_sides_is_named_as_what_it_is(source, acts, lines, groups, breaks):
    assert decisions(source, acts, lines) == groups
    assert kinds(source, acts, lines) == breaks


def test_nothing_is_absent_before_the_file_of_every_day_that_it_may_stand_in_has_come():
    late = act("a", DOUBT, sending_at=bounds(DAY, ZONE)[1] - 10_000)
    assert kinds(WALLET, [late], []) == [Kind.TIMING]
    both = (DAY, DAY + timedelta(days=1))
    assert decisions(WALLET, [late], [], both) == [("absent", "not_done")]
    assert kinds(WALLET, [act("a", DOUBT)], [], ()) == [Kind.TIMING]
    assert len(days_touched(NOON, 30, ZONE)) == 1


def test_a_break_keeps_its_name_whatever_its_kind_is_by_now():
    (waits,) = found(WALLET, [act("a")], [], ()).breaks
    (missing,) = found(WALLET, [act("a")], []).breaks
    assert (waits.kind, missing.kind) == (Kind.TIMING, Kind.MISSING_AT_THEM)
    assert waits.id_of("x") == missing.id_of("x") != missing.id_of("y")


def test_age_is_counted_in_working_days():
    thursday = date(2026, 11, 26)
    assert [business_days(thursday, thursday + timedelta(days=n)) for n in range(5)] == [0, 0, 0, 1, 2]
    assert [bucket_of(age) for age in (0, 1, 2, 5, 30, 31)] == ["0", "1", "2-3", "4-7", "8-30", ">30"]


NAMES = st.sampled_from([f"n{number}" for number in range(6)])
AMOUNTS = st.sampled_from([100, 2500, 2600, 250_000])
ACT_LISTS = st.lists(
    st.builds(act, NAMES, st.sampled_from(list(Attempt)), AMOUNTS), max_size=6, unique_by=lambda each: each.operation_id
)
LINE_LISTS = st.lists(st.tuples(NAMES, AMOUNTS), max_size=10).map(
    lambda rows: [line(name, amount, number) for number, (name, amount) in enumerate(rows, start=2)]
)


@settings(max_examples=300, deadline=None)
@given(acts=ACT_LISTS, lines=LINE_LISTS, in_time=st.booleans())
def test_matching_conserves_totals_and_uses_nothing_twice(acts, lines, in_time):
    listed = (DAY,) if in_time else ()
    result = found(WALLET, acts, lines, listed)
    ours = [item for group in result.groups for item in group.ours]
    theirs = [item for group in result.groups for item in group.theirs]
    assert len(set(ours)) == len(ours)
    assert len(set(theirs)) == len(theirs)

    # every line went into a group or into exactly one break, and their sums are that of the file
    left = [each.line.item for each in result.breaks if each.line is not None]
    assert sorted([*theirs, *left]) == sorted(each.item for each in lines)
    by_item = {each.item: each.amount_minor or 0 for each in lines}
    assert sum(by_item[item] for item in theirs) + sum(by_item[item] for item in left) == sum(by_item.values())

    # a pair is the same money, and what may have been done is in a group, in a break, or in neither by mistake never
    amount_of = {each.item: amount_in(WALLET, each) for each in acts}
    for group in result.groups:
        if group.theirs:
            assert amount_of[group.ours[0]] == by_item[group.theirs[0]]
    about = {each.item for each in result.breaks} | {each.act.item for each in result.breaks if each.act is not None}
    maybe = {each.item for each in acts if each.state in (Attempt.SUCCEEDED, Attempt.IN_DOUBT, Attempt.REVIEW)}
    assert maybe <= set(ours) | about


@settings(max_examples=50, deadline=None)
@given(acts=ACT_LISTS, lines=LINE_LISTS, shuffle=st.randoms())
def test_the_order_of_things_changes_no_byte_of_the_report(acts, lines, shuffle):
    def text(some_acts, some_lines):
        sides = Sides(DAY.isoformat(), tuple(some_acts), tuple(some_lines), frozenset({DAY.isoformat()}))
        part = SourceDay(WALLET, sides, tuple(match(WALLET, sides).breaks), ())
        return text_of(report_of(DAY, [part], "rules"))

    first = text(acts, lines)
    shuffle.shuffle(acts)
    shuffle.shuffle(lines)
    assert text(acts, lines) == first

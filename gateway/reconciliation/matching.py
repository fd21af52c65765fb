"""Matches one day of one source: exactly, by our reference, on integers; what is left over gets its kind. Pure.

Nothing here guesses. An act in doubt is decided only by a line that says the same amount, or by its absence from the
files of every day on which it may have been booked, where such a file lists everything that was done. When an act out
of a restored backup may have been made is not known: its absence decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.reconciliation.breaks import Break, Kind
from gateway.reconciliation.days import SKEW_MS, day_of, days_touched
from gateway.reconciliation.sources import PAYMENTS, StatementSource
from gateway.store.reconciliation.results import NewGroup
from gateway.store.reconciliation.sides import Act, Listed
from gateway.work import RESTORED
from mappings.money import Money, denominations
from mappings.status import Attempt

EXACT, ABSENT = "exact", "absent"
DONE, NOT_DONE = "done", "not_done"
DOUBTFUL = frozenset({Attempt.IN_DOUBT, Attempt.REVIEW})
_OPEN = DOUBTFUL | {Attempt.PENDING}
_REFUSED = frozenset({Attempt.DECLINED, Attempt.ABSENT, Attempt.NOT_SENT})
#: What a provider says when the payer was debited although nothing arrived: absence from the file is no proof then.
DEBITED = frozenset({"debited_not_credited"})


@dataclass(frozen=True, slots=True)
class Sides:
    """What there is on both sides when `day` ends: of the day itself, and what earlier days left."""

    day: str
    acts: Sequence[Act]  #: Of the day, carried, and every one that a line names.
    lines: Sequence[Listed]
    listed_days: frozenset[str]  #: Whose file is in.


@dataclass(slots=True)
class Found:
    """What became of them."""

    groups: list[NewGroup] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)


def state_then(act: Act, day: str) -> Attempt:
    """The act as it stood when `day` ended: what a later day's file decided was still in doubt."""
    decided_later = act.group is not None and act.group.decision is not None and act.group.day > day
    return Attempt.IN_DOUBT if decided_later else act.state


def in_group(item: Act | Listed, day: str) -> bool:
    """Whether a group had it when `day` ended."""
    return item.group is not None and item.group.day <= day


def match(source: StatementSource, sides: Sides) -> Found:
    """The new groups, and what is left over."""
    found = Found()
    acts = {act.operation_id: act for act in sides.acts}
    by_reference: dict[str, list[Listed]] = defaultdict(list)
    for line in sides.lines:
        if not in_group(line, sides.day):
            by_reference[line.our_reference].append(line)
    for reference, lines in sorted(by_reference.items()):
        lines.sort(key=lambda line: (line.file_day, line.number))
        _named(source, sides, acts.get(reference), lines, found)
    named = set(by_reference)
    for act in sorted(acts.values(), key=lambda act: act.operation_id):
        if act.operation_id not in named:
            _unlisted(source, sides, act, found)
    return found


def _named(source: StatementSource, sides: Sides, act: Act | None, lines: Sequence[Listed], found: Found) -> None:
    """Lines that name one act."""
    first, more = lines[0], lines[1:]
    if act is None:
        found.breaks.append(_of_line(Kind.MISSING_AT_US, first, None))
    elif in_group(act, sides.day):
        late = act.group is not None and act.group.rule == ABSENT
        found.breaks.append(_of_line(Kind.LATE if late else Kind.DUPLICATE_AT_THEM, first, act))
        _unpaid(source, act, found)
    else:
        _paired(source, sides, act, first, found)
    found.breaks += [_of_line(Kind.DUPLICATE_AT_THEM, line, act) for line in more]


def _paired(source: StatementSource, sides: Sides, act: Act, line: Listed, found: Found) -> None:
    """One act and one line that names it."""
    state = state_then(act, sides.day)
    kind = difference(act, line)
    if state in _REFUSED:
        kind = Kind.STATUS
    elif state in (Attempt.PREPARED, Attempt.SENDING):
        kind = Kind.TIMING  # its own answer is still on the way
    if kind is not None:
        found.breaks.append(Break(kind, line.file_day, act.item, act, line))
        return
    ours = day_of(act.sending_at, source.form.zone).isoformat()
    decision = DONE if state in _OPEN else None
    found.groups.append(NewGroup(EXACT, max(ours, line.file_day), (act.item,), (line.item,), decision))


def _unpaid(source: StatementSource, act: Act, found: Found) -> None:
    if source.leg != PAYMENTS and act.owed and not act.paid:
        day = day_of(act.sending_at, source.form.zone).isoformat()
        found.breaks.append(Break(Kind.SERVED_NOT_PAID, day, f"unpaid:{act.operation_id}", act))


def _unlisted(source: StatementSource, sides: Sides, act: Act, found: Found) -> None:
    """An act that no line left over names."""
    if in_group(act, sides.day):
        if act.group is not None and act.group.rule == EXACT:
            _unpaid(source, act, found)
        return
    state = state_then(act, sides.day)
    if state is not Attempt.SUCCEEDED and state not in DOUBTFUL:
        return
    day = day_of(act.sending_at, source.form.zone).isoformat()
    needed = {each.isoformat() for each in days_touched(act.sending_at, source.deadline_seconds, source.form.zone)}
    doubtful = state in DOUBTFUL
    if doubtful and act.code in DEBITED:
        kind = Kind.DEBITED_NOT_CREDITED
    elif not needed <= sides.listed_days:
        kind = Kind.TIMING
    elif not doubtful:
        kind = Kind.MISSING_AT_THEM
    elif source.form.absence == "not_done" and act.code != RESTORED:
        found.groups.append(NewGroup(ABSENT, max(needed), (act.item,), (), NOT_DONE))
        return
    else:
        kind = Kind.PAID_NOT_SERVED if act.paid else Kind.MISSING_AT_THEM
    found.breaks.append(Break(kind, day, act.item, act))


@dataclass(frozen=True, slots=True)
class Pair:
    """An act and the line that it was matched with."""

    act: Act
    line: Listed


def pairs_of(sides: Sides) -> list[Pair]:
    """What was matched on the day itself, be it of that day or of an earlier one."""
    acts = {act.group.id: act for act in sides.acts if act.group is not None and act.group.day == sides.day}
    lines = {line.group.id: line for line in sides.lines if line.group is not None and line.group.day == sides.day}
    return [Pair(acts[group], lines[group]) for group in lines if group in acts]


def on_another_day(source: StatementSource, pair: Pair) -> bool:
    """Whether both have it, on days that no wrong clock explains; or the row is of another day than its file."""
    apart = abs(pair.act.sending_at - pair.line.at) > SKEW_MS + int(source.deadline_seconds * 1000)
    ours = day_of(pair.act.sending_at, source.form.zone).isoformat()
    return (ours != pair.line.file_day and apart) or pair.line.day != pair.line.file_day


def difference(act: Act, line: Listed) -> Kind | None:
    """How the two amounts differ; None when they are the same money, exactly."""
    if line.amount_minor is None or act.amount_minor is None:
        return None
    if line.currency != act.currency:
        return Kind.CURRENCY
    try:
        same = Money(act.amount_minor, act.currency, act.denomination).converted(line.denomination).amount_minor
    except ValueError:
        return Kind.AMOUNT
    if same == line.amount_minor:
        return None
    return Kind.DENOMINATION if _factor_apart(same, line.amount_minor, act.currency) else Kind.AMOUNT


def _factor_apart(ours: int, theirs: int, currency: str) -> bool:
    """Whether the two are apart by the factor between two denominations of the currency."""
    counts = {each.per_base * 10**each.exponent for each in denominations().values() if each.currency == currency}
    return any(a != b and ours * a == theirs * b for a in counts for b in counts)


def _of_line(kind: Kind, line: Listed, act: Act | None) -> Break:
    return Break(kind, line.file_day, line.item, act, line)


def references(lines: Iterable[Listed]) -> set[str]:
    """The acts that the lines name."""
    return {line.our_reference for line in lines}

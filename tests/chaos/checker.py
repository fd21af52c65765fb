"""Compares the three sides of a run and names what was lost and what was done twice. Pure: it asks nobody."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.records import Effect, Kept, Records

FINISHED = frozenset({"completed", "refused", "cancelled", "expired"})
#: What must have been done, once, for a request that is told to be completed.
DUE: Mapping[str, tuple[str, ...]] = {
    "education.secondary-certificate-copy": ("debit", "copy"),
    "transport.vehicle-statement": ("statement",),
    "takamol.family-update": ("family",),
}
#: Of a fee order, while somebody's money was taken: it was paid for, or nobody knows yet.
_MONEY_TAKEN = frozenset({"succeeded", "in_doubt"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    about: str  #: An id or a key.
    what: str

    def __str__(self) -> str:
        return f"{self.about}: {self.what}"


@dataclass(slots=True)
class Findings:
    """What the comparison found."""

    acknowledged: int = 0
    finished: int = 0
    in_doubt_now: int = 0
    in_doubt_resolved: int = 0
    parked: int = 0
    effects: int = 0
    duplicates: list[Finding] = field(default_factory=list)
    lost: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check(records: Records) -> Findings:
    """Hold the acknowledgements against the database, and the database against the ledgers."""
    told = {one.request_id for one in records.acknowledged}
    states = Counter(one.state for one in records.kept)
    return Findings(
        acknowledged=len(told),
        finished=sum(states[state] for state in FINISHED),
        in_doubt_now=states["in_doubt"],
        in_doubt_resolved=sum(one.was_in_doubt and one.state != "in_doubt" for one in records.kept),
        parked=states["parked"],
        effects=sum(one.count for one in records.effects),
        duplicates=[*_accepted_twice(records), *_done_twice(records)],
        lost=[*_forgotten(records), *_standing(records), *_untrue(records)],
        problems=list(records.problems),
    )


def _accepted_twice(records: Records) -> Iterator[Finding]:
    """A key that was answered with two requests, or under which the database holds two."""
    answers: dict[str, set[str]] = defaultdict(set)
    for one in records.acknowledged:
        answers[one.key].add(one.request_id)
    for key, ids in answers.items():
        if len(ids) > 1:
            yield Finding(key, f"one key was answered with the requests {', '.join(sorted(ids))}")
    keys = Counter(one.key for one in records.kept if one.key)
    for key, count in keys.items():
        if count > 1:
            yield Finding(key, f"the database holds {count} requests under one key")


def _done_twice(records: Records) -> Iterator[Finding]:
    """An act of a request that an institution did more than once, under one operation id or several."""
    done: dict[tuple[str, str, str], list[Effect]] = defaultdict(list)
    for effect in records.effects:
        done[effect.stem, effect.institution, effect.what].append(effect)
    kept = {one.stem: one for one in records.kept}
    for (stem, institution, what), effects in done.items():
        count = sum(effect.count for effect in effects)
        if count > 1:
            ids = ", ".join(f"{effect.operation_id} x {effect.count}" for effect in effects)
            yield Finding(_name(kept.get(stem), stem), f"{institution} did {what} {count} times ({ids})")


def _forgotten(records: Records) -> Iterator[Finding]:
    """What was acknowledged and is not there, or is there under another key."""
    kept = {one.id: one for one in records.kept}
    for one in sorted(set(records.acknowledged), key=lambda each: each.key):
        found = kept.get(one.request_id)
        if found is None:
            yield Finding(one.request_id, f"acknowledged under the key {one.key}, and not in the database")
        elif found.key != one.key:
            yield Finding(one.request_id, f"acknowledged under the key {one.key}, kept under {found.key or 'none'}")


def _standing(records: Records) -> Iterator[Finding]:
    """What is neither finished, nor in doubt with somebody who will ask or tell, nor parked with a reason."""
    for one in records.kept:
        if one.state in FINISHED:
            continue
        if one.state == "parked":
            if not one.reason:
                yield Finding(_name(one), "parked without a reason")
        elif one.state == "in_doubt":
            if not (one.scheduled or one.by_statement):
                yield Finding(_name(one), "in doubt, and nobody will ask")
        else:
            going = "though a job is scheduled" if one.scheduled else "and no job is scheduled"
            yield Finding(_name(one), f"not finished in time, {going}")


def _untrue(records: Records) -> Iterator[Finding]:
    """What a citizen was told and is not so by the institutions' own ledgers."""
    done: dict[str, set[str]] = defaultdict(set)
    for effect in records.effects:
        done[effect.stem].add(effect.what)
    for one in records.kept:
        acts = done.pop(one.stem, set())
        if one.state == "completed":
            for missing in sorted(set(DUE.get(one.service, ())) - acts):
                yield Finding(_name(one), f"told to be completed, and no ledger has its {missing}")
        elif one.state in FINISHED:
            for act in sorted(acts - {"debit"}):
                yield Finding(_name(one), f"told to be {one.state}, and a ledger has its {act}")
        if "debit" in acts and one.intent not in _MONEY_TAKEN:
            yield Finding(_name(one), "the wallet debited the citizen, and the gateway says it was not paid")
        if one.intent == "succeeded" and "debit" not in acts:
            yield Finding(_name(one), "told to be paid, and the wallet debited nothing")
    for stem, acts in done.items():
        yield Finding(stem, f"done ({', '.join(sorted(acts))}) for a request that the database does not have")


def _name(one: Kept | None, stem: str = "") -> str:
    """Its id and what is known of it."""
    if one is None:
        return stem
    reason = f", {one.reason}" if one.reason else ""
    return f"{one.id} ({one.service}, {one.state}{reason}, key {one.key or 'none'})"

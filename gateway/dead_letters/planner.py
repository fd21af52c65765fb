"""Decides what a replay of a parked request would mean: safe, ask first, unsafe, or done already. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.kit.contract import Effect, Operation
from mappings.status import FINAL, Attempt, Request

#: Of an attempt whose truth is not known, or not final.
OPEN = frozenset({Attempt.SENDING, Attempt.PENDING, Attempt.IN_DOUBT, Attempt.REVIEW})


class Sort(StrEnum):
    """What a replay would mean."""

    SAFE = "safe"  #: Nothing arrived, or a repeat does nothing twice: it is sent again.
    INQUIRE_FIRST = (
        "inquire_first"  #: It may have arrived: the institution is asked, and nothing is sent before it tells.
    )
    UNSAFE = "unsafe"  #: It may have arrived and nobody can be asked, or only the citizen can repeat it: two people.
    DONE = "done"  #: It is over, or goes on by itself.


@dataclass(frozen=True, slots=True)
class Seen:
    """One attempt of a dead letter."""

    id: str
    connector: str
    operation: str
    state: Attempt
    moves_money: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A request that the machine gave up on, as the planner needs it. Times are milliseconds since 1970 UTC."""

    id: str
    service: str
    state: Request
    reason: str
    step: int
    lane: str  #: Of what was to be done last; "" when there is no job.
    mapping_version: str  #: That the request started with.
    created_at: int
    state_since: int
    attempts: Sequence[Seen]  #: Oldest first.


@dataclass(frozen=True, slots=True)
class Known:
    """What this installation's packages and services say now."""

    operations: Mapping[str, Operation]  #: By lane, "connector.operation".
    mapping_versions: Mapping[str, str]  #: By service.


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done about one letter."""

    letter: Letter
    sort: Sort
    why: str  #: A word of WHY.
    lane: str = ""  #: Where it goes, when it may.
    attempt_id: str = ""  #: That is asked about.
    new_mapping: str = ""  #: The mapping version that would be used, when it is another one.


#: The sentences behind the sorts: Arabic, English.
WHY: Mapping[str, tuple[str, str]] = {
    "not_sent": ("لم يصل شيء إلى الجهة", "nothing reached the institution"),
    "reads_only": ("العملية قراءة فقط", "the operation only reads"),
    "key_is_honoured": ("التكرار بالمفتاح نفسه لا ينفّذ مرتين", "a repeat under the same key acts once"),
    "may_have_arrived": ("ربما وصل: تُسأل الجهة أولاً", "it may have arrived: the institution is asked first"),
    "nobody_can_be_asked": ("ربما وصل ولا يمكن سؤال أحد", "it may have arrived and nobody can be asked"),
    "only_the_citizen": ("لا يعيدها إلا المواطن برمز جديد", "only the citizen can repeat it, with a new code"),
    "done_by_the_institution": ("نفّذتها الجهة", "the institution has done it"),
    "finished": ("انتهى الطلب", "the request is finished"),
    "goes_on": ("الطلب يسير من تلقاء نفسه", "the request goes on by itself"),
    "operation_gone": ("العملية غير موجودة في هذا التركيب", "this installation does not have the operation"),
}


def plan(letter: Letter, known: Known) -> Planned:
    """What a replay of this letter would mean."""
    if letter.state is not Request.PARKED:
        return Planned(letter, Sort.DONE, "finished" if letter.state in FINAL else "goes_on")
    last = letter.attempts[-1] if letter.attempts else None
    lane = letter.lane if last is None or not _is_inquiry(letter.lane, known) else f"{last.connector}.{last.operation}"
    operation = known.operations.get(f"{last.connector}.{last.operation}" if last and last.state in OPEN else lane)
    if operation is None:
        return Planned(letter, Sort.UNSAFE, "operation_gone")
    new = known.mapping_versions.get(letter.service, "")
    new = new if new != letter.mapping_version else ""
    if last is None or last.state not in OPEN:
        return _closed(letter, last, lane, operation, new)
    return _open(letter, last, operation, new)


def _closed(letter: Letter, last: Seen | None, lane: str, operation: Operation, new: str) -> Planned:
    """Nothing stands open."""
    if operation.secrets:
        return Planned(letter, Sort.UNSAFE, "only_the_citizen")
    done = last is not None and last.state is Attempt.SUCCEEDED and lane == f"{last.connector}.{last.operation}"
    if done and operation.effect is not Effect.SAFE:
        return Planned(letter, Sort.DONE, "done_by_the_institution")
    return Planned(letter, Sort.SAFE, "not_sent", lane, new_mapping=new)


def _open(letter: Letter, last: Seen, operation: Operation, new: str) -> Planned:
    """The last exchange may have done something."""
    lane = f"{last.connector}.{operation.name}"
    if operation.effect is Effect.SAFE:
        return Planned(letter, Sort.SAFE, "reads_only", lane, new_mapping=new)
    if operation.inquire:
        ask = f"{last.connector}.{operation.inquire}"
        return Planned(letter, Sort.INQUIRE_FIRST, "may_have_arrived", ask, last.id, new)
    if operation.effect is Effect.IDEMPOTENT and last.state is not Attempt.PENDING and not last.moves_money:
        return Planned(letter, Sort.SAFE, "key_is_honoured", lane, new_mapping=new)
    return Planned(letter, Sort.UNSAFE, "nobody_can_be_asked")


def _is_inquiry(lane: str, known: Known) -> bool:
    operation = known.operations.get(lane)
    return operation is not None and operation.role == "inquire"


def summary(planned: Iterable[Planned]) -> dict[str, Any]:
    """How many of each sort, and which mapping versions would change."""
    sorts: Counter[str] = Counter()
    mappings: Counter[tuple[str, str]] = Counter()
    for each in planned:
        sorts[each.sort.value] += 1
        if each.new_mapping:
            mappings[each.letter.mapping_version, each.new_mapping] += 1
    return {
        **{sort.value: sorts[sort.value] for sort in Sort},
        "mappings": [{"from": old, "to": new, "count": count} for (old, new), count in sorted(mappings.items())],
    }

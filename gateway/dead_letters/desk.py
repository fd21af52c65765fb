"""What operators do about dead letters: list them, look at one, plan a replay, and let it happen, throttled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.registry import Package
from gateway.catalogue import Catalogue
from gateway.dead_letters.planner import WHY, Known, Planned, Sort, plan, summary
from gateway.moments import iso
from gateway.representation import reason
from gateway.store.dead_letters import Choice, Replaying, find_letters, letters_of, replay
from gateway.store.engine import Store
from gateway.testing import name_apart

#: A selection that is larger is taken in parts.
MOST = 10_000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Order:
    """Who lets a replay happen, why, and how fast."""

    PER_SECOND: ClassVar[float] = 5.0

    by: str
    reason: str
    per_second: float = PER_SECOND
    accept_new_mapping: bool = False  #: Also what would be sent with another mapping than it started with.


def known_of(catalogue: Catalogue, packages: Mapping[str, Package]) -> Known:
    """What packages and services say now, set up here or not."""
    operations = {}
    for name, package in packages.items():
        for operation, declared in package.manifest.operations.items():
            for called in (name, name_apart(name)):
                operations[f"{called}.{operation}"] = declared.as_operation(operation)
    versions = {}
    for service in catalogue:
        used = dict.fromkeys(step.connector for step in service.steps if step.connector)
        if all(name in packages for name in used):
            versions[service.id] = ",".join(f"{name}@{packages[str(name)].manifest.version}" for name in used)
    return Known(operations, versions)


class DeadLetters:
    """The desk over one store."""

    def __init__(self, store: Store, known: Known) -> None:
        self._store, self.known = store, known

    async def parked(self, choice: Choice, limit: int, after: str | None = None) -> list[Planned]:
        """The parked requests of the choice, oldest first, each with what a replay would mean."""
        ids = await self._store.read(find_letters, choice, limit, after)
        return await self.plan(ids)

    async def plan(self, ids: Sequence[str]) -> list[Planned]:
        """What a replay of each would mean, in the order given; ids that no request has are left out."""
        planned: list[Planned] = []
        for first in range(0, len(ids), _BATCH):
            letters = await self._store.read(letters_of, ids[first : first + _BATCH])
            planned += [plan(letter, self.known) for letter in letters]
        return planned

    async def choose(self, choice: Choice, ids: Sequence[str]) -> list[Planned]:
        """The ids that are given, or else all of the choice, MOST at a time."""
        chosen = list(dict.fromkeys(ids)) if ids else await self._store.read(find_letters, choice, MOST, None)
        return await self.plan(chosen[:MOST])

    async def replay(self, planned: Sequence[Planned], order: Order) -> dict[str, int]:
        """Let what is safe, and what may be asked about, go on at the order's pace; how many of each sort went.

        What is unsafe or done stays as it is, and so does what would be sent with another mapping, unless the order
        accepts that. A request that moved on meanwhile is left alone.
        """
        going = [each for each in planned if self.goes(each, order)]
        counts = dict.fromkeys((sort.value for sort in Sort), 0)
        for first in range(0, len(going), _BATCH):
            rows = [
                Replaying(
                    each.letter.id,
                    each.lane,
                    ask_about=each.attempt_id,
                    delay_ms=int(1000 * number / order.per_second),
                    facts={
                        "by": order.by,
                        "because": order.reason,
                        "sort": each.sort.value,
                        **({"mapping": each.new_mapping} if each.new_mapping else {}),
                    },
                )
                for number, each in enumerate(going[first : first + _BATCH], start=first)
            ]
            went = await self._store.write(replay, rows)
            for each in going[first : first + _BATCH]:
                counts[each.sort.value] += each.letter.id in went
        return counts

    @staticmethod
    def goes(planned: Planned, order: Order) -> bool:
        """Whether a replay touches it."""
        may = planned.sort in (Sort.SAFE, Sort.INQUIRE_FIRST)
        return may and (order.accept_new_mapping or not planned.new_mapping)


def shown(planned: Planned) -> dict[str, Any]:
    """A dead letter as operators see it; nothing personal."""
    letter = planned.letter
    ar, en = WHY[planned.why]
    return {
        "id": letter.id,
        "service": letter.service,
        "state": letter.state.value,
        "since": iso(letter.state_since),
        "reason": reason(letter.reason or None),
        "replay": {
            "sort": planned.sort.value,
            "code": planned.why,
            "why": {"ar": ar, "en": en},
            "lane": planned.lane or None,
        },
        "mapping": {"from": letter.mapping_version, "to": planned.new_mapping or letter.mapping_version},
        "attempts": [
            {"connector": each.connector, "operation": each.operation, "state": each.state.value}
            for each in letter.attempts
        ],
        "links": {"request": f"/v1/requests/{letter.id}", "decide": f"/v1/admin/doubts/{letter.id}"},
    }


def shown_plan(planned: Sequence[Planned], *, most: int = 100) -> dict[str, Any]:
    """A plan: how many of each sort, and the first ones."""
    return {"summary": summary(planned), "items": [shown(each) for each in planned[:most]], "count": len(planned)}

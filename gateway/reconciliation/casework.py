"""What operators do about breaks: the rules over the store, and how a break looks to them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from gateway.errors import Problem
from gateway.logs import log
from gateway.moments import iso
from gateway.reconciliation.breaks import EXPECTED, WORDS, Kind
from gateway.reconciliation.days import bucket_of, business_days, day_of
from gateway.reconciliation.sources import StatementSource
from gateway.representation import money
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.reconciliation import casework
from gateway.store.reconciliation.breaks import ASSIGNED, CLOSED, OPEN
from gateway.store.reconciliation.casework import BreakFilters, Case, Note
from mappings.money import Money

STATES = (OPEN, ASSIGNED, CLOSED)
LONGEST = 2000  #: Of a note or a reason, in characters.


class BreakDesk:
    """The desk at which breaks are worked on."""

    def __init__(self, store: Store, sources: Sequence[StatementSource], clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._zones = {source.name: source.form.zone for source in sources}

    async def list(self, filters: BreakFilters, after: str | None, limit: int) -> list[dict[str, Any]]:
        """A page of breaks, of the oldest day first."""
        cases = await self._store.read(casework.find_breaks, filters, after, limit)
        return [self._shown(case) for case in cases]

    async def one(self, break_id: str) -> dict[str, Any]:
        """One break and what was done about it. Raises Problem."""
        return self._whole(await self._case(break_id))

    async def assign(self, break_id: str, owner: str, text: str, by: str) -> dict[str, Any]:
        """Give it to somebody. Raises Problem."""
        await self._open(break_id)
        return self._done("assigned", await self._store.write(casework.assign, break_id, owner, text, by))

    async def note(self, break_id: str, text: str, by: str) -> dict[str, Any]:
        """Write a note, also about one that is closed. Raises Problem."""
        await self._case(break_id)
        return self._done("noted", await self._store.write(casework.annotate, break_id, text, by))

    async def close(self, break_id: str, text: str, by: str) -> dict[str, Any]:
        """Close it for good, from today's report on. Raises Problem: what only awaits its day's file is not closed."""
        case = await self._open(break_id)
        if Kind(case.type) in EXPECTED:
            raise Problem("break_expected")
        today = self._today(case).isoformat()
        closed = await self._store.write(casework.close, break_id, case.type, today, text, by)
        return self._done("closed", closed)

    async def _open(self, break_id: str) -> Case:
        case = await self._case(break_id)
        if case.state == CLOSED:
            raise Problem("break_closed")
        return case

    async def _case(self, break_id: str) -> Case:
        case: Case | None = await self._store.read(casework.find_break, break_id)
        if case is None:
            raise Problem("not_found")
        return case

    def _done(self, what: str, case: Case | None) -> dict[str, Any]:
        if case is None:  # somebody was faster, or a run has made another type of it
            raise Problem("break_changed")
        log.info("break_worked_on", code=what, connector=case.source.partition(".")[0], kind=case.type)
        return self._whole(case)

    def _today(self, case: Case) -> date:
        return day_of(self._clock.now_ms(), self._zones.get(case.source, "UTC"))

    def _whole(self, case: Case) -> dict[str, Any]:
        return self._shown(case) | {"notes": [_note(each) for each in case.notes]}

    def _shown(self, case: Case) -> dict[str, Any]:
        ar, en = WORDS[Kind(case.type)]
        age = business_days(date.fromisoformat(case.day), self._today(case))
        return {
            "id": case.id,
            "type": case.type,
            "title": {"ar": ar, "en": en},
            "expected": Kind(case.type) in EXPECTED,
            "source": case.source,
            "leg": case.leg,
            "day": case.day,
            "age_business_days": age,
            "age_bucket": bucket_of(age),
            "amount": _amount(case),
            "request": case.request_id,
            "state": case.state,
            "owner": case.owner,
            "first_seen": iso(case.first_seen),
            "closed_day": case.closed_day,
            "days_late": case.days_late,
        }


def _amount(case: Case) -> dict[str, Any] | None:
    if case.amount_minor is None or case.denomination is None:
        return None
    return money(Money(case.amount_minor, case.currency or "", case.denomination))


def _note(note: Note) -> dict[str, Any]:
    return {"kind": note.kind, "by": note.by, "text": note.text, "owner": note.owner, "at": iso(note.at)}

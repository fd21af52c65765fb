"""The run of a day: take files in, match, close what is in doubt, and write the report; each step may be repeated."""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gateway import crash
from gateway.logs import log
from gateway.packed import pack
from gateway.reconciliation.breaks import TOLD_ONCE, Break, Kind
from gateway.reconciliation.casework import BreakDesk
from gateway.reconciliation.closing import Closer
from gateway.reconciliation.days import bounds, day_of
from gateway.reconciliation.intake import Intake, Taken, Waiting, strays, waiting
from gateway.reconciliation.matching import Found, Sides, match, on_another_day, pairs_of, references
from gateway.reconciliation.report import ENGINE, SourceDay, amount_in, checksum_of, report_of, text_of
from gateway.reconciliation.sources import StatementSource
from gateway.settings_rules import RECONCILED_DAYS
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.reconciliation import breaks as kept_breaks
from gateway.store.reconciliation import files, results, sides
from gateway.store.reconciliation.breaks import NewBreak
from gateway.store.reconciliation.files import Source
from gateway.store.reconciliation.results import NewGroup, Run

_AT_ONCE = 200
_LOOKED_BACK = timedelta(days=RECONCILED_DAYS)  #: How far back a file may lie that an act still in doubt needs.


@dataclass(slots=True)
class Closed:
    """How many acts in doubt were told what was decided, and how many could not be told now."""

    done: int = 0
    not_done: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Told:
    """What a whole run did."""

    taken: list[Taken] = field(default_factory=list)
    closed: Closed = field(default_factory=Closed)
    run: Run | None = None


class Reconciler:
    """Everything that reconciliation does, over one store."""

    def __init__(
        self, store: Store, sources: Sequence[StatementSource], closer: Closer, clock: Clock, folder: Path
    ) -> None:
        self.sources = tuple(sources)
        self.folder = folder
        self._store, self._closer, self._clock = store, closer, clock
        self._intake = Intake(store, clock)
        self.breaks = BreakDesk(store, self.sources, clock)

    def waiting(self) -> list[Waiting]:
        """The files that lie in the folder now."""
        return list(waiting(self.folder, self.sources))

    def strays(self) -> list[str]:
        """Files that lie in the folder where nobody looks for them."""
        return strays(self.folder, self.sources)

    def yesterday(self) -> date:
        """The last day that is over for every source."""
        now = self._clock.now_ms()
        return min((day_of(now, source.form.zone) for source in self.sources), default=day_of(now, "UTC")) - _DAY

    async def take(self, one: Waiting, *, by: str | None = None) -> Taken:
        """Take one file in, once; `by`: an operator says that it is right where it contradicts another of its day."""
        (kept,) = await self._kept([one.source])
        return await self._intake.take(one, kept, by=by)

    async def match(self, day: date) -> int:
        """Match what there is up to that day; how many groups are new."""
        new = 0
        for source, kept in await self._both():
            groups = await self._store.read(_new_groups, source, kept, day)
            try:
                for start in range(0, len(groups), _AT_ONCE):
                    new += await self._store.write(results.write_groups, kept, groups[start : start + _AT_ONCE])
            except IntegrityError:  # another node matched the same just now; the next look finds the rest
                log.info("reconciliation_overtaken", connector=source.connector)
        crash.point("reconcile.after_match")
        return new

    async def close(self) -> Closed:
        """Tell every act in doubt what was decided about it."""
        closed = Closed()
        for source, kept in await self._both():
            async with aclosing(self._decided(source, kept)) as all_of_them:
                async for decided in all_of_them:
                    await self._close_one(source, decided, closed)
        return closed

    async def _close_one(self, source: StatementSource, decided: results.Decided, closed: Closed) -> None:
        try:
            told = await self._closer.close(source, decided)
        except Exception as error:  # noqa: BLE001 - one act that cannot be settled must not stop the others
            log.error("statement_not_applied", request_id=decided.request_id, exc_info=error)
            told = False
        if not told:
            closed.waiting += 1
        elif decided.decision == "done":
            closed.done += 1
        else:
            closed.not_done += 1

    async def _decided(self, source: StatementSource, kept: Source) -> AsyncGenerator[results.Decided, None]:
        after = ""
        while some := await self._store.read(results.decided, kept, source.form.reports, _AT_ONCE, after):
            for decided in some:
                yield decided
            after = some[-1].attempt_id

    async def conclude(self, day: date) -> Run:
        """Write the day's report from what is known; the same knowledge gives the same report, which is kept once."""
        rules = {"engine": ENGINE, "sources": [source.rules for source in self.sources]}
        ruleset = hashlib.sha256(pack(rules)).hexdigest()
        parts = [
            await self._store.read(_source_day, source, kept, day, self._clock.now_ms())
            for source, kept in await self._both()
        ]
        text = text_of(report_of(day, parts, ruleset))
        crash.point("reconcile.before_report")
        try:
            for part, kept in zip(parts, await self._kept(self.sources), strict=True):
                await self._keep_breaks(part, kept, day.isoformat())
            report = day.isoformat(), rules, ruleset, ENGINE, text, checksum_of(text)
            await self._store.write(results.save_run, *report)
        except IntegrityError:  # another node wrote it just now, from the same knowledge
            log.info("reconciliation_overtaken", schedule="reconcile")
        run: Run | None = await self._store.read(results.find_run, day.isoformat())
        assert run is not None
        return run

    async def _keep_breaks(self, part: SourceDay, kept: Source, day: str) -> None:
        """Keep what stands; close what a group or a file has by now, and, on the latest day, what stands no longer."""
        last = await self._store.read(results.last_day)
        latest = last is None or day >= last
        new = [_new_break(part, each) for each in part.breaks]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            await self._store.write(partial(kept_breaks.keep, latest=latest), kept, day, some)
        gone = {act.item for act in part.sides.acts if act.group is not None}
        gone |= {f"file:{each}" for each in part.sides.listed_days}
        stands = {each.id for each in new if each.stands}
        open_now = await self._store.read(kept_breaks.standing, kept)
        came = [each for each in open_now if each.item in gone]
        stands |= {each.id for each in came}
        over = [each for each in open_now if latest and each.day <= day and each.id not in stands]
        for reason, ended in (("the counterpart came", came), ("it no longer stands", over)):
            for start in range(0, len(ended), _AT_ONCE):
                await self._store.write(kept_breaks.close, day, ended[start : start + _AT_ONCE], reason)

    async def run(self, day: date) -> Told:
        """All of it for one day."""
        told = Told(taken=[await self.take(one) for one in self.waiting()])
        await self.match(day)
        told.closed = await self.close()
        told.run = await self.conclude(day)
        return told

    async def report(self, day: date) -> Run | None:
        """The last report of that day."""
        found: Run | None = await self._store.read(results.find_run, day.isoformat())
        return found

    async def keep_up(self) -> None:
        """What the timetable does: take in what came, and run every day that it touches or that was not run yet."""
        if not self.sources:
            return
        taken = [each for one in self.waiting() if (each := await self._take_quietly(one)) is not None]
        days = [date.fromisoformat(each.day) for each in taken if each.state == "accepted"]
        days += [date.fromisoformat(each.day) for each in taken if each.state == "refused" and each.news]
        yesterday = self.yesterday()
        last = await self._store.read(results.last_day)
        days.append(yesterday if last is None else date.fromisoformat(last) + _DAY)
        if await self._due_since(yesterday):
            days.append(yesterday)
        day = min(days)
        while day <= yesterday:
            await self.match(day)
            await self.close()
            run = await self.conclude(day)
            log.info("reconciled", schedule="reconcile", count=len(run.report["breaks"]), attempt=run.number)
            day += _DAY
        await self.close()

    async def _take_quietly(self, one: Waiting) -> Taken | None:
        try:
            return await self.take(one)
        except OSError as error:  # it is not ours to read, or it has gone: the others are taken in all the same
            log.warning("statement_unreadable", connector=one.source.connector, error_kind=type(error).__name__)
            return None

    async def _due_since(self, day: date) -> bool:
        """Whether a file of that day has fallen due since the day was run."""
        run = await self.report(day)
        now = self._clock.now_ms()
        return run is not None and any(run.as_of < _due_at(source, day) <= now for source in self.sources)

    async def _both(self) -> list[tuple[StatementSource, Source]]:
        return list(zip(self.sources, await self._kept(self.sources), strict=True))

    async def _kept(self, sources: Sequence[StatementSource]) -> list[Source]:
        wanted = tuple((source.connector, source.statement, source.leg) for source in sources)
        found: list[Source] = await self._store.write(files.sources_of, wanted)
        return found


_DAY = timedelta(days=1)


def _sides(conn: Connection, source: StatementSource, kept: Source, day: date) -> Sides:
    """Both sides when `day` ends: what is of that day, what earlier days left, and every act that a line names."""
    name, operation = day.isoformat(), source.form.reports
    lines = [*sides.lines_left(conn, kept, name), *sides.lines_of(conn, kept, name)]
    since, until = bounds(day - _DAY, source.form.zone)[0], bounds(day, source.form.zone)[1]
    acts = {act.operation_id: act for act in sides.acts_between(conn, kept, operation, since, until)}
    more = (references(lines) | set(sides.carried_acts(conn, kept, name))) - set(acts)
    acts |= {act.operation_id: act for act in sides.acts_named(conn, kept, operation, more)}
    listed = files.accepted_days(conn, kept.id, (day - _LOOKED_BACK).isoformat(), name)
    return Sides(name, tuple(acts.values()), tuple(lines), frozenset(listed))


def _new_groups(conn: Connection, source: StatementSource, kept: Source, day: date) -> list[NewGroup]:
    return match(source, _sides(conn, source, kept, day)).groups


def _due_at(source: StatementSource, day: date) -> int:
    """When the day's file should be here."""
    return bounds(day, source.form.zone)[1] + int(source.form.due_hours * 3_600_000)


def _source_day(conn: Connection, source: StatementSource, kept: Source, day: date, now: int) -> SourceDay:
    """The day as it stands once everything is matched."""
    both = _sides(conn, source, kept, day)
    found: Found = match(source, both)
    breaks = list(found.breaks)
    breaks += [
        Break(Kind.WRONG_DAY, both.day, f"day:{pair.act.operation_id}", pair.act, pair.line)
        for pair in pairs_of(both)
        if on_another_day(source, pair)
    ]
    due_at = _due_at(source, day)
    missing = [each for each in kept_breaks.open_file_breaks(conn, kept, both.day) if each not in both.listed_days]
    if both.day not in both.listed_days and now >= due_at:
        missing.append(both.day)
    breaks += [Break(Kind.FILE_MISSING, each, f"file:{each}") for each in missing]
    settled = kept_breaks.settled_by_people(conn, kept, both.day)
    breaks = [each for each in breaks if (each.id_of(source.name), each.kind.value) not in settled]
    return SourceDay(source, both, tuple(breaks), files.files_of(conn, kept.id, both.day))


def _new_break(part: SourceDay, each: Break) -> NewBreak:
    ours = amount_in(part.source, each.act) if each.act is not None else None
    theirs = each.line.amount_minor if each.line is not None else None
    money = part.source.form.money
    return NewBreak(
        id=each.id_of(part.source.name),
        item=each.line.key if each.line is not None and each.item.startswith("line:") else each.item,
        type=each.kind.value,
        day=each.day,
        amount_minor=theirs if theirs is not None else ours,
        currency=money.currency if money else "",
        denomination=money.denomination if money else "",
        request_id=each.act.request_id if each.act is not None else None,
        stands=each.kind not in TOLD_ONCE,
    )

"""Takes files in from the drop folder: each once, whole, or refused by name, and then nothing of it is kept.

The folder has a folder per source, `CONNECTOR/STATEMENT/`, where SFTP or an upload puts the files; they are only read.
"""

import asyncio
import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from io import BufferedReader
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from connectors.kit.statements.cells import Line
from connectors.kit.statements.reading import MAX_BYTES, Reading
from connectors.kit.statements.refusal import StatementRefused
from gateway import crash
from gateway.logs import log
from gateway.reconciliation.days import day_of
from gateway.reconciliation.sources import StatementSource
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.reconciliation import files as store_of
from gateway.store.reconciliation import taking
from gateway.store.reconciliation.files import NewFile, Refusal, Source

_DAY = re.compile(r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])")
#: What is on its way into the folder.
_UNFINISHED = (".part", ".tmp", ".filepart")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that lies in the folder."""

    source: StatementSource
    path: Path


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file."""

    source: str
    name: str
    state: str  #: accepted | known | refused
    day: str
    lines: int = 0
    problem: Refusal | None = None
    news: bool = True  #: False: it had been refused for this reason before.


def waiting(folder: Path, sources: tuple[StatementSource, ...]) -> Iterator[Waiting]:
    """The files of every source, in the order of their names; hidden and unfinished ones are left alone."""
    for source in sources:
        place = folder / source.connector / source.statement
        if not place.is_dir():
            continue
        for path in sorted(place.iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED:
                yield Waiting(source, path)


def strays(folder: Path, sources: tuple[StatementSource, ...]) -> list[str]:
    """Files that lie where no source looks for them, by their place in the folder."""
    if not folder.is_dir():
        return []
    places = {(source.connector, source.statement) for source in sources}
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[:-1] not in places and not path.name.startswith("."))


class Intake:
    """The door for statements."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def take(self, one: Waiting, kept: Source, *, by: str | None = None) -> Taken:
        """Take one file in; the same bytes again change nothing. `by` is an operator who says that it is the right one.

        Raises OSError when it cannot be read, or changes while it is.
        """
        with await asyncio.to_thread(one.path.open, "rb") as content:
            size, digest = await asyncio.to_thread(_measured, content)
            if await self._store.read(store_of.is_known, kept.id, digest):
                return Taken(one.source.name, one.path.name, "known", "")
            reading = Reading(content, one.source.form, one.source.owner, one.source.headings)
            file = NewFile(one.path.name, digest, size, day="")
            try:
                await asyncio.to_thread(_read_through, reading, size)
                self._require_day(reading.day, one.path.name, one.source)
            except StatementRefused as refusal:
                return await self._refuse(one.source, kept, file, Refusal(refusal.code, refusal.line, refusal.facts))
            crash.point("reconcile.before_intake")
            return await self._store_lines(one.source, kept, content, reading, file, by)

    async def _store_lines(
        self,
        source: StatementSource,
        kept: Source,
        content: BufferedReader,
        reading: Reading,
        file: NewFile,
        by: str | None,
    ) -> Taken:
        """The second pass: every line into the store, unseen, and then all of them count, or none."""
        money = source.form.money
        file = replace(file, day=reading.day.isoformat())
        if money is not None:
            file = replace(file, currency=money.currency, denomination=money.denomination)
        for left in await self._store.read(taking.abandoned, kept):
            await self._drop(left)
        file_id = await self._store.write(taking.begin, kept, file)
        told: Refusal | str = ""
        try:
            again = Reading(content, source.form, source.owner, source.headings)
            lines = iter(again)
            while some := await asyncio.to_thread(_next, lines):
                await self._store.write(taking.add_lines, kept, file, file_id, some)
            if (await asyncio.to_thread(_measured, content))[1] != file.sha256:
                raise OSError(f"{file.name} changes while it is read")
            crash.point("reconcile.within_intake")
            totals = reading.count, reading.amount_minor, reading.fee_minor
            told = await self._store.write(taking.finish, kept, file, file_id, totals, by)
        except IntegrityError:  # another node took it in just now
            log.info("reconciliation_overtaken", connector=source.connector)
        except StatementRefused as refusal:  # the first pass had seen other bytes
            raise OSError(f"{file.name} changes while it is read") from refusal
        finally:
            if told != store_of.ACCEPTED:
                await self._drop(file_id)
        if isinstance(told, Refusal):
            return await self._refuse(source, kept, file, told)
        if told != store_of.ACCEPTED:
            return Taken(source.name, file.name, "known", "")
        crash.point("reconcile.after_intake")
        log.info("statement_taken", connector=source.connector, kind=source.statement, count=reading.count)
        return Taken(source.name, file.name, "accepted", file.day, reading.count)

    async def _drop(self, file_id: str) -> None:
        while await self._store.write(taking.drop, file_id):
            pass

    def _require_day(self, day: date, name: str, source: StatementSource) -> None:
        """The day is over, and it is the one that the file's name says. Raises StatementRefused."""
        named = _day_in(name)
        if named is not None and named != day:
            raise StatementRefused("day_differs", 0, day=day.isoformat(), rows=named.isoformat())
        if day >= day_of(self._clock.now_ms(), source.form.zone):
            raise StatementRefused("day_not_over", 0, day=day.isoformat())

    async def _refuse(self, source: StatementSource, kept: Source, file: NewFile, problem: Refusal) -> Taken:
        came = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()
        day = file.day or (_day_in(file.name) or came).isoformat()
        news = await self._store.write(store_of.refuse, kept, replace(file, day=day), problem)
        if news:
            log.warning("statement_refused", connector=source.connector, kind=source.statement, code=problem.code)
        return Taken(source.name, file.name, "refused", day, problem=problem, news=news)


def _day_in(name: str) -> date | None:
    match = _DAY.search(name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _measured(content: BufferedReader) -> tuple[int, str]:
    """Its size, and SHA-256 of its bytes."""
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256")
    return content.tell(), digest.hexdigest()


def _read_through(reading: Reading, size: int) -> None:
    """The whole file without keeping a line: afterwards its totals are known to add up. Raises StatementRefused."""
    if size > MAX_BYTES:
        raise StatementRefused("file_too_large", bytes=size, limit=MAX_BYTES)
    for _ in reading:
        pass


def _next(lines: Iterator[Line]) -> list[Line]:
    return list(itertools.islice(lines, taking.AT_ONCE))

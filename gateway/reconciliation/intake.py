"""Takes files in from the drop folder: each once, whole, or refused by name, and then nothing of it is kept.

The folder has a folder per source, `CONNECTOR/STATEMENT/`, where SFTP or an upload puts the files; they are only read.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from connectors.kit.statements.reading import MAX_BYTES, Statement, read_statement
from connectors.kit.statements.refusal import StatementRefused
from gateway import crash
from gateway.logs import log
from gateway.reconciliation.days import day_of
from gateway.reconciliation.sources import StatementSource
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.reconciliation import files as store_of
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

    async def take(self, one: Waiting, kept: Source) -> Taken:
        """Take one file in; the same bytes again change nothing. Raises OSError when it cannot be read."""
        source, name = one.source, one.path.name
        content = await asyncio.to_thread(_read, one.path)
        digest = hashlib.sha256(content).hexdigest()
        if await self._store.read(store_of.state_of, kept.id, digest) == store_of.ACCEPTED:
            return Taken(source.name, name, "known", "")
        try:
            statement = await asyncio.to_thread(
                read_statement, content, source.form, owner=source.owner, headings=source.headings
            )
            self._require_day(statement, name, source)
        except StatementRefused as refusal:
            problem = Refusal(refusal.code, refusal.line, refusal.facts)
            return await self._refuse(source, kept, name, digest, len(content), problem)
        money = source.form.money
        file = NewFile(
            name,
            digest,
            len(content),
            statement.day.isoformat(),
            money.currency if money else None,
            money.denomination if money else None,
        )
        crash.point("reconcile.before_intake")
        try:
            taken = await self._store.write(store_of.accept, kept, file, statement)
        except IntegrityError:  # another node took it in just now
            return Taken(source.name, name, "known", "")
        if taken is not None:
            return await self._refuse(source, kept, name, digest, len(content), taken)
        crash.point("reconcile.after_intake")
        log.info("statement_taken", connector=source.connector, kind=source.statement, count=len(statement.lines))
        return Taken(source.name, name, "accepted", file.day, len(statement.lines))

    def _require_day(self, statement: Statement, name: str, source: StatementSource) -> None:
        """The day is over, and it is the one that the file's name says. Raises StatementRefused."""
        named = _day_in(name)
        if named is not None and named != statement.day:
            raise StatementRefused("day_differs", 0, day=statement.day.isoformat(), rows=named.isoformat())
        if statement.day >= day_of(self._clock.now_ms(), source.form.zone):
            raise StatementRefused("day_not_over", 0, day=statement.day.isoformat())

    async def _refuse(
        self, source: StatementSource, kept: Source, name: str, digest: str, size: int, problem: Refusal
    ) -> Taken:
        day = (_day_in(name) or datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()).isoformat()
        news = await self._store.write(store_of.refuse, kept, NewFile(name, digest, size, day), problem)
        if news:
            log.warning("statement_refused", connector=source.connector, kind=source.statement, code=problem.code)
        return Taken(source.name, name, "refused", day, problem=problem, news=news)


def _day_in(name: str) -> date | None:
    match = _DAY.search(name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _read(path: Path) -> bytes:
    """Its bytes, and no more than one beyond what is read at all."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)

"""Several files of one day: which of them a new one repeats, and how it takes their place without losing a match."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, literal, select, update

from gateway.store.reconciliation.files import ACCEPTED, Refusal, Source
from gateway.store.reconciliation.tables import match_groups, match_members, statement_files, statement_lines

_old, _new = statement_lines.alias("old"), statement_lines.alias("new")
_SAME = (_old.c.fingerprint == _new.c.fingerprint) & (_old.c.occurrence == _new.c.occurrence)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a new file stands to those of its day that count."""

    against: Sequence[str]  #: The ids of files of which it repeats something: it cannot count beside them.
    names: Sequence[tuple[str, str]]  #: Their names and hashes.
    sequence: int  #: Which of the day's files it becomes.
    grown: bool  #: It has every row of theirs, and more.
    same: bool  #: It says what one of them says, in other bytes.
    less: bool  #: One of them has every row of it, and more.

    def refusal(self, day: str) -> Refusal:
        """Why it is not taken in without somebody's word."""
        name, sha256 = self.names[0]
        return Refusal(
            "day_holds_more" if self.less else "day_taken", 0, {"day": day, "name": name, "sha256": sha256[:12]}
        )


def judged(conn: Connection, source: Source, day: str, file_id: str) -> Verdict:
    """How the file with these lines stands to the others of its day."""
    table = statement_files.c
    others = (table.source_id == source.id) & (table.day == day) & (table.state == ACCEPTED)
    rows = conn.execute(select(statement_files).where(others).order_by(table.sequence).with_for_update()).all()
    again = _old.c.their_reference == _new.c.their_reference
    repeated = [row for row in rows if conn.scalar(select(exists().where(_between(row.id, file_id), again)))]
    total = conn.scalar(select(func.count()).where(statement_lines.c.file_id == file_id)) or 0
    # what lists nothing says something of the whole day: it does not stand beside another file
    against = [row for row in rows if row in repeated or not row.lines] if total else rows
    shared = [conn.scalar(select(func.count()).where(_between(row.id, file_id), _SAME)) or 0 for row in against]
    kept = all(many == row.lines for many, row in zip(shared, against, strict=True))
    held = len(against) == 1 and shared[0] == total
    sequence = against[0].sequence if against else 1 + max((row.sequence for row in rows), default=0)
    return Verdict(
        against=[row.id for row in against],
        names=[(row.name, row.sha256) for row in against],
        sequence=sequence,
        grown=kept and not held,
        same=kept and held,
        less=held and not kept,
    )


def _between(old_id: str, new_id: str) -> ColumnElement[bool]:
    return (_old.c.file_id == old_id) & (_new.c.file_id == new_id)


def put_in_place_of(conn: Connection, old_ids: Sequence[str], new_id: str) -> None:
    """Rows that both have keep their matches, under the new file; a match of a row that is no more is void."""
    members, line = match_members.c, literal("line:")
    of_both = _old.c.file_id.in_(old_ids) & (_new.c.file_id == new_id) & _SAME
    its_id = func.substr(members.item, len("line:") + 1)
    now = select(line.concat(_new.c.id)).where(of_both, _old.c.id == its_id).scalar_subquery()
    theirs = (members.side == "theirs") & members.void.is_(False)
    moved = theirs & members.item.in_(select(line.concat(_old.c.id)).where(of_both))
    matched = select(_new.c.id).where(of_both, _old.c.matched)
    conn.execute(update(statement_lines).where(statement_lines.c.id.in_(matched)).values(matched=True))
    conn.execute(update(match_members).where(moved).values(item=now))
    gone: Any = select(line.concat(statement_lines.c.id)).where(statement_lines.c.file_id.in_(old_ids))
    groups = list(conn.scalars(select(members.group_id).where(theirs, members.item.in_(gone))))
    for start in range(0, len(groups), 500):
        some = groups[start : start + 500]
        conn.execute(update(match_members).where(members.group_id.in_(some)).values(void=True))
        conn.execute(update(match_groups).where(match_groups.c.id.in_(some)).values(void=True))

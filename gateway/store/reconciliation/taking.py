"""A file on its way in: its lines come in parts that nobody sees, and the last transaction makes all of them count."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from connectors.kit.statements.cells import Line
from gateway.ids import new_id
from gateway.packed import pack_text
from gateway.store.clock import now_ms
from gateway.store.reconciliation.correcting import judged, put_in_place_of
from gateway.store.reconciliation.files import (
    ACCEPTED,
    ARRIVING,
    CORRECTED,
    REFUSED,
    REPEATED,
    REPLACED,
    NewFile,
    Refusal,
    Source,
    file_row,
)
from gateway.store.reconciliation.tables import statement_files, statement_lines

#: Lines a transaction: each keeps other writers waiting.
AT_ONCE = 500
#: What a process that was killed left behind is swept away after this.
_ABANDONED_MS = 3_600_000


def begin(conn: Connection, source: Source, file: NewFile) -> str:
    """The id under which its lines come in; the file's own identity is given to it at the end."""
    file_id = new_id()
    row = file_row(conn, source, file, ARRIVING) | {"id": file_id, "lines": 0, "sha256": f"{file.sha256}:{file_id}"}
    conn.execute(insert(statement_files).values(row))
    return file_id


def add_lines(conn: Connection, source: Source, file: NewFile, file_id: str, lines: Sequence[Line]) -> None:
    """Some of its lines, in the file's order."""
    table = statement_lines.c
    said = [fingerprint_of(line, file.denomination or "") for line in lines]
    before = conn.execute(
        select(table.fingerprint, func.max(table.occurrence).label("last"))
        .where(table.file_id == file_id, table.fingerprint.in_(said))
        .group_by(table.fingerprint)
    )
    seen = Counter({row.fingerprint: row.last for row in before})
    rows = []
    for line, fingerprint in zip(lines, said, strict=True):
        seen[fingerprint] += 1
        rows.append(
            _line_row(source, file, file_id, line) | {"fingerprint": fingerprint, "occurrence": seen[fingerprint]}
        )
    conn.execute(insert(statement_lines), rows)


def finish(
    conn: Connection, source: Source, file: NewFile, file_id: str, totals: tuple[int, int, int], by: str | None
) -> Refusal | str:
    """Make the file count (`accepted`), or say why it cannot, or that it says nothing new: then `drop` its lines.

    Of a day that has files already it is another one when it repeats nothing of theirs; it takes the place of those of
    which it has every row, and more; and of those that it contradicts only on the word of an operator, `by`. Raises
    IntegrityError when the same bytes came in by another way meanwhile.
    """
    table = statement_files.c
    mine = (table.source_id == source.id) & (table.sha256 == file.sha256)
    conn.execute(delete(statement_files).where(mine, table.state.in_((REFUSED, REPLACED))))
    verdict = judged(conn, source, file.day, file_id)
    if verdict.same:
        conn.execute(update(statement_files).where(table.id == file_id).values(state=REPEATED, sha256=file.sha256))
        return REPEATED
    if verdict.against and not verdict.grown and by is None:
        return verdict.refusal(file.day)
    if verdict.against:
        put_in_place_of(conn, verdict.against, file_id)
        corrected = {"code": CORRECTED, "line": 0, "facts": {"by": by or "reconciliation", "sha256": file.sha256[:12]}}
        old = table.id.in_(verdict.against)
        conn.execute(update(statement_files).where(old).values(state=CORRECTED, problem=pack_text(corrected)))
    same_name = (table.source_id == source.id) & (table.name == file.name) & (table.state == REFUSED)
    conn.execute(update(statement_files).where(same_name).values(state=REPLACED))
    count, amount, fee = totals
    values = {"state": ACCEPTED, "sha256": file.sha256, "lines": count, "sequence": verdict.sequence}
    if file.currency:
        values |= {"amount_minor": amount, "fee_minor": fee}
    conn.execute(update(statement_files).where(table.id == file_id).values(values))
    return ACCEPTED


def drop(conn: Connection, file_id: str) -> bool:
    """Take some lines back that never counted, at last the file unless it is known; False once nothing is left."""
    table, file = statement_lines.c, statement_files.c
    if conn.scalar(select(file.state).where(file.id == file_id)) not in (ARRIVING, REPEATED):
        return False
    some = select(table.id).where(table.file_id == file_id).limit(AT_ONCE)
    if conn.execute(delete(statement_lines).where(table.id.in_(some))).rowcount:
        return True
    conn.execute(delete(statement_files).where(file.id == file_id, file.state == ARRIVING))
    return False


def abandoned(conn: Connection, source: Source) -> list[str]:
    """The ids of files whose intake was killed."""
    table = statement_files.c
    old = (table.state == ARRIVING) & (table.received_at < now_ms(conn) - _ABANDONED_MS)
    return list(conn.scalars(select(table.id).where(table.source_id == source.id, old)))


def _line_row(source: Source, file: NewFile, file_id: str, line: Line) -> dict[str, Any]:
    return {
        "id": new_id(),
        "file_id": file_id,
        "source_id": source.id,
        "file_day": file.day,
        "number": line.number,
        "our_reference": line.our_reference,
        "their_reference": line.their_reference,
        "at": line.at,
        "day": line.day.isoformat(),
        "amount_minor": line.amount_minor,
        "fee_minor": line.fee_minor,
        "currency": file.currency,
        "denomination": file.denomination,
        "raw": line.raw.encode(),
        "matched": False,
    }


def fingerprint_of(line: Line, denomination: str) -> str:
    """What the row says, without where it stands."""
    said = (line.our_reference, line.their_reference, line.at, line.amount_minor, line.fee_minor, denomination)
    return hashlib.sha256(repr(said).encode()).hexdigest()

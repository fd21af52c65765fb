"""What a run found: groups of items that belong together, and the report as it was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ids import new_id
from gateway.packed import pack_text
from gateway.store.callbacks import hold, let_go
from gateway.store.clock import now_ms
from gateway.store.exchanges import find_attempt
from gateway.store.reconciliation.files import Source
from gateway.store.reconciliation.tables import (
    match_groups,
    match_members,
    recon_rulesets,
    recon_runs,
    statement_files,
    statement_lines,
)
from gateway.store.tables import attempts, evidence
from gateway.work import OpenAttempt, Work
from mappings.status import Attempt

_DOUBTFUL = (Attempt.IN_DOUBT.value, Attempt.REVIEW.value, Attempt.PENDING.value)


@dataclass(frozen=True, slots=True)
class NewGroup:
    """Items that belong together, about to be written."""

    rule: str
    day: str
    ours: tuple[str, ...]  #: Items.
    theirs: tuple[str, ...]
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """An act in doubt about which a statement decides."""

    attempt_id: str
    operation_id: str
    request_id: str
    decision: str
    file: str
    sha256: str
    line: int
    their_reference: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one day, as it is kept."""

    day: str
    number: int
    as_of: int  #: When it was run last, in milliseconds since 1970 UTC; no part of the report.
    report: dict[str, Any]
    checksum: str


def write_groups(conn: Connection, source: Source, groups: Sequence[NewGroup]) -> int:
    """Write the groups; how many. Raises IntegrityError when an item is in a live group by now: another run was faster.

    Whoever has many writes them a few at a time, since each of these transactions keeps other writers waiting.
    """
    if not groups:
        return 0
    now = now_ms(conn)
    named = [(new_id(), group) for group in groups]
    conn.execute(insert(match_groups), [_group_row(source, group_id, group, now) for group_id, group in named])
    members = [
        {"group_id": group_id, "item": item, "leg": source.leg, "side": side, "void": False}
        for group_id, group in named
        for side, items in (("ours", group.ours), ("theirs", group.theirs))
        for item in items
    ]
    conn.execute(insert(match_members), members)
    lines = [item.removeprefix("line:") for group in groups for item in group.theirs]
    if lines:
        conn.execute(update(statement_lines).where(statement_lines.c.id.in_(lines)).values(matched=True))
    return len(groups)


def _group_row(source: Source, group_id: str, group: NewGroup, now: int) -> dict[str, Any]:
    return {
        "id": group_id,
        "leg": source.leg,
        "source_id": source.id,
        "day": group.day,
        "rule": group.rule,
        "decision": group.decision,
        "void": False,
        "created_at": now,
    }


def decided(conn: Connection, source: Source, operation: str, limit: int, after: str = "") -> list[Decided]:
    """Acts still in doubt about which a group decides, by attempt id."""
    ours, theirs = match_members.alias("ours"), match_members.alias("theirs")
    told = exists().where(evidence.c.attempt_id == attempts.c.id, evidence.c.source == "statement")
    query = (
        select(attempts.c.id, attempts.c.operation_id, attempts.c.request_id, match_groups.c.decision)
        .add_columns(statement_lines.c.number, statement_lines.c.their_reference)
        .add_columns(statement_files.c.name, statement_files.c.sha256)
        .join(ours, ours.c.group_id == match_groups.c.id)
        .join(attempts, attempts.c.operation_id == func.substr(ours.c.item, len("act:") + 1))
        .outerjoin(theirs, (theirs.c.group_id == match_groups.c.id) & (theirs.c.side == "theirs"))
        .outerjoin(statement_lines, statement_lines.c.id == func.substr(theirs.c.item, len("line:") + 1))
        .outerjoin(statement_files, statement_files.c.id == statement_lines.c.file_id)
        .where(
            match_groups.c.source_id == source.id,
            match_groups.c.decision.is_not(None),
            match_groups.c.void.is_(False),
            ours.c.side == "ours",
            attempts.c.connector == source.connector,
            attempts.c.operation == operation,
            attempts.c.state.in_(_DOUBTFUL),
            attempts.c.id > after,
            ~told,
        )
        .order_by(attempts.c.id)
        .limit(limit)
    )
    return [
        Decided(
            row.id,
            row.operation_id,
            row.request_id,
            row.decision,
            row.name or "",
            row.sha256 or "",
            row.number or 0,
            row.their_reference or "",
        )
        for row in conn.execute(query)
    ]


def hold_untold(conn: Connection, decided: Decided, worker: str, lease_ms: int) -> tuple[Work, OpenAttempt] | None:
    """Claim the job of a decided act, for who tells it; None when somebody holds it, or has told it meanwhile."""
    work = hold(conn, decided.request_id, None, worker, lease_ms)
    if work is None:
        return None
    attempt = find_attempt(conn, decided.attempt_id)
    told = select(evidence.c.id).where(evidence.c.attempt_id == decided.attempt_id, evidence.c.source == "statement")
    if attempt is None or attempt.state.value not in _DOUBTFUL or conn.execute(told.limit(1)).first() is not None:
        let_go(conn, decided.request_id, work.token)
        return None
    return work, attempt


def save_run(
    conn: Connection, day: str, ruleset: dict[str, Any], ruleset_hash: str, engine: str, report: str, checksum: str
) -> int:
    """Keep the report unless the day's last one is the same; the number of the day's run."""
    table = recon_runs.c
    last = conn.execute(
        select(table.number, table.checksum).where(table.day == day).order_by(table.number.desc()).limit(1)
    ).first()
    now = now_ms(conn)
    if last is not None and last.checksum == checksum:
        conn.execute(update(recon_runs).where(table.day == day, table.number == last.number).values(as_of=now))
        return int(last.number)
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    rules = {"hash": ruleset_hash, "content": pack_text(ruleset), "created_at": now}
    conn.execute(dialect.insert(recon_rulesets).values(rules).on_conflict_do_nothing())
    content = json.loads(report)
    number = (last.number if last is not None else 0) + 1
    conn.execute(
        insert(recon_runs).values(
            id=new_id(),
            day=day,
            number=number,
            as_of=now,
            ruleset=ruleset_hash,
            engine=engine,
            counts=pack_text({each["source"]: each["counts"] for each in content["sources"]}),
            totals=pack_text({each["source"]: each["proof"] for each in content["sources"]}),
            report=report,
            checksum=checksum,
        )
    )
    return number


def find_run(conn: Connection, day: str) -> Run | None:
    """The last run of that day."""
    table = recon_runs.c
    row = conn.execute(select(recon_runs).where(table.day == day).order_by(table.number.desc()).limit(1)).first()
    return None if row is None else Run(row.day, row.number, row.as_of, json.loads(row.report), row.checksum)


def last_day(conn: Connection) -> str | None:
    """The latest day that was run."""
    found: str | None = conn.scalar(select(func.max(recon_runs.c.day)))
    return found

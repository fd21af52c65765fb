"""The two sides of a day: the acts that this gateway made, and the lines that the institution lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from gateway.ids import first_id_at
from gateway.store.reconciliation.files import ACCEPTED, Source
from gateway.store.reconciliation.tables import (
    match_groups,
    match_members,
    recon_breaks,
    statement_files,
    statement_lines,
)
from gateway.store.tables import attempts, intents, requests
from mappings.status import Attempt, Intent

OURS, THEIRS = "ours", "theirs"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Grouped:
    """The live group that an item is in."""

    id: str
    rule: str
    day: str
    decision: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One act of ours: all tries of one operation id, as the newest of them stands."""

    operation_id: str
    attempt_id: str
    request_id: str
    service: str
    state: Attempt
    code: str
    sending_at: int
    amount_minor: int | None  #: Of a payment, in the money of its fee order.
    currency: str
    denomination: str
    owed: bool  #: Its request has a fee.
    paid: bool
    group: Grouped | None

    @property
    def item(self) -> str:
        return f"act:{self.operation_id}"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of an accepted file."""

    id: str
    file: str
    sha256: str
    file_day: str
    number: int
    our_reference: str
    their_reference: str
    fingerprint: str
    occurrence: int
    at: int
    day: str
    amount_minor: int | None
    currency: str
    denomination: str
    group: Grouped | None

    @property
    def item(self) -> str:
        return f"line:{self.id}"

    @property
    def key(self) -> str:
        """The same for the same line in whatever database: what a stable name is made from."""
        return f"line:{self.file_day}:{self.fingerprint}:{self.occurrence}"


def lines_of(conn: Connection, source: Source, day: str) -> list[Listed]:
    """The lines of that day's files, with the groups that they are in."""
    return _lines(conn, statement_lines.c.file_day == day, source)


def lines_left(conn: Connection, source: Source, before: str) -> list[Listed]:
    """The lines of earlier files that no live group has, or one that was made for `before` or later."""
    table = statement_lines.c
    later = (
        select(match_members.c.item)
        .join(match_groups, match_groups.c.id == match_members.c.group_id)
        .where(match_groups.c.source_id == source.id, match_groups.c.day >= before, match_members.c.side == THEIRS)
        .where(match_members.c.void.is_(False))
    )
    found = _lines(conn, (table.file_day < before) & table.matched.is_(False), source)
    ids = [item.removeprefix("line:") for item in conn.scalars(later)]
    for some in _chunks(ids):
        found += _lines(conn, (table.file_day < before) & table.id.in_(some), source)
    return found


#: What is sealed is not opened here: nothing is matched by it.
_OPEN_COLUMNS = [column for column in statement_lines.c if column.name != "raw"]


def _lines(conn: Connection, condition: Any, source: Source) -> list[Listed]:
    table = statement_lines.c
    rows = conn.execute(
        select(*_OPEN_COLUMNS, statement_files.c.name.label("file"), statement_files.c.sha256)
        .join(statement_files, statement_files.c.id == table.file_id)
        .where(table.source_id == source.id, statement_files.c.state == ACCEPTED, condition)
        .order_by(table.file_day, statement_files.c.sequence, table.number)
    ).all()
    groups = _groups(conn, source.leg, [f"line:{row.id}" for row in rows if row.matched])
    one: dict[str, str] = {}  # what all lines of a file say is kept once
    return [
        Listed(
            row.id,
            one.setdefault(row.file, row.file),
            one.setdefault(row.sha256, row.sha256),
            one.setdefault(row.file_day, row.file_day),
            row.number,
            row.our_reference,
            row.their_reference,
            row.fingerprint,
            row.occurrence,
            row.at,
            one.setdefault(row.day, row.day),
            row.amount_minor,
            row.currency or "",
            row.denomination or "",
            groups.get(f"line:{row.id}"),
        )
        for row in rows
    ]


def acts_between(conn: Connection, source: Source, operation: str, since: int, until: int) -> list[Act]:
    """The acts whose newest try was sent in that time, by when it was."""
    made = (attempts.c.id >= first_id_at(since - _SLACK_MS)) & (attempts.c.id < first_id_at(until + _SLACK_MS))
    sent = (attempts.c.sending_at >= since) & (attempts.c.sending_at < until)
    return _acts(conn, source, operation, made & sent)


def acts_named(conn: Connection, source: Source, operation: str, operation_ids: Iterable[str]) -> list[Act]:
    """The acts with these operation ids."""
    found: list[Act] = []
    for some in _chunks(sorted(set(operation_ids))):
        found += _acts(conn, source, operation, attempts.c.operation_id.in_(some))
    return found


def carried_acts(conn: Connection, source: Source, day: str) -> list[str]:
    """The operation ids of acts of earlier days that a break stood open for when `day` began."""
    table = recon_breaks.c
    query = select(table.item).where(
        table.source_id == source.id,
        table.day < day,
        table.item.like("act:%") | table.item.like("unpaid:%"),
        (table.state != "closed") | (table.closed_day >= day),
    )
    return [item.partition(":")[2] for item in conn.scalars(query)]


#: A row's id is made on the clock of its node, which may be wrong by that much.
_SLACK_MS = 26 * 3_600_000


def _acts(conn: Connection, source: Source, operation: str, condition: Any) -> list[Act]:
    query: Select[Any] = (
        select(attempts, requests.c.service, intents.c.currency, intents.c.denomination)
        .add_columns(intents.c.amount_minor.label("owed_minor"), intents.c.paid_minor)
        .add_columns(intents.c.state.label("intent_state"))
        .join(requests, requests.c.id == attempts.c.request_id)
        .outerjoin(intents, intents.c.request_id == attempts.c.request_id)
        .where(attempts.c.connector == source.connector, attempts.c.operation == operation, condition)
        .order_by(attempts.c.id)
    )
    newest = {row.operation_id: row for row in conn.execute(query)}
    groups = _groups(conn, source.leg, [f"act:{operation_id}" for operation_id in newest])
    return [_act(row, groups.get(f"act:{row.operation_id}")) for row in newest.values()]


def _act(row: Row[Any], group: Grouped | None) -> Act:
    amount = None
    if row.intent_id is not None:
        amount = row.amount_minor if row.amount_minor is not None else row.owed_minor - row.paid_minor
    return Act(
        operation_id=row.operation_id,
        attempt_id=row.id,
        request_id=row.request_id,
        service=row.service,
        state=Attempt(row.state),
        code=row.code or "",
        sending_at=row.sending_at,
        amount_minor=amount,
        currency=row.currency or "",
        denomination=row.denomination or "",
        owed=row.intent_state is not None,
        paid=row.intent_state == Intent.SUCCEEDED.value,
        group=group,
    )


def _groups(conn: Connection, leg: str, items: Sequence[str]) -> dict[str, Grouped]:
    found = {}
    for some in _chunks(items):
        rows = conn.execute(
            select(match_members.c.item, match_groups)
            .join(match_groups, match_groups.c.id == match_members.c.group_id)
            .where(match_members.c.leg == leg, match_members.c.item.in_(some), match_members.c.void.is_(False))
        )
        found.update({row.item: Grouped(row.id, row.rule, row.day, row.decision) for row in rows})
    return found


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))

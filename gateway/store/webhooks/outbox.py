"""The outbox: what a channel is to be told is written in the transaction, and the statement, that makes it so.

An event is written for every endpoint of the request's channel that wants its type. Whether the state changes, the
database says: the part stands before the one that changes it, and compares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, Select, Text, func, literal, or_, select

from gateway.ids import new_id
from gateway.moments import iso
from gateway.packed import pack_text
from gateway.store.tables import requests
from gateway.store.together import Given, Part, Rows, Selected, write_together
from gateway.store.webhooks.subscribers import Subscribers, subscribers_of
from gateway.store.webhooks.tables import deliveries, endpoints
from mappings.status import Request

#: How an event is called in which a request has come into a state.
TYPE_PREFIX = "jisr.request."
#: Tried for so long; the rows carry the moment, so a later change of this touches new events only.
GIVES_UP_MS = 3 * 86_400_000

_COLUMNS = (
    *("endpoint_id", "event_id", "request_id", "sequence", "type", "facts", "at"),
    *("state", "due_at", "gives_up_at", "tries", "waits"),
)
_FIELDS: Mapping[str, Column[Any]] = {
    "event_id": deliveries.c.event_id,
    "event_request": deliveries.c.request_id,
    "event_type": deliveries.c.type,
    "event_facts": deliveries.c.facts,
    "event_at": deliveries.c.at,
    "event_gives_up_at": deliveries.c.gives_up_at,
}


def _told(given: Given, channel_id: ColumnElement[str]) -> Select[Any]:
    """One row for each endpoint of the channel that wants it."""
    earlier = deliveries.alias("earlier")
    counted = (
        select(func.coalesce(func.max(earlier.c.sequence), 0) + 1)
        .where(earlier.c.request_id == given("event_request"), earlier.c.endpoint_id == endpoints.c.id)
        .scalar_subquery()
    )
    named = literal("% ", Text).concat(given("event_type")).concat(literal(" %", Text))
    return select(
        endpoints.c.id,
        given("event_id"),
        given("event_request"),
        counted,
        given("event_type"),
        given("event_facts"),
        given("event_at"),
        literal("waiting", Text),
        given("event_at"),
        given("event_gives_up_at"),
        literal(0, Integer),
        literal(0, Integer),
    ).where(
        endpoints.c.channel_id == channel_id,
        endpoints.c.state == "active",
        or_(endpoints.c.types == "*", endpoints.c.types.like(named)),
    )


def _moving(given: Given, condition: ColumnElement[bool]) -> Select[Any]:
    return _told(given, requests.c.channel_id).where(requests.c.id == given("event_request"), condition)


_ACCEPTED = Selected(
    deliveries,
    _COLUMNS,
    lambda given: _told(given, given("event_channel")),
    {**_FIELDS, "event_channel": endpoints.c.channel_id},
)
_BEGUN = Selected(
    deliveries, _COLUMNS, lambda given: _moving(given, requests.c.state == Request.ACCEPTED.value), _FIELDS
)
#: The state changes, or the citizen is asked anew in the same.
_MOVED = Selected(
    deliveries,
    _COLUMNS,
    lambda given: _moving(given, or_(requests.c.state != given("event_state"), given("event_asks"))),
    {**_FIELDS, "event_state": requests.c.state, "event_asks": requests.c.test},
)


@dataclass(frozen=True, slots=True)
class Move:
    """A request comes into a state, or its citizen is asked something else there."""

    request_id: str
    state: Request
    channel_id: str = ""  #: "" when whoever moves it does not know.
    reason: str | None = None
    next_action: Mapping[str, Any] | None = None
    expires_at: int | None = None


def accepted_part(conn: Connection, accepted: Iterable[tuple[str, str]], now: int) -> tuple[Part, Rows]:
    """The part that tells of new requests, given as (request, channel); it follows the one that inserts them."""
    known = subscribers_of(conn)
    if not known.some:
        return _ACCEPTED, ()
    rows = [
        {**_row(Move(request_id, Request.ACCEPTED), now), "event_channel": channel_id}
        for request_id, channel_id in accepted
        if known.may_listen(channel_id)
    ]
    return _ACCEPTED, _noted(known, rows)


def begun_part(conn: Connection, request_ids: Iterable[str], now: int) -> tuple[Part, Rows]:
    """The part that tells of accepted requests that go on; it stands before the one that moves them."""
    known = subscribers_of(conn)
    if not known.some:
        return _BEGUN, ()
    return _BEGUN, _noted(known, [_row(Move(each, Request.IN_PROGRESS), now) for each in request_ids])


def moved_part(conn: Connection, moves: Iterable[Move], now: int) -> tuple[Part, Rows]:
    """The part that tells of moves; it stands before the one that makes them, because it compares."""
    known = subscribers_of(conn)
    if not known.some:
        return _MOVED, ()
    rows = [
        {**_row(move, now), "event_state": move.state.value, "event_asks": move.next_action is not None}
        for move in moves
        if known.may_listen(move.channel_id)
    ]
    return _MOVED, _noted(known, rows)


def tell(conn: Connection, move: Move, now: int) -> None:
    """Write what one move is told by, before it is made."""
    write_together(conn, moved_part(conn, [move], now))


def _noted(known: Subscribers, rows: Rows) -> Rows:
    if rows:
        known.tell()
    return rows


def _row(move: Move, now: int) -> dict[str, Any]:
    return {
        "event_id": new_id(),
        "event_request": move.request_id,
        "event_type": f"{TYPE_PREFIX}{move.state.value}",
        "event_facts": pack_text(_facts(move)),
        "event_at": now,
        "event_gives_up_at": now + GIVES_UP_MS,
    }


def _facts(move: Move) -> dict[str, Any]:
    action = move.next_action
    asked = {"id": action["id"], "kind": action["kind"], "expires_at": iso(move.expires_at)} if action else None
    return {"state": move.state.value, "reason": move.reason, "next_action": asked}

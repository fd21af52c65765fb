"""Where channels listen: added, listed, switched, given a new secret, removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from gateway.store.clock import now_ms
from gateway.store.tables import principals
from gateway.store.webhooks.tables import deliveries, endpoints

ALL_TYPES = "*"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a channel."""

    id: str
    channel_id: str
    url: str
    types: tuple[str, ...]
    state: str  #: active | disabled
    reason: str | None
    failures: int
    failing_since: int | None
    old_secret_until: int | None
    created_at: int


def add(conn: Connection, endpoint: Endpoint, secret: str, most: int) -> Endpoint | None:
    """Store it; the one that the channel has at this address already is given back. None when it has `most`."""
    standing = find_all(conn, endpoint.channel_id)
    for each in standing:
        if each.url == endpoint.url:
            return each
    if len(standing) >= most:
        return None
    conn.execute(
        insert(endpoints).values(
            id=endpoint.id,
            channel_id=endpoint.channel_id,
            url=endpoint.url.encode(),
            types=_packed(endpoint.types),
            secret=secret.encode(),
            state="active",
            failures=0,
            paused_until=0,
            created_at=now_ms(conn),
        )
    )
    return find(conn, endpoint.id, None)


def find_all(conn: Connection, channel_id: str | None) -> list[Endpoint]:
    """Those of a channel, or of all (None), oldest first; removed ones are gone."""
    query = select(endpoints).where(endpoints.c.state != "removed").order_by(endpoints.c.id)
    if channel_id is not None:
        query = query.where(endpoints.c.channel_id == channel_id)
    return [_endpoint(row) for row in conn.execute(query)]


def find(conn: Connection, endpoint_id: str, channel_id: str | None) -> Endpoint | None:
    """One, if it is of this channel (None: of any)."""
    query = select(endpoints).where(endpoints.c.id == endpoint_id, endpoints.c.state != "removed")
    if channel_id is not None:
        query = query.where(endpoints.c.channel_id == channel_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else _endpoint(row)


def rotate(conn: Connection, endpoint_id: str, secret: str, overlap_ms: int) -> None:
    """A new secret; the one so far signs beside it for `overlap_ms`."""
    new = update(endpoints).where(endpoints.c.id == endpoint_id)
    until = now_ms(conn) + overlap_ms
    # one statement: what is on the right is the row as it was; sealed bytes are carried over as they are
    conn.execute(new.values(old_secret=endpoints.c.secret, old_secret_until=until, secret=secret.encode()))


_WELL: dict[str, Any] = {"failures": 0, "failing_since": None, "paused_until": 0}


def switch(conn: Connection, endpoint_id: str, *, active: bool) -> None:
    """Go on or rest, unless its channel is revoked. What waits stays; whoever goes on is tried at once."""
    state = {"state": "active", "reason": None} if active else {"state": "disabled", "reason": "asked"}
    may = endpoints.c.reason.is_distinct_from("revoked")
    conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id, may).values(**state, **_WELL))


def remove(conn: Connection, endpoint_id: str) -> None:
    """For ever; what waits for it is dropped, its log stays for its time."""
    now = now_ms(conn)
    conn.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id)
        .values(state="removed", url=b"", secret=b"", old_secret=None, old_secret_until=None)
    )
    _drop(conn, [endpoint_id], now)


def silence(conn: Connection, channel_id: str) -> None:
    """The channel is revoked: it is told nothing more, and what waits for it is dropped."""
    theirs = update(endpoints).where(endpoints.c.channel_id == channel_id, endpoints.c.state != "removed")
    silenced = conn.scalars(theirs.values(state="disabled", reason="revoked").returning(endpoints.c.id)).all()
    _drop(conn, silenced, now_ms(conn))


def _drop(conn: Connection, endpoint_ids: Sequence[str], now: int) -> None:
    conn.execute(
        update(deliveries)
        .where(deliveries.c.endpoint_id.in_(endpoint_ids), deliveries.c.state == "waiting")
        .values(state="dropped", settled_at=now, claimed_by=None)
    )


def channel_named(conn: Connection, name_or_id: str) -> str | None:
    """The id of a channel that may call."""
    query = select(principals.c.id).where(
        principals.c.kind == "channel",
        (principals.c.name == name_or_id) | (principals.c.id == name_or_id),
        principals.c.revoked_at.is_(None),
    )
    return conn.scalar(query.limit(1))


def waiting_of(conn: Connection, endpoint_ids: Sequence[str]) -> dict[str, int]:
    """How many events wait for each."""
    counted = (
        select(deliveries.c.endpoint_id, func.count())
        .where(deliveries.c.endpoint_id.in_(endpoint_ids), deliveries.c.state == "waiting")
        .group_by(deliveries.c.endpoint_id)
    )
    return {row[0]: row[1] for row in conn.execute(counted)}


def _packed(types: Sequence[str]) -> str:
    return ALL_TYPES if ALL_TYPES in types else f" {' '.join(sorted(set(types)))} "


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        row.id,
        row.channel_id,
        row.url.decode(),
        tuple(row.types.split()),
        row.state,
        row.reason,
        row.failures,
        row.failing_since,
        row.old_secret_until,
        row.created_at,
    )

"""Acts under an idempotency key that make no request: the answer is kept in the act's transaction, and given again.

Whoever lost an answer sends the same again and reads what was answered first; nothing is done twice. Answers are
sealed, because one may hold a secret that is told once.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, Table, Text, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.errors import Problem
from gateway.packed import pack, unpack
from gateway.store.clock import now_ms
from gateway.store.sealed import Sealed
from gateway.store.tables import metadata

acts = Table(
    "acts",
    metadata,
    Column("principal_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("scope", Text, nullable=False),  # what was done: "webhooks/<id>/rotate"
    Column("body_hash", LargeBinary, nullable=False),
    Column("answer", Sealed, nullable=False),  # the JSON body that was answered
    Column("expires_at", BigInteger, nullable=False),
)
Index("ix_acts_expires_at", acts.c.expires_at)


@dataclass(frozen=True, slots=True)
class Act:
    """Who does what under which key."""

    principal_id: str
    key: str
    scope: str
    body_hash: bytes
    keep_ms: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered; `replayed` when it was done and answered before."""

    body: Mapping[str, Any]
    replayed: bool = False


def find_told(conn: Connection, act: Act) -> Told | None:
    """What was answered under the key. Raises Problem("idempotency_key_reused") when it stands for something else."""
    row = conn.execute(select(acts).where(_named(act))).one_or_none()
    if row is None:
        return None
    if row.scope != act.scope or not hmac.compare_digest(row.body_hash, act.body_hash):
        raise Problem("idempotency_key_reused")
    return Told(unpack(row.answer), replayed=True)


def once(conn: Connection, act: Act | None, do: Callable[[Connection], Mapping[str, Any]]) -> Told:
    """Do it and keep the answer, unless it was done under this key; `None` is an act without a key.

    Two that come at once: the second waits for the first one's COMMIT. What `do` raises undoes the key with the rest.
    """
    if act is None:
        return Told(do(conn))
    if not _insert(conn, act, b""):
        return find_told(conn, act) or Told(do(conn))
    body = do(conn)
    conn.execute(update(acts).where(_named(act)).values(answer=pack(body)))
    return Told(body)


def keep(conn: Connection, act: Act, body: Mapping[str, Any]) -> None:
    """Keep the answer of an act that took several transactions, each of which is safe to repeat."""
    _insert(conn, act, pack(body))


def _named(act: Act) -> Any:
    return (acts.c.principal_id == act.principal_id) & (acts.c.key == act.key)


def _insert(conn: Connection, act: Act, answer: bytes) -> bool:
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    new = insert(acts).values(
        principal_id=act.principal_id,
        key=act.key,
        scope=act.scope,
        body_hash=act.body_hash,
        answer=answer,
        expires_at=now_ms(conn) + act.keep_ms,
    )
    return conn.execute(new.on_conflict_do_nothing().returning(acts.c.key)).one_or_none() is not None


def forget_acts(conn: Connection, most: int) -> int:
    """Delete a bounded number of expired keys; how many."""
    old = select(acts.c.principal_id, acts.c.key).where(acts.c.expires_at < now_ms(conn)).limit(most)
    keys = [tuple(row) for row in conn.execute(old)]
    if keys:
        conn.execute(delete(acts).where(tuple_(acts.c.principal_id, acts.c.key).in_(keys)))
    return len(keys)

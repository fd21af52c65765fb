"""This file keeps the principals: added, listed, revoked and found by id; never with a usable key."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, Row, insert, select, update

from gateway.security.principals import Kind, Principal, StoredPrincipal, hash_key
from gateway.store.clock import sql_now
from gateway.store.tables import principals
from gateway.store.webhooks.endpoints import silence


def add_principal(
    conn: Connection,
    principal_id: str,
    key: str,
    *,
    kind: Kind,
    name: str,
    roles: Sequence[str] = (),
    services: Sequence[str] = ("*",),
    priority: int = 2,
    test: bool = False,
) -> Principal:
    """Store a principal with the hash of `key`. The database refuses a second one of the same kind and name."""
    conn.execute(
        insert(principals).values(
            id=principal_id,
            kind=kind.value,
            name=name,
            key_hash=hash_key(key),
            roles=json.dumps(sorted(set(roles))),
            services=json.dumps(list(services)),
            priority=priority,
            test=test,
            created_at=sql_now(conn),
        )
    )
    return Principal(principal_id, kind, name, frozenset(roles), tuple(services), priority, test)


def list_principals(conn: Connection, kind: Kind | None = None) -> list[StoredPrincipal]:
    """All principals, oldest first, revoked ones included."""
    query = select(principals).order_by(principals.c.created_at, principals.c.id)
    if kind is not None:
        query = query.where(principals.c.kind == kind.value)
    return [_stored(row) for row in conn.execute(query)]


def revoke_principal(conn: Connection, kind: Kind, name_or_id: str) -> bool:
    """End a principal's key for ever, and its webhooks; False when none of that name or id has a valid one."""
    revoked = conn.scalars(
        update(principals)
        .where(
            principals.c.kind == kind.value,
            (principals.c.name == name_or_id) | (principals.c.id == name_or_id),
            principals.c.revoked_at.is_(None),
        )
        .values(revoked_at=sql_now(conn))
        .returning(principals.c.id)
    ).all()
    for channel_id in revoked:
        silence(conn, channel_id)
    return bool(revoked)


def set_roles(conn: Connection, name_or_id: str, roles: Sequence[str]) -> bool:
    """Give an operator these roles and no others, at once; False when there is none of that name or id with a key."""
    result = conn.execute(
        update(principals)
        .where(
            principals.c.kind == Kind.OPERATOR.value,
            (principals.c.name == name_or_id) | (principals.c.id == name_or_id),
            principals.c.revoked_at.is_(None),
        )
        .values(roles=json.dumps(sorted(set(roles))))
    )
    return result.rowcount > 0


def find_principal(conn: Connection, principal_id: str) -> StoredPrincipal | None:
    """The principal of an id, revoked or not."""
    row = conn.execute(select(principals).where(principals.c.id == principal_id)).first()
    return None if row is None else _stored(row)


def _stored(row: Row[tuple[object, ...]]) -> StoredPrincipal:
    principal = Principal(
        row.id,
        Kind(row.kind),
        row.name,
        frozenset(json.loads(row.roles)),
        tuple(json.loads(row.services)),
        row.priority,
        bool(row.test),
    )
    return StoredPrincipal(principal, row.key_hash, row.revoked_at is not None)

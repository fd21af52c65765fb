"""The table of decisions: what one operator proposed about a doubt, and what another one said to it."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text

from gateway.store.sealed import Sealed
from gateway.store.tables import metadata

decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    Column("attempt_id", Text, ForeignKey("attempts.id")),  # that it is about; NULL: nothing stands open
    Column("action", Text, nullable=False),  # done | not_done | resend
    Column("people", Integer, nullable=False),  # how many it needs: 1 | 2
    Column("told", Text, nullable=False),  # JSON {means, twice}: the consequences that were shown
    Column("reason", Sealed, nullable=False),  # people write it, so a person may be named in it
    Column("evidence", Sealed),
    Column("reference", Text),  # the institution's own
    Column("doubt", Text, nullable=False),  # hash of what was known when it was proposed
    Column("digest", Text, nullable=False),  # hash of what was proposed: whoever approves names it
    Column("state", Text, nullable=False),  # proposed | approved | refused | withdrawn | superseded | expired
    Column("proposed_by", Text, ForeignKey("principals.id"), nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("decided_by", Text, ForeignKey("principals.id")),  # NULL while it is open, and when nobody ended it
    Column("decided_at", BigInteger),
    Column("answer", Sealed),  # why it was refused
    CheckConstraint(
        "people = 1 OR state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)", name="two_people"
    ),
)
_OPEN = text("state = 'proposed'")
Index(
    "uq_decisions_open", decisions.c.request_id, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
)  # one at a time about a request
Index("ix_decisions_request_id", decisions.c.request_id, decisions.c.id)
Index("ix_decisions_state", decisions.c.state, decisions.c.id)

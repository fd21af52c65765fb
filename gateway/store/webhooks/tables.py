"""The tables of webhooks: where a channel listens, what it is to be told there, and every try to tell it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    false,
    text,
)

from gateway.store.sealed import Sealed
from gateway.store.tables import metadata

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel_id", Text, ForeignKey("principals.id"), nullable=False),
    Column("url", Sealed, nullable=False),  # it may hold a key of the channel's
    Column("types", Text, nullable=False),  # "*", or " type type … " with a space around each
    Column("secret", Sealed, nullable=False),
    Column("old_secret", Sealed),  # signs beside it until old_secret_until
    Column("old_secret_until", BigInteger),
    Column("state", Text, nullable=False),  # active | disabled | removed
    Column(
        "reason", Text
    ),  # why it is disabled: "gone" (410) | "failing" (for days) | "revoked" (the channel) | "asked"
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since", BigInteger),  # the first of them
    Column("paused_until", BigInteger, nullable=False),  # after several failures it is tried now and then only
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_webhook_endpoints_channel_id", endpoints.c.channel_id)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("endpoint_id", Text, ForeignKey("webhook_endpoints.id"), primary_key=True),
    Column("event_id", Text, primary_key=True),  # the webhook-id, the same at every try
    Column("request_id", Text, ForeignKey("requests.id")),  # NULL for a ping
    Column("sequence", Integer, nullable=False),  # counts the events of one request at this endpoint
    Column("type", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON without personal data: state, reason, next_action
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # waiting | delivered | failed | dropped
    Column("due_at", BigInteger, nullable=False),
    Column("gives_up_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),  # so far, the one under way included; it fences what is recorded
    Column("waits", Integer, nullable=False),  # failures since it was last put in line; grows the backoff
    Column(
        "again", Boolean, nullable=False, server_default=false()
    ),  # somebody wanted it once more: it holds up nobody
    Column("claimed_by", Text),  # worker that sends it; it falls due again when the worker is not heard of
    Column("settled_at", BigInteger),
    Column("outcome", Text),  # of the last try
    Column("http_status", Integer),
)
Index(
    "ix_webhook_deliveries_due",
    deliveries.c.endpoint_id,
    deliveries.c.due_at,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index("ix_webhook_deliveries_request_id", deliveries.c.request_id, deliveries.c.endpoint_id, deliveries.c.sequence)
Index("ix_webhook_deliveries_settled_at", deliveries.c.settled_at)

attempts = Table(
    "webhook_attempts",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("outcome", Text, nullable=False),  # gateway/webhooks/post.py
    Column("http_status", Integer),
    ForeignKeyConstraint(
        ["endpoint_id", "event_id"], ["webhook_deliveries.endpoint_id", "webhook_deliveries.event_id"]
    ),
)
Index("ix_webhook_attempts_at", attempts.c.at)

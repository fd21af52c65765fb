"""The tables of the record database, for SQLite and PostgreSQL alike.

Times are integers, milliseconds since 1970 UTC. Ids are UUIDv7 as text, so that they sort by age. `Sealed` columns are
encrypted with the keyring before they reach the driver (AES-GCM, key id in front); nothing personal stands elsewhere.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from gateway.store.sealed import Sealed

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

principals = Table(
    "principals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # channel | operator | ministry
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),  # SHA-256 of the high-entropy secret
    Column("roles", Text, nullable=False),  # JSON list
    Column("services", Text, nullable=False),  # JSON list of service ids or patterns; ["*"] is all
    Column("priority", Integer, nullable=False),  # 0 desk, 1 mobile, 2 web, 3 batch
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("test", Boolean, nullable=False, server_default=false()),  # a channel whose requests reach test systems only
    UniqueConstraint("kind", "name"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel_id", Text, ForeignKey("principals.id"), nullable=False),
    Column("service", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reference", Text),  # the channel's own
    Column("traceparent", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Integer, nullable=False),  # index into the service's steps
    Column("phase", Text, nullable=False),  # within a step: "" | initiate | confirm
    Column("reason", Text),  # code of the error catalogue: why it waits, is parked, in doubt or refused
    Column("next_try_at", BigInteger),
    Column("expires_at", BigInteger),  # while the citizen is awaited
    Column("next_action", Text),  # JSON {id, kind, expires_at, …}
    Column("progress", Sealed),  # JSON: what the steps learnt so far (references, data)
    Column("content", Sealed, nullable=False),  # JSON: applicant, input, delivery, payment, as canonicalised
    Column("applicant_index", LargeBinary, nullable=False),  # blind index of the national number
    Column("mapping_version", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("state_since", BigInteger, nullable=False),
    Column("test", Boolean, nullable=False, server_default=false()),  # of a test channel
)
Index("ix_requests_test", requests.c.state, sqlite_where=text("test"), postgresql_where=text("test"))
Index("ix_requests_channel_id_id", requests.c.channel_id, requests.c.id)
Index("ix_requests_state_state_since", requests.c.state, requests.c.state_since)
Index("ix_requests_applicant_index", requests.c.applicant_index)

idempotency = Table(
    "idempotency",
    metadata,
    Column("channel_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("scope", Text, nullable=False),  # "requests" or "actions/<request id>/<action id>"
    Column("body_hash", LargeBinary, nullable=False),
    Column(
        "request_id", Text, ForeignKey("requests.id", deferrable=True, initially="DEFERRED"), nullable=False
    ),  # deferred: the key is inserted first, because it decides who won
    Column("status", Text, nullable=False),  # accepted | created | ok: the API gives it its HTTP status
    Column("answer", Sealed, nullable=False),  # the JSON body that was answered
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index("ix_idempotency_expires_at", idempotency.c.expires_at)
# while a deferred reference is open, SQLite looks for it at every new request: without this index through all rows
Index("ix_idempotency_request_id", idempotency.c.request_id)

events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON without personal data: step, connector, operation, attempt, code
)
Index("ix_events_request_id_id", events.c.request_id, events.c.id)

jobs = Table(
    "jobs",
    metadata,
    Column("request_id", Text, ForeignKey("requests.id"), primary_key=True),  # at most one job a request
    Column("lane", Text, nullable=False),  # "connector.operation"
    Column("priority", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("token", BigInteger, nullable=False),  # fencing token: grows with every claim
    Column("claimed_by", Text),  # worker id; NULL is free
    Column("lease_until", BigInteger),
    Column("tries", Integer, nullable=False),  # sent and failed on this step so far
    Column("waits", Integer, nullable=False),  # not sent on this step so far; grows the backoff, spends nothing
    Column("inquiries", Integer, nullable=False),  # inquiries on the attempt in doubt so far
    Column("absences", Integer, nullable=False),  # "not found" in a row
    Column("channel_id", Text, nullable=False, server_default=""),  # of the request: channels take turns
    Column("stumbles", Integer, nullable=False, server_default="0"),  # workers that failed at it since it last moved
)
Index(
    "ix_jobs_turn",
    jobs.c.lane,
    jobs.c.priority,
    jobs.c.channel_id,
    jobs.c.due_at,
    sqlite_where=text("claimed_by IS NULL"),
    postgresql_where=text("claimed_by IS NULL"),
)
Index(
    "ix_jobs_lane_due_at",
    jobs.c.lane,
    jobs.c.due_at,
    sqlite_where=text("claimed_by IS NULL"),
    postgresql_where=text("claimed_by IS NULL"),
)
Index(
    "ix_jobs_lease_until",
    jobs.c.lease_until,
    sqlite_where=text("claimed_by IS NOT NULL"),
    postgresql_where=text("claimed_by IS NOT NULL"),
)

intents = Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False, unique=True),  # one fee order a request
    Column("state", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("denomination", Text, nullable=False),  # epoch: SYP-old | SYP-new
    Column("paid_minor", BigInteger, nullable=False, server_default="0"),  # paid when another amount was owed
    Column("provider", Text),  # the method chosen last
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
)
Index("ix_intents_state", intents.c.state)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    Column("intent_id", Text, ForeignKey("intents.id")),  # set for every money-moving exchange
    Column("connector", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("role", Text, nullable=False),  # check | submit | initiate | confirm | resend …
    Column("operation_id", Text, nullable=False),  # ours; the same for every resend of the same act
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("token", BigInteger, nullable=False),  # fencing token of the job that sent it
    Column("payload_hash", Text, nullable=False),
    Column("amount_minor", BigInteger),  # of a payment, in its fee order's money
    Column("code", Text),  # canonical code of the answer or the error
    Column("reference", Text),  # the counterparty's
    Column("milliseconds", Integer),
    Column("sending_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
)
Index("ix_attempts_request_id", attempts.c.request_id, attempts.c.id)
Index("ix_attempts_operation_id", attempts.c.operation_id)
_UNSETTLED = text("intent_id IS NOT NULL AND state IN ('sending', 'pending', 'in_doubt')")
Index(
    "uq_attempts_unsettled_intent",
    attempts.c.intent_id,
    unique=True,
    sqlite_where=_UNSETTLED,
    postgresql_where=_UNSETTLED,
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("attempt_id", Text, ForeignKey("attempts.id"), nullable=False),
    Column("source", Text, nullable=False),  # answer | error | inquiry | callback | statement | operator
    Column("rank", Integer, nullable=False),  # statement 5 > inquiry 4 > callback 3 > answer 2 > operator 1 > error 0
    Column("status", Text, nullable=False),  # what it says: a Status, or "none" for an error
    Column("code", Text, nullable=False),
    Column("fenced", Boolean, nullable=False),  # true: it came from a worker whose token was stale
    Column("detail", Sealed),  # JSON {institution_code, message}
    Column("request_bytes", Sealed),
    Column("response_bytes", Sealed),
    Column("http_status", Integer, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("ix_evidence_attempt_id", evidence.c.attempt_id, evidence.c.id)

documents = Table(
    "documents",
    metadata,
    Column("digest", Text, primary_key=True),  # "sha256:<hex>" of the clear bytes
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", Sealed, nullable=False),  # empty when it stands in a blob
    Column("created_at", BigInteger, nullable=False),
    Column("blob_id", Text),  # large ones, chunk by chunk
)

blobs = Table(
    "blobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text),  # "sha256:<hex>" of the clear bytes; NULL until all are there
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_blobs_created_at", blobs.c.created_at)

blob_chunks = Table(
    "blob_chunks",
    metadata,
    Column("blob_id", Text, ForeignKey("blobs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 0
    Column("content", Sealed, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("channel_id", Text, ForeignKey("principals.id"), primary_key=True),  # a channel sees its own only
    Column("digest", Text, primary_key=True),  # "sha256:<hex>" of the clear bytes
    Column("media_type", Text, nullable=False),  # as its bytes say
    Column("size", BigInteger, nullable=False),
    Column("blob_id", Text, ForeignKey("blobs.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),  # when a request referred to it first; NULL: it expires
)
Index("ix_attachments_created_at", attachments.c.created_at, attachments.c.used_at)
Index("ix_attachments_blob_id", attachments.c.blob_id)
Index(
    "ix_attachments_unused",  # what a channel has of them is counted at each upload
    attachments.c.channel_id,
    attachments.c.size,
    sqlite_where=attachments.c.used_at.is_(None),
    postgresql_where=attachments.c.used_at.is_(None),
)

request_documents = Table(
    "request_documents",
    metadata,
    Column("request_id", Text, ForeignKey("requests.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1
    Column("digest", Text, ForeignKey("documents.digest"), nullable=False),
    Column("name", Text, nullable=False),
    Column("issuer", Text, nullable=False),  # connector
)
Index("ix_request_documents_digest", request_documents.c.digest)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("institution", Text, nullable=False),  # connector
    Column("digest", LargeBinary, nullable=False),  # blind index of the body and of the headers that sign it
    Column("body", Sealed, nullable=False),  # as it came
    Column("headers", Sealed, nullable=False),  # JSON: those that its signature and its mapping may need
    Column("received_at", BigInteger, nullable=False),
    Column("deliveries", Integer, nullable=False),  # how often exactly this came
    Column("due_at", BigInteger, nullable=False),  # when it is looked at; pushed on while somebody looks
    Column("tries", Integer, nullable=False),  # how often it was looked at
    Column("verdict", Text),  # NULL until it is understood; gateway/callbacks/verdicts.py
    Column("request_id", Text, ForeignKey("requests.id")),  # that it is about, once known
    Column("judged_at", BigInteger),
    UniqueConstraint("institution", "digest"),
)
Index(
    "ix_callbacks_due_at",
    callbacks.c.due_at,
    sqlite_where=text("verdict IS NULL"),
    postgresql_where=text("verdict IS NULL"),
)
Index("ix_callbacks_request_id", callbacks.c.request_id, callbacks.c.verdict)
Index("ix_callbacks_judged_at", callbacks.c.judged_at)

lanes = Table(
    "lanes",
    metadata,
    Column("name", Text, primary_key=True),  # "connector.operation"; a row comes with the first trouble or pace
    Column("open", Boolean, nullable=False, server_default=false()),  # the circuit breaker
    Column("code", Text, nullable=False, server_default=""),  # why it is open
    Column("probe_at", BigInteger, nullable=False, server_default="0"),  # from when on one call may go
    Column("probe_until", BigInteger, nullable=False, server_default="0"),  # one is under way until then at the latest
    Column("pause_ms", BigInteger, nullable=False, server_default="0"),  # doubled by each probe that fails
    Column("good_probes", Integer, nullable=False, server_default="0"),  # in a row
    Column("opens_at", BigInteger),  # when the institution says that it opens
    Column("recovered_at", BigInteger),  # when the breaker closed last
    Column("closures", Text, nullable=False, server_default="[]"),  # JSON [[from, to], …] that it told of
    Column("slot_us", BigInteger, nullable=False, server_default="0"),  # a rate's next free slot, microseconds
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Sealed),
    Column("expires_at", BigInteger, nullable=False),
    Column("fetching_until", BigInteger, nullable=False),  # one worker fetches at a time; 0 is nobody
)

owner = Table(
    "owner",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("generation", BigInteger, nullable=False),  # SQLite: grows with every start of the one owner process
)

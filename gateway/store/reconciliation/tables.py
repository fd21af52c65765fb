"""The tables of reconciliation, beside those of gateway/store/tables.py and in the same database.

An *item* is one thing on one side, by a name that says what it is: `act:CONNECTOR:OPERATION_ID` is ours,
`line:STATEMENT_LINE_ID` is theirs.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from gateway.store.sealed import Sealed
from gateway.store.tables import metadata

statement_sources = Table(
    "statement_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connector", Text, nullable=False),
    Column("statement", Text, nullable=False),  # its name in the connector's manifest
    Column("leg", Text, nullable=False),  # A acts <-> institution, B payments <-> provider, C, D
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("connector", "statement"),
)

statement_files = Table(
    "statement_files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source_id", Text, ForeignKey("statement_sources.id"), nullable=False),
    Column("sha256", Text, nullable=False),  # of its bytes: the identity of a file
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # accepted | refused | replaced (refused, and a good one of that name came)
    Column("day", Text),  # YYYY-MM-DD; of an accepted file
    Column("sequence", Integer, nullable=False, server_default="1"),  # of several files of a day
    Column("lines", Integer, nullable=False),
    Column("amount_minor", BigInteger),  # control totals
    Column("fee_minor", BigInteger),
    Column("currency", Text),
    Column("denomination", Text),
    Column("open_balance_minor", BigInteger),  # of statements that have balances
    Column("close_balance_minor", BigInteger),
    Column("problem", Text),  # JSON {code, line, facts}: why it was refused
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("source_id", "sha256"),
)
_ACCEPTED = text("state = 'accepted'")
Index(
    "uq_statement_files_day",
    statement_files.c.source_id,
    statement_files.c.day,
    statement_files.c.sequence,
    unique=True,
    sqlite_where=_ACCEPTED,
    postgresql_where=_ACCEPTED,
)

statement_lines = Table(
    "statement_lines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("file_id", Text, ForeignKey("statement_files.id"), nullable=False),
    Column("source_id", Text, ForeignKey("statement_sources.id"), nullable=False),
    Column("file_day", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the line in its file
    Column("our_reference", Text, nullable=False),
    Column("their_reference", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # SHA-256 of what the row says, without its place
    Column("occurrence", Integer, nullable=False),  # of that fingerprint in its file, from 1
    Column("at", BigInteger, nullable=False),
    Column("day", Text, nullable=False),  # of `at`
    Column("amount_minor", BigInteger),
    Column("fee_minor", BigInteger),
    Column("currency", Text),
    Column("denomination", Text),
    Column("raw", Sealed, nullable=False),
    Column("matched", Boolean, nullable=False, server_default=false()),  # a live group has it
    UniqueConstraint("file_id", "fingerprint", "occurrence"),
)
Index("ix_statement_lines_source_id_file_day", statement_lines.c.source_id, statement_lines.c.file_day)
_UNMATCHED = text("NOT matched")
Index(
    "ix_statement_lines_unmatched",
    statement_lines.c.source_id,
    sqlite_where=_UNMATCHED,
    postgresql_where=_UNMATCHED,
)

recon_rulesets = Table(
    "recon_rulesets",
    metadata,
    Column("hash", Text, primary_key=True),  # SHA-256 of the content
    Column("content", Text, nullable=False),  # JSON: the forms and rules that a run went by
    Column("created_at", BigInteger, nullable=False),
)

recon_runs = Table(
    "recon_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the runs of that day that found something new, from 1
    Column("as_of", BigInteger, nullable=False),
    Column("ruleset", Text, ForeignKey("recon_rulesets.hash"), nullable=False),
    Column("engine", Text, nullable=False),
    Column("counts", Text, nullable=False),  # JSON
    Column("totals", Text, nullable=False),  # JSON, minor units by source
    Column("report", Text, nullable=False),  # JSON, canonical; nothing personal stands in it
    Column("checksum", Text, nullable=False),  # SHA-256 of the report
    UniqueConstraint("day", "number"),
)

match_groups = Table(
    "match_groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("leg", Text, nullable=False),
    Column("source_id", Text, ForeignKey("statement_sources.id"), nullable=False),
    Column("day", Text, nullable=False),  # the latest day of its members: from then on it is known
    Column("rule", Text, nullable=False),  # exact (pass 1) | absent (the files of its days do not list it) …
    Column("decision", Text),  # done | not_done: what an act in doubt is told; NULL when nothing was in doubt
    Column("void", Boolean, nullable=False, server_default=false()),
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_match_groups_source_id_day", match_groups.c.source_id, match_groups.c.day)

match_members = Table(
    "match_members",
    metadata,
    Column("group_id", Text, ForeignKey("match_groups.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("leg", Text, nullable=False),
    Column("side", Text, nullable=False),  # ours | theirs
    Column("void", Boolean, nullable=False, server_default=false()),
)
_LIVE = text("NOT void")
Index(
    "uq_match_members_live",
    match_members.c.leg,
    match_members.c.item,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)

recon_breaks = Table(
    "recon_breaks",
    metadata,
    Column("id", Text, primary_key=True),  # stable: made from what it is about
    Column("leg", Text, nullable=False),
    Column("source_id", Text, ForeignKey("statement_sources.id"), nullable=False),
    Column("item", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("day", Text, nullable=False),  # of the item
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("denomination", Text),
    Column("request_id", Text, ForeignKey("requests.id")),
    Column("first_seen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # open | assigned | closed; later also proposed, approved …
    Column("closed_day", Text),
    Column("days_late", Integer),
    Column("owner", Text),
    Column("due_at", BigInteger),
)
Index("ix_recon_breaks_source_id_state", recon_breaks.c.source_id, recon_breaks.c.state)
Index("ix_recon_breaks_request_id", recon_breaks.c.request_id)

recon_resolutions = Table(
    "recon_resolutions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("break_id", Text, ForeignKey("recon_breaks.id"), nullable=False),
    Column("type", Text),  # of the break when it was resolved: another type is another break
    Column("day", Text),  # from which day on it no longer stands
    Column("maker", Text, nullable=False),  # "reconciliation": the counterpart came by itself
    Column("checker", Text),
    Column("reason", Text, nullable=False),
    Column("evidence", Text),  # of people: the note in which they said why
    Column("journal_id", Text),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("checker IS NULL OR checker <> maker", name="two_people"),
)
Index("ix_recon_resolutions_break_id", recon_resolutions.c.break_id)

recon_break_notes = Table(
    "recon_break_notes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("break_id", Text, ForeignKey("recon_breaks.id"), nullable=False),
    Column("kind", Text, nullable=False),  # noted | assigned | closed
    Column("author", Text, nullable=False),
    Column("owner", Text),  # to whom it was given
    Column("said", Sealed, nullable=False),  # may name a person
    Column("at", BigInteger, nullable=False),
)
Index("ix_recon_break_notes_break_id", recon_break_notes.c.break_id)

"""Reconcile with statements."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "recon_rulesets",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recon_rulesets")),
    )
    op.create_table(
        "statement_sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_sources")),
        sa.UniqueConstraint("connector", "statement", name=op.f("uq_statement_sources_connector_statement")),
    )
    op.create_table(
        "match_groups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("void", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["statement_sources.id"], name=op.f("fk_match_groups_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_groups")),
    )
    op.create_index("ix_match_groups_source_id_day", "match_groups", ["source_id", "day"], unique=False)
    op.create_table(
        "recon_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ruleset"], ["recon_rulesets.hash"], name=op.f("fk_recon_runs_ruleset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_runs")),
        sa.UniqueConstraint("day", "number", name=op.f("uq_recon_runs_day_number")),
    )
    op.create_table(
        "statement_files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default="1", nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("denomination", sa.Text(), nullable=True),
        sa.Column("open_balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("close_balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["statement_sources.id"], name=op.f("fk_statement_files_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_files")),
        sa.UniqueConstraint("source_id", "sha256", name=op.f("uq_statement_files_source_id_sha256")),
    )
    op.create_index(
        "uq_statement_files_day",
        "statement_files",
        ["source_id", "day", "sequence"],
        unique=True,
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "match_members",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("void", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["match_groups.id"], name=op.f("fk_match_members_group_id")),
        sa.PrimaryKeyConstraint("group_id", "item", name=op.f("pk_match_members")),
    )
    op.create_index(
        "uq_match_members_live",
        "match_members",
        ["leg", "item"],
        unique=True,
        sqlite_where=sa.text("NOT void"),
        postgresql_where=sa.text("NOT void"),
    )
    op.create_table(
        "recon_breaks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("denomination", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_day", sa.Text(), nullable=True),
        sa.Column("days_late", sa.Integer(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_recon_breaks_request_id")),
        sa.ForeignKeyConstraint(["source_id"], ["statement_sources.id"], name=op.f("fk_recon_breaks_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_breaks")),
    )
    op.create_index("ix_recon_breaks_request_id", "recon_breaks", ["request_id"], unique=False)
    op.create_index("ix_recon_breaks_source_id_state", "recon_breaks", ["source_id", "state"], unique=False)
    op.create_table(
        "statement_lines",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("file_day", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("our_reference", sa.Text(), nullable=False),
        sa.Column("their_reference", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("denomination", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("matched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["statement_files.id"], name=op.f("fk_statement_lines_file_id")),
        sa.ForeignKeyConstraint(["source_id"], ["statement_sources.id"], name=op.f("fk_statement_lines_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint(
            "file_id", "fingerprint", "occurrence", name=op.f("uq_statement_lines_file_id_fingerprint_occurrence")
        ),
    )
    op.create_index("ix_statement_lines_source_id_file_day", "statement_lines", ["source_id", "file_day"], unique=False)
    op.create_index(
        "ix_statement_lines_unmatched",
        "statement_lines",
        ["source_id"],
        unique=False,
        sqlite_where=sa.text("NOT matched"),
        postgresql_where=sa.text("NOT matched"),
    )
    op.create_table(
        "recon_resolutions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("break_id", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("checker", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("journal_id", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("checker IS NULL OR checker <> maker", name=op.f("ck_recon_resolutions_two_people")),
        sa.ForeignKeyConstraint(["break_id"], ["recon_breaks.id"], name=op.f("fk_recon_resolutions_break_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_resolutions")),
    )
    op.create_index("ix_recon_resolutions_break_id", "recon_resolutions", ["break_id"], unique=False)
    op.add_column("attempts", sa.Column("amount_minor", sa.BigInteger(), nullable=True))

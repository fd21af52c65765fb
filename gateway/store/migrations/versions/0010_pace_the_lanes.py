"""Pace the lanes: breakers and rates for all workers, channels that take turns, and how often a job failed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "lanes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("probe_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("probe_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pause_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("good_probes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=True),
        sa.Column("recovered_at", sa.BigInteger(), nullable=True),
        sa.Column("closures", sa.Text(), server_default="[]", nullable=False),
        sa.Column("slot_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lanes")),
    )
    op.add_column("jobs", sa.Column("channel_id", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("stumbles", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE jobs SET channel_id = (SELECT channel_id FROM requests WHERE requests.id = jobs.request_id)")
    op.drop_index("ix_jobs_free", "jobs")
    op.drop_index("ix_jobs_due_at", "jobs")
    free = sa.text("claimed_by IS NULL")
    turn = ["lane", "priority", "channel_id", "due_at"]
    op.create_index("ix_jobs_turn", "jobs", turn, sqlite_where=free, postgresql_where=free)
    op.create_index("ix_jobs_lane_due_at", "jobs", ["lane", "due_at"], sqlite_where=free, postgresql_where=free)

"""Work on breaks: notes of people, and from which day on a break of which type was resolved."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.add_column("recon_resolutions", sa.Column("type", sa.Text(), nullable=True))
    op.add_column("recon_resolutions", sa.Column("day", sa.Text(), nullable=True))
    op.create_table(
        "recon_break_notes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("break_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["break_id"], ["recon_breaks.id"], name=op.f("fk_recon_break_notes_break_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_break_notes")),
    )
    op.create_index("ix_recon_break_notes_break_id", "recon_break_notes", ["break_id"])

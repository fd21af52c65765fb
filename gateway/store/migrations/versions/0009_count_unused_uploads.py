"""Count the uploads of a channel that no request refers to."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    where = sa.text("used_at IS NULL")
    op.create_index(
        "ix_attachments_unused", "attachments", ["channel_id", "size"], sqlite_where=where, postgresql_where=where
    )

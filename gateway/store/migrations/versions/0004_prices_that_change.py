"""Keep what was paid when another amount was owed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.add_column("intents", sa.Column("paid_minor", sa.BigInteger(), server_default="0", nullable=False))

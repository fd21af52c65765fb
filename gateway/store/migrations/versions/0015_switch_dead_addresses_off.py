"""Switch addresses of webhooks off that fail for days, and let a redelivery hold up nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.add_column("webhook_endpoints", sa.Column("failing_since", sa.BigInteger(), nullable=True))
    op.add_column("webhook_deliveries", sa.Column("again", sa.Boolean(), server_default=sa.false(), nullable=False))

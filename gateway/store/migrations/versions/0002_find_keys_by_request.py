"""Find keys by request, so that an accept does not look through all of them."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_index("ix_idempotency_request_id", "idempotency", ["request_id"], unique=False)

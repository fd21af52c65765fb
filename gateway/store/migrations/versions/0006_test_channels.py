"""Mark test channels and their requests."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    for table in ("principals", "requests"):
        op.add_column(table, sa.Column("test", sa.Boolean(), server_default=sa.false(), nullable=False))
    where = sa.text("test")
    op.create_index("ix_requests_test", "requests", ["state"], sqlite_where=where, postgresql_where=where)

"""Keep large documents and attachments."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "blobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blobs")),
    )
    op.create_index("ix_blobs_created_at", "blobs", ["created_at"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["blob_id"], ["blobs.id"], name=op.f("fk_attachments_blob_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["principals.id"], name=op.f("fk_attachments_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "digest", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_blob_id", "attachments", ["blob_id"], unique=False)
    op.create_index("ix_attachments_created_at", "attachments", ["created_at", "used_at"], unique=False)
    op.create_table(
        "blob_chunks",
        sa.Column("blob_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blobs.id"], name=op.f("fk_blob_chunks_blob_id")),
        sa.PrimaryKeyConstraint("blob_id", "number", name=op.f("pk_blob_chunks")),
    )
    op.add_column("documents", sa.Column("blob_id", sa.Text(), nullable=True))
    op.create_index("ix_request_documents_digest", "request_documents", ["digest"], unique=False)

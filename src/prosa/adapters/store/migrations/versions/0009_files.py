"""Files of users, and which messages show them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, isolate

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    _files()
    _attachments()
    for table in ("files", "attachments"):
        isolate(table)
    admit_engine("files", ["SELECT (id, conversation_id, created_at)", "DELETE"])


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("conversation_id", Id, comment="null until it is sent"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_files_conversation_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_files_conversation_id", "files", ["conversation_id"])
    op.create_index("ix_files_used", "files", ["user_id", "size"])
    unsent = sa.text("conversation_id IS NULL")
    op.create_index("ix_files_unsent", "files", ["created_at"], sqlite_where=unsent, postgresql_where=unsent)


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("message_id", Id, nullable=False),
        sa.Column("file_id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "file_id", name="pk_attachments"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_attachments_message_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name="fk_attachments_file_id", ondelete="CASCADE"),
    )
    op.create_index("ix_attachments_file_id", "attachments", ["file_id"])

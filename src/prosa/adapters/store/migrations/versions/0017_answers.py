"""Answers that are kept, and which of the messages came from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.roles import isolate, let_engine_change

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "answer_cache",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("key", sa.Text(), nullable=False, comment="digest of all that the answer depends on"),
        sa.Column("family", sa.Text(), nullable=False, comment="the same, but for the question"),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), comment="of the question, as 32-bit floats"),
        sa.Column("conversation_id", Id),
        sa.Column("message_id", Id),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer_cache"),
        sa.UniqueConstraint("user_id", "key", name="uq_answer_cache_user_id_key"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_answer_cache_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_answer_cache_message_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_answer_cache_user_id_family_created_at", "answer_cache", ["user_id", "family", "created_at"]
    )
    op.create_index("ix_answer_cache_user_id_expires_at", "answer_cache", ["user_id", "expires_at"])
    op.create_index("ix_answer_cache_conversation_id", "answer_cache", ["conversation_id"])
    op.create_index("ix_answer_cache_message_id", "answer_cache", ["message_id"])
    isolate("answer_cache")
    op.add_column("messages", sa.Column("cached_at", Instant, comment="when the kept answer was given"))
    let_engine_change("messages", "cached_at")

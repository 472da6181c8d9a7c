"""Prompt templates, and feedback on messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from prosa.adapters.store.migrations.roles import isolate

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _templates()
    _feedback()


def _templates() -> None:
    op.create_table(
        "prompt_templates",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("variables", Json, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_templates"),
    )
    op.create_index("ix_prompt_templates_user_id_id", "prompt_templates", ["user_id", "id"])
    isolate("prompt_templates")


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("message_id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("thumb", sa.Text()),
        sa.Column("rating", sa.Integer()),
        sa.Column("tags", Json, nullable=False),
        sa.Column("comment", sa.Text()),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_feedback_message_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_feedback_user_id_updated_at_message_id", "feedback", ["user_id", "updated_at", "message_id"]
    )
    isolate("feedback")

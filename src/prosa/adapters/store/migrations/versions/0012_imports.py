"""What imported messages were called elsewhere; indexes for exports and for pages of long conversations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_CALLED = "what an imported message was called where it came from"

Json = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("messages", sa.Column("external_id", sa.Text(), comment=_CALLED))
    op.add_column("messages", sa.Column("metadata", Json, comment="null where there is none"))
    known = sa.text("external_id IS NOT NULL")
    op.create_index(
        "uq_messages_user_id_external_id",
        "messages",
        ["user_id", "external_id"],
        unique=True,
        sqlite_where=known,
        postgresql_where=known,
    )
    op.create_index("ix_messages_parent_id_conversation_id", "messages", ["parent_id", "conversation_id"])
    op.create_index("ix_conversations_user_id_id", "conversations", ["user_id", "id"])

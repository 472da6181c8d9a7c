"""Tickets and their answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.roles import isolate

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("ticket_id", sa.Text(), nullable=False, comment="the one that its desk gave it"),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("run_id", Id, comment="the last one that was to answer it"),
        sa.Column("kept_run_id", Id, comment="the one whose answer stands should that one fail"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_tickets_conversation_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("user_id", "ticket_id", name="uq_tickets_user_id_ticket_id"),
    )
    op.create_index("ix_tickets_conversation_id", "tickets", ["conversation_id"])
    op.create_index("ix_tickets_user_id_updated_at_id", "tickets", ["user_id", "updated_at", "id"])
    isolate("tickets")

"""What the ledger knows of an attempt, and alerts that were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, enclose

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    note = "which prices the cost is by; null where none is known"
    op.add_column("ai_usage", sa.Column("price_version", sa.Text(), comment=note))
    op.create_table(
        "alerts",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="what it is told once in"),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("owed", sa.Text(), nullable=False, comment="who has not got it: names with spaces between"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", Instant, comment="when it is delivered next; null once that is over"),
        sa.Column("delivered_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("kind", "subject", "period", "level", name="uq_alerts_kind_subject_period_level"),
    )
    op.create_index(
        "ix_alerts_due",
        "alerts",
        ["next_at"],
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    admit_engine("spending", ["SELECT"])
    enclose("alerts")
    admit_engine("alerts", ["SELECT", "INSERT", "UPDATE (owed, attempts, next_at, delivered_at)", "DELETE"])

"""Providers' keys, sealed: the operator's, out of the application's sight."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, enclose

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "provider_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), comment="nonce and ciphertext; null once the key is retired"),
        sa.Column("master", sa.Text(), comment="the name of the master key that opens it"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("set_aside_at", Instant),
        sa.Column("retired_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_provider_keys"),
    )
    enclose("provider_keys")
    admit_engine(
        "provider_keys",
        [
            "SELECT",
            "INSERT",
            "UPDATE (state, reason, sealed, master, set_aside_at, retired_at)",
        ],
    )
    keyed = sa.text("key_id IS NOT NULL")
    op.create_index(
        "ix_ai_usage_key",
        "ai_usage",
        ["key_id", "created_at"],
        sqlite_where=keyed,
        postgresql_where=keyed,
    )

"""API keys and suspensions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, enclose

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False, comment="with spaces between them"),
        sa.Column("hash", sa.Text(), nullable=False, comment="argon2id of the secret"),
        sa.Column("sealed", sa.LargeBinary(), comment="what a key that may sign embed tokens signs with"),
        sa.Column("master", sa.Text(), comment="the name of the master key that opens it"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("last_used_at", Instant),
        sa.Column("revoked_at", Instant),
        sa.Column("limits", sa.Text(), comment="JSON; what the token said that made it"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id", "id"])
    op.create_table(
        "suspensions",
        sa.Column("kind", sa.Text(), nullable=False, comment="user or client"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False, comment="what alone is taken away; empty: everything"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_suspensions"),
    )
    enclose("api_keys")
    admit_engine(
        "api_keys", ["SELECT", "INSERT", "UPDATE (sealed, master, last_used_at, revoked_at)", "DELETE"]
    )
    enclose("suspensions")
    admit_engine(
        "suspensions", ["SELECT", "INSERT", "UPDATE (part, reason, created_at, created_by)", "DELETE"]
    )

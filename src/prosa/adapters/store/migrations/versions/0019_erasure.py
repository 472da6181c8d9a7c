"""What is erased, and when; who sweeps. What the engine has to see for it, and to change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, enclose, let_engine_change

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", Id, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False, comment="user or client"),
        sa.Column("subject", sa.Text(), comment="whose; null once it is done"),
        sa.Column("hash", sa.Text(), nullable=False, comment="of the id and the subject"),
        sa.Column("counts", Json, nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("erased_at", Instant, comment="null until it is done"),
        sa.Column("holder", sa.Text(), nullable=False, comment="the boot that is at it"),
        sa.Column("lease_until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    undone = sa.text("subject IS NOT NULL")
    op.create_index(
        "uq_erasures_open",
        "erasures",
        ["scope", "subject"],
        unique=True,
        sqlite_where=undone,
        postgresql_where=undone,
    )
    op.create_table(
        "duties",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False, comment="the boot that sees to it"),
        sa.Column("lease_until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_duties"),
    )
    enclose("erasures")
    enclose("duties")
    admit_engine("erasures", ["SELECT", "INSERT", "UPDATE (subject, counts, erased_at, holder, lease_until)"])
    admit_engine("duties", ["SELECT", "INSERT", "UPDATE (holder, lease_until)"])
    admit_engine("conversations", ["SELECT (id, user_id, client_id, created_at, updated_at)"])
    admit_engine("prompt_templates", ["SELECT (id, user_id, client_id)"])
    admit_engine("answer_cache", ["SELECT (id, user_id, client_id, created_at, expires_at)"])
    admit_engine("spending", ["DELETE"])
    admit_engine("rates", ["SELECT (slot)", "DELETE"])
    admit_engine("places", ["SELECT (until)", "DELETE"])
    let_engine_change("ai_usage", "user_id, client_id")
    if op.get_context().dialect.name == "postgresql":
        op.execute("GRANT SELECT (user_id, client_id) ON files TO prosa_engine")

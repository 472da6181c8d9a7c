"""Limits by user and client, and what is counted against them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.counting import count_entries, count_requests
from prosa.adapters.store.migrations.roles import admit_engine, enclose

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False, comment="picodollars"),
        sa.PrimaryKeyConstraint("scope", "subject", "since", "until", name="pk_spending"),
        sqlite_with_rowid=False,
    )
    count_entries()
    op.create_table(
        "rates",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False, comment="minutes since 1970"),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "slot", name="pk_rates"),
        prefixes=["UNLOGGED"] if op.get_context().dialect.name == "postgresql" else [],
    )
    op.create_table(
        "places",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("until", Instant, nullable=False, comment="when it counts no more"),
        sa.PrimaryKeyConstraint("key", "node", name="pk_places"),
        prefixes=["UNLOGGED"] if op.get_context().dialect.name == "postgresql" else [],
    )
    count_requests()
    op.create_index("ix_reservations_client_id", "reservations", ["client_id"])
    note = "whether nobody waits for the answer: titles, summaries"
    beside: sa.Column[bool] = sa.Column(
        "beside", sa.Boolean(), nullable=False, server_default=sa.false(), comment=note
    )
    op.add_column("reservations", beside)
    op.create_table(
        "limits",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="empty: of each of the scope"),
        sa.Column("tokens_per_day", sa.BigInteger()),
        sa.Column("cost_per_month", sa.BigInteger(), comment="picodollars"),
        sa.Column("requests_per_minute", sa.BigInteger()),
        sa.Column("runs_at_once", sa.BigInteger()),
        sa.Column("sockets", sa.BigInteger()),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "subject", name="pk_limits"),
    )
    enclose("limits")
    admit_engine("limits", ["SELECT", "INSERT", "UPDATE", "DELETE"])

"""Messages of parts, the steps of runs, runs that wait for their caller; attempts by route and key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, isolate, let_engine_change

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _messages()
    _runs()
    _steps()
    _ledger()
    admit_engine("reservations", ["UPDATE (tokens, cost, created_at)"])


def _messages() -> None:
    note = "null where the text is all there is"
    op.add_column("messages", sa.Column("parts", Json, comment=note))
    let_engine_change("messages", "parts, provider, model")


def _runs() -> None:
    op.add_column("runs", sa.Column("route", sa.Text()))
    attempts = sa.Column(
        "attempts", sa.Integer(), nullable=False, server_default="0", comment="how many the ledger has"
    )
    op.add_column("runs", attempts)
    waits = "until when a run that requires action waits for it"
    op.add_column("runs", sa.Column("expires_at", Instant, comment=waits))
    op.add_column(
        "runs", sa.Column("checkpoint", sa.LargeBinary(), comment="how a run that requires action goes on")
    )
    let_engine_change("runs", "provider, model, attempts, expires_at, checkpoint")


def _steps() -> None:
    op.create_table(
        "run_steps",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text()),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_run_steps"),
        sa.UniqueConstraint("run_id", "place", name="uq_run_steps_run_id_place"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_steps_run_id", ondelete="CASCADE"),
    )
    isolate("run_steps")
    admit_engine("run_steps", ["SELECT", "INSERT", "UPDATE (status, result, ended_at)"])


def _ledger() -> None:
    op.add_column(
        "ai_usage", sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("ai_usage", sa.Column("route", sa.Text()))
    op.add_column("ai_usage", sa.Column("key_id", Id))
    let_engine_change("ai_usage", "cache_write_tokens")

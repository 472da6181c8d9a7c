"""What operators see of long times: indices that hold it, and on SQLite sums beside the ledger."""

import sqlalchemy as sa
from alembic import op

from prosa.adapters.store.migrations.summing import sum_entries

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, *columns in (
        ("runs", "status", "created_at", "first_token_at", "ended_at"),
        ("messages", "created_at", "kind", "role"),
        ("ai_usage", "created_at", "prompt_tokens", "completion_tokens", "cost"),
    ):
        op.create_index("_".join(("ix", table, *columns)), table, columns)
    failed = sa.text("error_code IS NOT NULL")
    op.create_index(
        "ix_runs_failed",
        "runs",
        ["created_at", "error_code", "provider", "model", "ended_at"],
        sqlite_where=failed,
        postgresql_where=failed,
    )
    sum_entries()

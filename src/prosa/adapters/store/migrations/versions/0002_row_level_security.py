"""Row level security, on Postgres."""

from alembic import op

from prosa.adapters.store.migrations import ENGINE
from prosa.adapters.store.migrations.roles import admit_engine, create_groups, isolate

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_groups()
    for table in (
        "conversations",
        "messages",
        "runs",
        "journal",
        "ai_usage",
        "reservations",
        "idempotency",
        "sign_ins",
    ):
        isolate(table)
    ends = "status, reason, error_code, error_message, usage, cost, ended_at"
    admit_engine("runs", ["SELECT", f"UPDATE (owner, lease_until, {ends})"])
    admit_engine("journal", ["SELECT", "INSERT"])
    admit_engine("messages", ["SELECT", "UPDATE (content, status)"])
    admit_engine("reservations", ["SELECT", "DELETE"])
    counts = "prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens"
    admit_engine("ai_usage", ["SELECT", "INSERT", f"UPDATE ({counts}, cost, estimated)"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT USAGE ON SEQUENCE journal_id_seq TO {ENGINE}")

"""The audit log's oldest rows may go, once it is put down where the chain goes on from."""

import sqlalchemy as sa
from alembic import op

from prosa.adapters.store.migrations.roles import admit_engine, let_engine_change

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SQLITE = (
    "DROP TRIGGER audit_log_deleted",
    """
    CREATE TRIGGER audit_log_deleted BEFORE DELETE ON audit_log
    WHEN OLD.id > coalesce((SELECT swept FROM audit_head), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END
    """,
)
_POSTGRES = (
    "DROP TRIGGER audit_log_kept ON audit_log",
    """
    CREATE TRIGGER audit_log_kept BEFORE UPDATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION prosa_append_only()
    """,
    """
    CREATE FUNCTION prosa_swept_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.id > coalesce((SELECT swept FROM audit_head), 0) THEN
        RAISE EXCEPTION 'the audit log is append only';
      END IF;
      RETURN OLD;
    END $$
    """,
    """
    CREATE TRIGGER audit_log_swept BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION prosa_swept_only()
    """,
)


def upgrade() -> None:
    note = "so many rows are gone from the beginning"
    op.add_column(
        "audit_head", sa.Column("swept", sa.BigInteger(), nullable=False, server_default="0", comment=note)
    )
    note = "the hash of the last of them"
    op.add_column(
        "audit_head", sa.Column("swept_hash", sa.Text(), nullable=False, server_default="", comment=note)
    )
    let_engine_change("audit_head", "swept, swept_hash")
    admit_engine("audit_log", ["DELETE"])
    for statement in _POSTGRES if op.get_context().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)

"""The audit log: rows are added, and nothing else."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from prosa.adapters.store.migrations.roles import admit_engine, enclose

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")

_REFUSED = "RAISE(ABORT, 'the audit log is append only')"
_SQLITE = (
    f"CREATE TRIGGER audit_log_changed BEFORE UPDATE ON audit_log BEGIN SELECT {_REFUSED}; END",
    f"CREATE TRIGGER audit_log_deleted BEFORE DELETE ON audit_log BEGIN SELECT {_REFUSED}; END",
    f"CREATE TRIGGER audit_head_deleted BEFORE DELETE ON audit_head BEGIN SELECT {_REFUSED}; END",
)
_POSTGRES = (
    """
    CREATE FUNCTION prosa_append_only() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is append only'; END $$
    """,
    """
    CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION prosa_append_only()
    """,
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="the place in the chain, from 1, with no gap",
        ),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON, to the letter as its hash has it"),
        sa.Column("previous", sa.Text(), nullable=False, comment="the hash of the row before"),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_actor_id", "audit_log", ["actor", "id"])
    op.create_index("ix_audit_log_action_id", "audit_log", ["action", "id"])
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="1: there is one row"),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    for table in ("audit_log", "audit_head"):
        enclose(table)
    admit_engine("audit_log", ["SELECT", "INSERT"])
    admit_engine("audit_head", ["SELECT", "INSERT", "UPDATE (rows, hash)"])
    for statement in _POSTGRES if op.get_context().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)

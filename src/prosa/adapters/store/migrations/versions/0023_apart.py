"""The index that a search reads on Postgres is for searches alone."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every statement names the owner of what it reads. Where Postgres knew nothing of a new table yet, it
    therefore looked through all that he wrote, for each message. By another collation than the column's own,
    the index is considered only where a statement asks for it."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("DROP INDEX ix_messages_search")
    op.execute('CREATE INDEX ix_messages_search ON messages (user_id COLLATE "C", created_at, id)')

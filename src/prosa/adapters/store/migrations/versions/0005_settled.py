"""How far the events of a run are paid for, so that a crash bills what came after and nothing twice."""

import sqlalchemy as sa
from alembic import op

from prosa.adapters.store.migrations.roles import let_engine_change

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    note = "the last event of those whose attempts the ledger has"
    op.add_column(
        "runs", sa.Column("settled", sa.Integer(), nullable=False, server_default="0", comment=note)
    )
    let_engine_change("runs", "settled")

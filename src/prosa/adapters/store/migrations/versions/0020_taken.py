"""What an answer without a run has taken so far, and which process keeps what is held for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from prosa.adapters.store.migrations.roles import let_engine_change

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

Json = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("reservations", sa.Column("boot", sa.Text(), comment="the process that keeps it"))
    note = "without a run: the ledger entry of the attempt that goes on, if nobody told more of it"
    op.add_column("reservations", sa.Column("taken", Json, comment=note))
    let_engine_change("reservations", "taken")

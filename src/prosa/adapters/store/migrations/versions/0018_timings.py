"""How long runs took."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from prosa.adapters.store.migrations.roles import let_engine_change

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_JSON = sa.Text().with_variant(JSONB(), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column("runs", sa.Column("first_token_at", _INSTANT))
    op.add_column("runs", sa.Column("timings", _JSON, comment="its attempts and waits; see domain.timing"))
    let_engine_change("runs", "first_token_at, timings")

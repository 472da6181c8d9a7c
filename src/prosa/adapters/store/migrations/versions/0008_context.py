"""What of a branch a run sent, counts of tokens, summaries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from prosa.adapters.store.migrations.roles import let_engine_change

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


_JSON = sa.Text().with_variant(JSONB(), "postgresql")
_INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column("messages", sa.Column("kind", sa.Text(), nullable=False, server_default="message"))
    counted = "how many there are, by encoding; null where nobody counted"
    op.add_column("messages", sa.Column("tokens", _JSON, comment=counted))
    op.add_column("runs", sa.Column("context", _JSON, comment="what of the branch was sent"))
    let_engine_change("messages", "tokens")
    until = "until when some node writes a summary of it"
    op.add_column("conversations", sa.Column("summary_until", _INSTANT, comment=until))

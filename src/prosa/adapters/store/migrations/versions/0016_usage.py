"""What the ledger knows of an attempt, and alerts that were told."""

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass

"""Conversations: pinned, archived, of a ticket; whose title it is; what lists are searched by."""

import sqlalchemy as sa
from alembic import op

from prosa.adapters.store.migrations.roles import unbound
from prosa.kit.text import folded

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LIST = (
    *("user_id", "updated_at", "id", "archived", "pinned", "status", "client_id"),
    *("answer_provider", "answer_model", "title_key"),
)
_LENGTH = 120


def upgrade() -> None:
    for name in ("pinned", "archived"):
        flag: sa.Column[bool] = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("conversations", flag)
    for name, note in (
        ("ticket_id", None),
        ("title_by", "who made the title, if not its owner"),
        ("title_key", "the beginning of the title as a search compares it"),
        ("answer_provider", "who answered last, or will"),
        ("answer_model", None),
    ):
        op.add_column("conversations", sa.Column(name, sa.Text(), comment=note))
    with unbound("conversations"):
        _fill()
    op.drop_index("ix_conversations_user_id_updated_at_id", "conversations")
    of_none = sa.text("ticket_id IS NULL")
    op.create_index(
        "ix_conversations_list",
        "conversations",
        list(_LIST),
        sqlite_where=of_none,
        postgresql_where=of_none,
    )


def _fill() -> None:
    names = ("id", "title", "title_key", "provider", "model", "answer_provider", "answer_model")
    rows = sa.table("conversations", *map(sa.column, names))
    here = op.get_bind()
    here.execute(sa.update(rows).values(answer_provider=rows.c.provider, answer_model=rows.c.model))
    titled = here.execute(sa.select(rows.c.id, rows.c.title).where(rows.c.title.is_not(None))).all()
    for identity, title in titled:
        key = folded(title)[:_LENGTH]
        here.execute(sa.update(rows).where(rows.c.id == identity).values(title_key=key))

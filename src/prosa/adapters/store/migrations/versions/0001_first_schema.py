"""First schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.Text().with_variant(sa.UUID(as_uuid=False), "postgresql")
Instant = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = sa.Text().with_variant(JSONB(), "postgresql")


def _text(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, **options)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Id, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Instant, nullable=nullable)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _cost(comment: str) -> sa.Column[Any]:
    return sa.Column("cost", sa.BigInteger(), comment=comment)


def _whose() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return _text("user_id"), _text("client_id", server_default="")


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _child(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    _create_conversations()
    _create_messages()
    _create_runs()
    _create_journal()
    _create_ledger()
    _create_idempotency()
    _create_sign_ins()


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        _id(),
        *_whose(),
        _text("external_id", nullable=True),
        _text("title", nullable=True),
        _text("system_prompt", nullable=True),
        _text("provider", nullable=True),
        _text("model", nullable=True),
        _text("status"),
        _id("head_id", nullable=True),
        sa.Column("metadata", Json, nullable=False),
        _instant("created_at"),
        _instant("updated_at"),
        _key("conversations", "id"),
        _unique("conversations", "user_id", "external_id"),
    )
    _index("conversations", "user_id", "updated_at", "id")


def _create_messages() -> None:
    op.create_table(
        "messages",
        _id(),
        _text("user_id"),
        _id("conversation_id"),
        _id("parent_id", nullable=True),
        _text("role"),
        _text("content"),
        _text("status"),
        _id("run_id", nullable=True),
        _text("provider", nullable=True),
        _text("model", nullable=True),
        _instant("created_at"),
        _key("messages", "id"),
        _child("messages", "conversation_id", "conversations"),
    )
    _index("messages", "conversation_id", "id")


def _create_runs() -> None:
    op.create_table(
        "runs",
        _id(),
        *_whose(),
        _id("conversation_id"),
        _id("user_message_id", nullable=True),
        _id("message_id"),
        _text("status"),
        _text("provider"),
        _text("model"),
        _text("reason", nullable=True),
        _text("error_code", nullable=True),
        _text("error_message", nullable=True),
        sa.Column("usage", Json),
        _cost("picodollars: a millionth of a millionth of a US dollar"),
        _text("owner", comment="the boot that executes the run"),
        _instant("lease_until"),
        _instant("created_at"),
        _instant("ended_at", nullable=True),
        _key("runs", "id"),
        _child("runs", "conversation_id", "conversations"),
    )
    _index("runs", "conversation_id")
    unended = sa.text("ended_at IS NULL")
    op.create_index("ix_runs_open", "runs", ["owner"], sqlite_where=unended, postgresql_where=unended)


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True),
        _text("user_id"),
        _id("run_id"),
        _count("first_seq"),
        _count("last_seq"),
        sa.Column(
            "data",
            sa.LargeBinary(),
            nullable=False,
            comment="the events' JSON lines, joined by line feeds",
        ),
        _key("journal", "id"),
        _child("journal", "run_id", "runs"),
    )
    _index("journal", "run_id", "first_seq")


def _create_ledger() -> None:
    op.create_table(
        "ai_usage",
        _id(),
        *_whose(),
        _id("conversation_id", nullable=True),
        _id("run_id", nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _text("provider"),
        _text("model"),
        _count("prompt_tokens"),
        _count("completion_tokens"),
        _count("total_tokens"),
        _count("cached_tokens"),
        _count("reasoning_tokens"),
        _cost("picodollars; null where the price is not known"),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        _instant("created_at"),
        _key("ai_usage", "id"),
        _unique("ai_usage", "run_id", "attempt"),
    )
    op.create_index("ix_ai_usage_spent", "ai_usage", ["user_id", "created_at", "total_tokens", "cost"])
    op.create_table(
        "reservations",
        _id("run_id"),
        *_whose(),
        _count("tokens"),
        _cost("picodollars; null where the price is not known"),
        _instant("created_at"),
        _key("reservations", "run_id"),
    )
    _index("reservations", "user_id")


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        _text("user_id"),
        _text("key"),
        _text("body_hash"),
        _id("run_id"),
        _instant("created_at"),
        _key("idempotency", "user_id", "key"),
        _child("idempotency", "run_id", "runs"),
    )
    _index("idempotency", "run_id")


def _create_sign_ins() -> None:
    op.create_table(
        "sign_ins",
        _text("id", comment="the `jti` of a sign-in link that was used"),
        _text("user_id"),
        _instant("used_at"),
        _key("sign_ins", "id"),
    )

"""The schema, once for SQLite and Postgres. DESIGN's data section says what each table is for."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# In Python an id is a canonical string, an instant whole microseconds, JSON a string: on both databases.
Id = Text().with_variant(UUID(as_uuid=False), "postgresql")
Instant = BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = Text().with_variant(JSONB(), "postgresql")


def _id(**options: Any) -> Column[Any]:
    return Column("id", Id, primary_key=True, **options)


def _owner() -> Column[Any]:
    return Column("user_id", Text, nullable=False)


def _client() -> Column[Any]:
    return Column("client_id", Text, nullable=False, server_default="")


conversations = Table(
    "conversations",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("external_id", Text),
    Column("title", Text),
    Column("system_prompt", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("status", Text, nullable=False),
    Column("head_id", Id),
    Column("metadata", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ticket_id", Text),
    Column("summary_until", Instant, comment="until when some node writes a summary of it"),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("title_by", Text, comment="who made the title, if not its owner"),
    Column("title_key", Text, comment="the beginning of the title as a search compares it"),
    Column("answer_provider", Text, comment="who answered last, or will"),
    Column("answer_model", Text),
    UniqueConstraint("user_id", "external_id"),
    Index(None, "user_id", "id"),
    # What a list may ask for is in the index itself: who has 10,000 conversations sees a page of few at once.
    Index(
        "ix_conversations_list",
        *("user_id", "updated_at", "id", "archived", "pinned", "status", "client_id"),
        *("answer_provider", "answer_model", "title_key"),
        sqlite_where=text("ticket_id IS NULL"),
        postgresql_where=text("ticket_id IS NULL"),
    ),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _owner(),
    Column("conversation_id", Id, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("parent_id", Id),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("run_id", Id),
    Column("provider", Text),
    Column("model", Text),
    Column("created_at", Instant, nullable=False),
    Column("parts", Json, comment="null where the text is all there is"),
    Column("external_id", Text, comment="what an imported message was called where it came from"),
    Column("metadata", Json, comment="null where there is none"),
    Column("kind", Text, nullable=False, server_default="message"),
    Column("tokens", Json, comment="how many there are, by encoding; null where nobody counted"),
    Column("cached_at", Instant, comment="when the kept answer was given"),
    Index(None, "conversation_id", "id"),
    Index(None, "parent_id", "conversation_id"),
    Index(
        "uq_messages_user_id_external_id",
        "user_id",
        "external_id",
        unique=True,
        sqlite_where=text("external_id IS NOT NULL"),
        postgresql_where=text("external_id IS NOT NULL"),
    ),
)

runs = Table(
    "runs",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("conversation_id", Id, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("user_message_id", Id),
    Column("message_id", Id, nullable=False),
    Column("status", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("reason", Text),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("usage", Json),
    Column("cost", BigInteger, comment="picodollars: a millionth of a millionth of a US dollar"),
    Column("owner", Text, nullable=False, comment="the boot that executes the run"),
    Column("lease_until", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("route", Text),
    Column("attempts", Integer, nullable=False, server_default="0", comment="how many the ledger has"),
    Column("expires_at", Instant, comment="until when a run that requires action waits for it"),
    Column("checkpoint", LargeBinary, comment="how a run that requires action goes on"),
    Column(
        "settled",
        Integer,
        nullable=False,
        server_default="0",
        comment="the last event of those whose attempts the ledger has",
    ),
    Column("context", Json, comment="what of the branch was sent"),
    Column("first_token_at", Instant),
    Column("timings", Json, comment="its attempts and waits; see domain.timing"),
    Index(None, "conversation_id"),
    Index(
        "ix_runs_open",
        "owner",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

run_steps = Table(
    "run_steps",
    metadata,
    _id(),
    _owner(),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("needs", Text),
    Column("arguments", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("result", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    UniqueConstraint("run_id", "place"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _owner(),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False, comment="the events' JSON lines, joined by line feeds"),
    Index(None, "run_id", "first_seq"),
)

ai_usage = Table(
    "ai_usage",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("conversation_id", Id),
    Column("run_id", Id),
    Column("attempt", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("total_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, comment="picodollars; null where the price is not known"),
    Column("estimated", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False, server_default="0"),
    Column("route", Text),
    Column("key_id", Id),
    Column("price_version", Text, comment="which prices the cost is by; null where none is known"),
    UniqueConstraint("run_id", "attempt"),
    # The sums that limits ask for are in the index itself: a busy user has thousands of entries a day.
    Index("ix_ai_usage_spent", "user_id", "created_at", "total_tokens", "cost"),
    Index(
        "ix_ai_usage_key",
        "key_id",
        "created_at",
        sqlite_where=text("key_id IS NOT NULL"),
        postgresql_where=text("key_id IS NOT NULL"),
    ),
)

reservations = Table(
    "reservations",
    metadata,
    Column("run_id", Id, primary_key=True),
    _owner(),
    _client(),
    Column("tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, comment="picodollars; null where the price is not known"),
    Column("created_at", Instant, nullable=False),
    Index(None, "user_id"),
    Column(
        "beside",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether nobody waits for the answer: titles, summaries",
    ),
    Index(None, "client_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "run_id"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True, comment="the `jti` of a sign-in link that was used"),
    _owner(),
    Column("used_at", Instant, nullable=False),
)

prompt_templates = Table(
    "prompt_templates",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("content", Text, nullable=False),
    Column("variables", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "user_id", "id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("message_id", Id, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    _owner(),
    Column("conversation_id", Id, nullable=False),
    Column("thumb", Text),
    Column("rating", Integer),
    Column("tags", Json, nullable=False),
    Column("comment", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "user_id", "updated_at", "message_id"),
)

tickets = Table(
    "tickets",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("ticket_id", Text, nullable=False, comment="the one that its desk gave it"),
    Column("conversation_id", Id, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("body", Text, nullable=False),
    Column("run_id", Id, comment="the last one that was to answer it"),
    Column("kept_run_id", Id, comment="the one whose answer stands should that one fail"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("user_id", "ticket_id"),
    Index(None, "conversation_id"),
    Index(None, "user_id", "updated_at", "id"),
)

answer_cache = Table(
    "answer_cache",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("key", Text, nullable=False, comment="digest of all that the answer depends on"),
    Column("family", Text, nullable=False, comment="the same, but for the question"),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("vector", LargeBinary, comment="of the question, as 32-bit floats"),
    Column("conversation_id", Id, ForeignKey("conversations.id", ondelete="CASCADE")),
    Column("message_id", Id, ForeignKey("messages.id", ondelete="CASCADE")),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    UniqueConstraint("user_id", "key"),
    Index(None, "user_id", "family", "created_at"),
    Index(None, "user_id", "expires_at"),
    Index(None, "conversation_id"),
    Index(None, "message_id"),
)

provider_keys = Table(
    "provider_keys",
    metadata,
    _id(),
    Column("provider", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("hint", Text, nullable=False),
    Column("sealed", LargeBinary, comment="nonce and ciphertext; null once the key is retired"),
    Column("master", Text, comment="the name of the master key that opens it"),
    Column("created_at", Instant, nullable=False),
    Column("set_aside_at", Instant),
    Column("retired_at", Instant),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column("name", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("scopes", Text, nullable=False, comment="with spaces between them"),
    Column("hash", Text, nullable=False, comment="argon2id of the secret"),
    Column("sealed", LargeBinary, comment="what a key that may sign embed tokens signs with"),
    Column("master", Text, comment="the name of the master key that opens it"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("limits", Text, comment="JSON; what the token said that made it"),
    Index("ix_api_keys_user_id", "user_id", "id"),
)

suspensions = Table(
    "suspensions",
    metadata,
    Column("kind", Text, primary_key=True, comment="user or client"),
    Column("subject", Text, primary_key=True),
    Column("part", Text, nullable=False, comment="what alone is taken away; empty: everything"),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("period", Text, nullable=False, comment="what it is told once in"),
    Column("level", Integer, nullable=False),
    Column("details", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("owed", Text, nullable=False, comment="who has not got it: names with spaces between"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", Instant, comment="when it is delivered next; null once that is over"),
    Column("delivered_at", Instant),
    UniqueConstraint("kind", "subject", "period", "level"),
    Index(
        "ix_alerts_due",
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
)

files = Table(
    "files",
    metadata,
    _id(),
    _owner(),
    _client(),
    Column(
        "conversation_id",
        Id,
        ForeignKey("conversations.id", ondelete="CASCADE"),
        comment="null until it is sent",
    ),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("created_at", Instant, nullable=False),
    Index(None, "conversation_id"),
    Index("ix_files_used", "user_id", "size"),
    Index(
        "ix_files_unsent",
        "created_at",
        sqlite_where=text("conversation_id IS NULL"),
        postgresql_where=text("conversation_id IS NULL"),
    ),
)

attachments = Table(
    "attachments",
    metadata,
    Column("message_id", Id, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("file_id", Id, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    _owner(),
    Index(None, "file_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="the place in the chain, from 1, with no gap",
    ),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", Text, nullable=False, comment="JSON, to the letter as its hash has it"),
    Column("previous", Text, nullable=False, comment="the hash of the row before"),
    Column("hash", Text, nullable=False),
    Index(None, "actor", "id"),
    Index(None, "action", "id"),
    Index(None, "at"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="1: there is one row"),
    Column("rows", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("until", Instant, primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False, comment="picodollars"),
    sqlite_with_rowid=False,
)

rates = Table(
    "rates",
    metadata,
    Column("key", Text, primary_key=True),
    Column("slot", BigInteger, primary_key=True, autoincrement=False, comment="minutes since 1970"),
    Column("count", BigInteger, nullable=False),
)

places = Table(
    "places",
    metadata,
    Column("key", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("until", Instant, nullable=False, comment="when it counts no more"),
)

limits = Table(
    "limits",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("subject", Text, primary_key=True, comment="empty: of each of the scope"),
    Column("tokens_per_day", BigInteger),
    Column("cost_per_month", BigInteger, comment="picodollars"),
    Column("requests_per_minute", BigInteger),
    Column("runs_at_once", BigInteger),
    Column("sockets", BigInteger),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    _id(),
    Column("scope", Text, nullable=False, comment="user or client"),
    Column("subject", Text, comment="whose; null once it is done"),
    Column("hash", Text, nullable=False, comment="of the id and the subject"),
    Column("counts", Json, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("erased_at", Instant, comment="null until it is done"),
    Column("holder", Text, nullable=False, comment="the boot that is at it"),
    Column("lease_until", Instant, nullable=False),
    Index(
        "uq_erasures_open",
        "scope",
        "subject",
        unique=True,
        sqlite_where=text("subject IS NOT NULL"),
        postgresql_where=text("subject IS NOT NULL"),
    ),
)

duties = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False, comment="the boot that sees to it"),
    Column("lease_until", Instant, nullable=False),
)

OWNED = (
    conversations,
    messages,
    runs,
    run_steps,
    journal,
    ai_usage,
    reservations,
    idempotency,
    sign_ins,
    prompt_templates,
    feedback,
    tickets,
    files,
    attachments,
    answer_cache,
)
"""The tables whose rows belong to a user: row level security and the auditor read this."""

ENGINE = (
    runs,
    run_steps,
    journal,
    messages,
    reservations,
    ai_usage,
    files,
    conversations,
    prompt_templates,
    answer_cache,
)
"""The tables that the engine's own role may touch for many users at once: of the last four it sees whose a
row is and how old, and nothing of what it says."""

OPERATORS = (
    provider_keys,
    api_keys,
    suspensions,
    audit_log,
    audit_head,
    alerts,
    limits,
    erasures,
    duties,
)
"""The tables of the operator: no principal's statement names them, and the application may not."""

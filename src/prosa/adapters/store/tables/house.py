"""The operator's tables, and those in which the house counts and divides its work."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from prosa.adapters.store.tables.kinds import Instant, Json, client, identity, metadata, owner

provider_keys = Table(
    "provider_keys",
    metadata,
    identity(),
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
    identity(),
    owner(),
    client(),
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
    identity(),
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
    Column(
        "swept",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="so many rows are gone from the beginning",
    ),
    Column("swept_hash", Text, nullable=False, server_default="", comment="the hash of the last of them"),
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
    identity(),
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

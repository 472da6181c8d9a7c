"""Full-text search over messages: on SQLite an index that is filled in batches, on Postgres a column."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SQLITE = (
    """
    CREATE TABLE search_rows (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE)
    """,
    """
    CREATE TABLE search_waiting (message_id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID
    """,
    """
    CREATE TABLE search_leaving (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, content TEXT NOT NULL)
    """,
    """
    CREATE VIRTUAL TABLE search USING fts5(
        scope, content, content='', columnsize=0, tokenize="unicode61 remove_diacritics 2"
    )
    """,
    """
    CREATE TRIGGER search_written AFTER INSERT ON messages
    WHEN NEW.status <> 'in_progress' AND NEW.content <> ''
    BEGIN
        INSERT OR IGNORE INTO search_waiting VALUES (NEW.id);
    END
    """,
    """
    CREATE TRIGGER search_ended AFTER UPDATE OF content, status ON messages
    WHEN OLD.status = 'in_progress' AND NEW.status <> 'in_progress' AND NEW.content <> ''
    BEGIN
        INSERT OR IGNORE INTO search_waiting VALUES (NEW.id);
    END
    """,
    """
    CREATE TRIGGER search_rewritten AFTER UPDATE OF content ON messages
    WHEN OLD.status <> 'in_progress' AND OLD.content <> NEW.content
    BEGIN
        {forget}
        INSERT OR IGNORE INTO search_waiting SELECT NEW.id WHERE NEW.content <> '';
    END
    """,
    """
    CREATE TRIGGER search_deleted AFTER DELETE ON messages
    WHEN OLD.status <> 'in_progress' AND OLD.content <> ''
    BEGIN
        {forget}
    END
    """,
    """
    INSERT INTO search_waiting SELECT id FROM messages WHERE status <> 'in_progress' AND content <> ''
    """,
)
"""A streaming answer waits for the index once, when it has ended. Writing into the index with each message
would cost four times as much as with many of them at once: each commit makes a segment of it."""

_FORGET = """
        INSERT INTO search_leaving
            SELECT id, hex(OLD.user_id) || ' ' || replace(OLD.conversation_id, '-', ''),
                substr(OLD.content, 1, 100000)
            FROM search_rows WHERE message_id = OLD.id;
        DELETE FROM search_rows WHERE message_id = OLD.id;
        DELETE FROM search_waiting WHERE message_id = OLD.id;
"""
"""The index keeps no text: what is taken out of it must be named as it was put in. That takes as long as
putting it in, so it waits for its turn, too; without its row it is not found any more."""

_MARKS = r"[\u0300-\u036f]"
_SIGNS = r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+"
"""What parts words, so that no parser takes addresses, paths and numbers for one of them."""

_POSTGRES = (
    """
    CREATE FUNCTION prosa_plain(given text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT regexp_replace(
            left(regexp_replace(normalize(left(given, 100000), NFKD), '{marks}', '', 'g'), 150000),
            '{signs}', ' ', 'g'
        )
    $$
    """,
    """
    CREATE FUNCTION prosa_query(phrases text[], open_end boolean) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT string_agg(
            CASE WHEN last AND open_end THEN said || ':*' ELSE '(' || said || ')' END, ' & '
        )::tsquery
        FROM (
            SELECT phraseto_tsquery('pg_catalog.simple', prosa_plain(phrase))::text AS said,
                place = cardinality(phrases) AS last
            FROM unnest(phrases) WITH ORDINALITY AS given (phrase, place)
        ) AS read
        WHERE said <> ''
    $$
    """,
    """
    ALTER TABLE messages ADD COLUMN search tsvector GENERATED ALWAYS AS (
        CASE WHEN status <> 'in_progress' THEN to_tsvector('pg_catalog.simple', prosa_plain(content)) END
    ) STORED
    """,
    """
    CREATE INDEX ix_messages_search ON messages (user_id, created_at, id)
    """,
)
"""Its rows are bounded by what a tsvector may hold. There is no GIN index: row level security comes before
whatever it could find, so that it would never be used."""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for statement in _POSTGRES:
            op.execute(statement.replace("{marks}", _MARKS).replace("{signs}", _SIGNS))
    else:
        for statement in _SQLITE:
            op.execute(statement.replace("{forget}", _FORGET))

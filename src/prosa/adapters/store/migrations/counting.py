"""How the databases keep the counters of what was spent: triggers of the ledger, functions of Postgres."""

from alembic import op

from prosa.adapters.store.migrations import APP, ENGINE

LEDGER, COUNTING = 7_301, 7_302
"""Postgres' advisory locks: whoever enters into the ledger shares the first, whoever begins a counter has it
alone; who counts has the second, so that nobody waits for two counters in two orders."""

_ADD = """UPDATE spending SET tokens = tokens + {tokens}, cost = cost + {cost}
WHERE {mine} AND since <= NEW.created_at AND until > NEW.created_at"""
_SCOPES = (
    "scope = 'user' AND subject = NEW.user_id",
    "scope = 'client' AND subject = NEW.client_id",
    "scope = 'everyone' AND subject = ''",
)
_ENTERED = {"tokens": "NEW.total_tokens", "cost": "coalesce(NEW.cost, 0)"}
_CHANGED = {
    "tokens": "NEW.total_tokens - OLD.total_tokens",
    "cost": "coalesce(NEW.cost, 0) - coalesce(OLD.cost, 0)",
}


def _adding(change: dict[str, str]) -> str:
    return "\n".join(_ADD.format(mine=mine, **change) + ";" for mine in _SCOPES)


def count_entries() -> None:
    """Whatever is entered into the ledger, or mended in it, is added to the counters there are."""
    if op.get_context().dialect.name == "postgresql":
        _functions()
        return
    for name, event, change in (
        ("entered", "INSERT ON", _ENTERED),
        ("changed", "UPDATE OF total_tokens, cost ON", _CHANGED),
    ):
        op.execute(f"CREATE TRIGGER spending_{name} AFTER {event} ai_usage BEGIN\n{_adding(change)}\nEND")


def _functions() -> None:
    """They run as their owner. Policies of his own let him see the rows there, and nowhere else."""
    op.execute("ALTER TABLE spending ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY spending_counted ON spending TO CURRENT_USER USING (true) WITH CHECK (true)")
    for table in ("ai_usage", "reservations"):
        op.execute(
            f"CREATE POLICY {table}_counted ON {table} FOR SELECT TO CURRENT_USER "
            "USING (current_user <> session_user)"
        )
    op.execute(_COUNT)
    op.execute("REVOKE ALL ON FUNCTION prosa_count() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER spending_entered AFTER INSERT OR UPDATE OF total_tokens, cost ON ai_usage "
        "FOR EACH ROW EXECUTE FUNCTION prosa_count()"
    )
    op.execute(_STANDING)
    arguments = "text[], text, text, timestamptz, timestamptz, timestamptz, timestamptz, uuid"
    op.execute(f"REVOKE ALL ON FUNCTION prosa_standing({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION prosa_standing({arguments}) TO {APP}, {ENGINE}")


_DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT"

_MATCHES = " OR ".join(f"({mine})" for mine in _SCOPES)

_COUNT = f"""
CREATE FUNCTION prosa_count() RETURNS trigger {_DEFINER} AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared({LEDGER});
  IF NOT EXISTS (SELECT FROM spending WHERE ({_MATCHES}) AND until > NEW.created_at) THEN
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock({COUNTING});
  IF TG_OP = 'INSERT' THEN
{_adding(_ENTERED)}
  ELSE
{_adding(_CHANGED)}
  END IF;
  RETURN NULL;
END $$
"""

_SEED = """
        INSERT INTO spending (scope, subject, since, until, tokens, cost)
        SELECT asked, whose, span.since, span.until, coalesce(sum(total_tokens), 0), coalesce(sum(cost), 0)
        FROM (VALUES (day_since, day_until), (month_since, month_until)) AS span (since, until)
        LEFT JOIN ai_usage AS entry
          ON entry.created_at >= span.since AND entry.created_at < span.until AND {mine}
        WHERE NOT EXISTS (SELECT FROM spending AS known WHERE known.scope = asked
          AND known.subject = whose AND known.since = span.since AND known.until = span.until)
        GROUP BY span.since, span.until;
"""

_LEFT = """
      RETURN QUERY SELECT
        (SELECT spent.tokens FROM spending AS spent WHERE spent.scope = asked AND spent.subject = whose
          AND spent.since = day_since AND spent.until = day_until),
        (SELECT spent.cost FROM spending AS spent WHERE spent.scope = asked AND spent.subject = whose
          AND spent.since = month_since AND spent.until = month_until),
        coalesce(sum(hold.tokens), 0)::bigint, coalesce(sum(hold.cost), 0)::bigint,
        count(*) FILTER (WHERE NOT hold.beside)
      FROM reservations AS hold WHERE {mine};
"""
"""What is spent and what is held are read in one moment: what is settled meanwhile counts as held still."""


def _of(entries: str, holds: str) -> str:
    return f"IF missing THEN{_SEED.format(mine=entries)}      END IF;{_LEFT.format(mine=holds)}"


_STANDING = f"""
CREATE FUNCTION prosa_standing(
  scopes text[], user_id text, client_id text, day_since timestamptz, day_until timestamptz,
  month_since timestamptz, month_until timestamptz, first_id uuid
) RETURNS TABLE (tokens bigint, cost bigint, held_tokens bigint, held_cost bigint, held bigint)
{_DEFINER} AS $$
#variable_conflict use_column
DECLARE
  asked text;
  whose text;
  missing boolean;
BEGIN
  IF NOT pg_has_role(session_user, '{ENGINE}', 'USAGE') AND (
    'user' = ANY (scopes) AND $2 IS DISTINCT FROM current_setting('prosa.user_id', true)
    OR 'client' = ANY (scopes) AND $3 IS DISTINCT FROM current_setting('prosa.client_id', true)
  ) THEN
    RAISE insufficient_privilege USING MESSAGE = 'What others have left is not yours to see.';
  END IF;
  FOREACH asked IN ARRAY scopes LOOP
    whose := CASE asked WHEN 'user' THEN $2 WHEN 'client' THEN $3 ELSE '' END;
    PERFORM pg_advisory_xact_lock(hashtextextended(asked || ' ' || whose, 0));
  END LOOP;
  FOREACH asked IN ARRAY scopes LOOP
    whose := CASE asked WHEN 'user' THEN $2 WHEN 'client' THEN $3 ELSE '' END;
    missing := 2 > (SELECT count(*) FROM spending AS known WHERE known.scope = asked AND known.subject = whose
      AND (known.since, known.until) IN ((day_since, day_until), (month_since, month_until)));
    IF missing THEN
      PERFORM pg_advisory_xact_lock({LEDGER});
      DELETE FROM spending AS known WHERE known.scope = asked AND known.subject = whose
        AND known.until < month_since - interval '2 days';
    END IF;
    IF asked = 'user' THEN
      {_of("entry.user_id = whose", "hold.user_id = whose")}
    ELSIF asked = 'client' THEN
      {_of("entry.client_id = whose AND entry.id >= first_id", "hold.client_id = whose")}
    ELSE
      {_of("entry.id >= first_id", "true")}
    END IF;
  END LOOP;
END $$
"""  # noqa: S608 - our own words


def count_requests() -> None:
    """Minutes of requests, on Postgres: taken by a function, since a row belongs to nobody."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table in ("rates", "places"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_counted ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    for made, name in (
        (_TAKE, "prosa_take(text[], bigint[], bigint, double precision)"),
        (_ENTER, "prosa_enter(text[], bigint[], text, bigint)"),
        (_LEAVE, "prosa_leave(text[], text)"),
        (_STAY, "prosa_stay(text, bigint)"),
    ):
        op.execute(made)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP}")


_TAKE = f"""
CREATE FUNCTION prosa_take(keys text[], limits bigint[], minute bigint, over double precision)
RETURNS TABLE (now bigint, before bigint, refused boolean)
{_DEFINER} AS $$
#variable_conflict use_column
DECLARE
  found bigint[] := '{{}}';
  earlier bigint[] := '{{}}';
  full_at int := 0;
  one record;
BEGIN
  FOR one IN SELECT key FROM unnest(keys) AS key ORDER BY key LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('rate ' || one.key, 0));
  END LOOP;
  FOR place IN 1 .. cardinality(keys) LOOP
    found := found || coalesce((SELECT count FROM rates WHERE key = keys[place] AND slot = minute), 0);
    earlier := earlier
      || coalesce((SELECT count FROM rates WHERE key = keys[place] AND slot = minute - 1), 0);
    IF full_at = 0 AND found[place] + earlier[place] * (1 - over) + 1 > limits[place] THEN
      full_at := place;
    END IF;
  END LOOP;
  IF full_at = 0 THEN
    DELETE FROM rates WHERE key = ANY (keys) AND slot < minute - 1;
    INSERT INTO rates (key, slot, count) SELECT key, minute, 1 FROM unnest(keys) AS key
    ON CONFLICT (key, slot) DO UPDATE SET count = rates.count + 1;
  END IF;
  RETURN QUERY SELECT found[place], earlier[place], place = full_at
    FROM generate_series(1, cardinality(keys)) AS place;
END $$
"""  # noqa: S608 - our own words

_ENTER = f"""
CREATE FUNCTION prosa_enter(keys text[], limits bigint[], at_node text, seconds bigint) RETURNS int
{_DEFINER} AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  one record;
BEGIN
  FOR one IN SELECT key FROM unnest(keys) AS key ORDER BY key LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('place ' || one.key, 0));
  END LOOP;
  DELETE FROM places WHERE key = ANY (keys) AND until < moment;
  FOR place IN 1 .. cardinality(keys) LOOP
    IF (SELECT coalesce(sum(count), 0) FROM places WHERE key = keys[place]) >= limits[place] THEN
      RETURN place;
    END IF;
  END LOOP;
  INSERT INTO places (key, node, count, until)
    SELECT key, at_node, 1, moment + seconds * interval '1 second' FROM unnest(keys) AS key
  ON CONFLICT (key, node) DO UPDATE SET count = places.count + 1, until = EXCLUDED.until;
  RETURN 0;
END $$
"""  # noqa: S608 - our own words

_LEAVE = f"""
CREATE FUNCTION prosa_leave(keys text[], at_node text) RETURNS void
{_DEFINER} AS $$
DECLARE one record;
BEGIN
  FOR one IN SELECT key FROM unnest(keys) AS key ORDER BY key LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('place ' || one.key, 0));
  END LOOP;
  UPDATE places SET count = count - 1 WHERE key = ANY (keys) AND node = at_node;
  DELETE FROM places WHERE key = ANY (keys) AND node = at_node AND count < 1;
END $$
"""  # noqa: S608 - our own words

_STAY = f"""
CREATE FUNCTION prosa_stay(at_node text, seconds bigint) RETURNS void
{_DEFINER} AS $$
DECLARE one record;
BEGIN
  FOR one IN SELECT DISTINCT key FROM places WHERE node = at_node ORDER BY key LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('place ' || one.key, 0));
  END LOOP;
  UPDATE places SET until = clock_timestamp() + seconds * interval '1 second' WHERE node = at_node;
END $$
"""  # noqa: S608 - our own words

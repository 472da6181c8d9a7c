"""Row level security: what the revisions say to Postgres about its roles, and nothing at all to SQLite."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic import op

from prosa.adapters.store.migrations import APP, ENGINE

_VERBS = {
    "select": "USING ({0})",
    "insert": "WITH CHECK ({0})",
    "update": "USING ({0}) WITH CHECK ({0})",
    "delete": "USING ({0})",
}
_MINE = "user_id = NULLIF(current_setting('prosa.user_id', true), '')"
"""A setting that was set once reads '' in later transactions that do not set it: nobody."""


def create_groups() -> None:
    """The two groups, where the cluster has not got them, and what both may read."""
    if not _postgres():
        return
    for group in (APP, ENGINE):
        op.execute(
            f"DO $$ BEGIN CREATE ROLE {group} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    op.execute(
        f"DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {APP}, {ENGINE}', current_schema()); END $$"
    )
    op.execute(f"GRANT SELECT ON alembic_version TO {APP}, {ENGINE}")


def isolate(table: str) -> None:
    """From now on the application sees and writes rows of the principal alone; even the owner is bound."""
    if not _postgres():
        return
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}")
    for verb, clause in _VERBS.items():
        op.execute(
            f"CREATE POLICY {table}_own_{verb} ON {table} FOR {verb.upper()} TO {APP} {clause.format(_MINE)}"
        )


def admit_engine(table: str, rights: Sequence[str]) -> None:
    """The engine sees the rows of all users, and does with them what `rights` say: "SELECT", "INSERT",
    "DELETE", "UPDATE (column, …)"."""
    if not _postgres():
        return
    op.execute(f"GRANT {', '.join(rights)} ON {table} TO {ENGINE}")
    for right in rights:
        verb = right.split()[0].lower()
        op.execute(
            f"CREATE POLICY {table}_engine_{verb} ON {table} FOR {verb.upper()} TO {ENGINE} "
            f"{_VERBS[verb].format('true')}"
        )


def enclose(table: str) -> None:
    """Rows of the operator: the application has no right to the table at all; even its owner sees none."""
    if _postgres():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def let_engine_change(table: str, columns: str) -> None:
    """The engine, which may change some columns of the table already, may change these, too."""
    if _postgres():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {ENGINE}")


@contextmanager
def unbound(table: str) -> Iterator[None]:
    """Meanwhile the owner of the table sees its rows, to change all of them."""
    if _postgres():
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    if _postgres():
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _postgres() -> bool:
    return op.get_context().dialect.name == "postgresql"

"""Which revision a file is at, and how it comes to the newest one."""

import sqlite3
from pathlib import Path

from prosa.adapters.store.migrations import upgrade
from prosa.adapters.store.sqlite.connection import connect

WHOLE = Path(__file__).with_suffix(".sql")
"""What the revisions make of an empty file: `python -m tests.schema` writes it down."""


def current_revision(path: Path) -> str | None:
    """The migration that the file is at; None for a new file."""
    connection = connect(path)
    try:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    return rows[0][0] if rows else None


def bring_up(path: Path) -> None:
    """Makes what is missing of the schema, or nothing where that fails. A new file begins with the whole of
    it: to load Alembic and go through all revisions takes 10 MB and a fifth of a second. Raises
    MisconfiguredError where a newer version was here, StoreUnavailable, sqlite3.Error."""
    revision = current_revision(path)
    if revision is None:
        _begin(path)
        revision = current_revision(path)
    upgrade(f"sqlite:///{path}", revision)


def _begin(path: Path) -> None:
    connection = connect(path)
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{WHOLE.read_text(encoding='utf-8')}COMMIT;")
    finally:
        connection.close()

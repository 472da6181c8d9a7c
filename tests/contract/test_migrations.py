"""The revisions lead, step by step and with data on board, to the tables that the code speaks of."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, pool, select
from sqlalchemy.ext.asyncio import create_async_engine
from tests.postgres import Database, Server
from tests.schema import told

from prosa.adapters.store import migrations
from prosa.adapters.store.migrations import HEAD, config, upgrade, upgrade_over
from prosa.adapters.store.sqlite import schema
from prosa.adapters.store.sqlite.schema import WHOLE, bring_up, current_revision
from prosa.adapters.store.tables import metadata

ONE, TWO, THREE = (f"0190a000-0000-7000-8000-00000000000{digit}" for digit in "123")
TEXTS = {"user_id": "ana", "status": "open", "role": "user", "content": "Olá", "provider": "p", "model": "m"}
FIRST_ROWS: dict[str, dict[str, Any]] = {
    "conversations": {"id": ONE, "metadata": "{}"},
    "messages": {"id": TWO, "conversation_id": ONE},
    "runs": {"id": THREE, "conversation_id": ONE, "message_id": TWO, "owner": "boot"},
    "journal": {"run_id": THREE, "first_seq": 1, "last_seq": 1, "data": b"{}"},
    "ai_usage": {"id": ONE, "run_id": THREE, "attempt": 1, "estimated": False, "cost": 2**60},
    "reservations": {"run_id": THREE, "tokens": 2**60},
    "idempotency": {"key": "k", "body_hash": "h", "run_id": THREE},
    "sign_ins": {"id": "link"},
}
"""A row for each table of revision 0001; what they leave out is filled by kind."""

SEARCH = ("search", "ix_messages_search")
SUMS = ("model_sums", "user_sums")

revisions = [each.revision for each in ScriptDirectory.from_config(config()).walk_revisions()][::-1]


def test_head_is_the_newest() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [HEAD]
    assert revisions[-1] == HEAD


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[Database]:
    made = postgres_server.database()
    yield made
    made.drop()


def test_rows_stay_on_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}", poolclass=pool.NullPool)
    before = None
    for revision in revisions:
        upgrade(f"sqlite:///{path}", current_revision(path), revision)
        assert current_revision(path) == revision
        with engine.begin() as connection:
            before = _check(connection, before)
    with engine.connect() as connection:
        assert differences(connection) == []
        for name in SUMS:  # of the ledger as it was then
            summed = connection.exec_driver_sql(f"SELECT requests, millions, rest FROM {name}").all()
            assert summed == [(1, *divmod(2**60, 10**6))]


def test_a_new_file_begins_where_the_revisions_lead(tmp_path: Path) -> None:
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    bring_up(new)
    upgrade(f"sqlite:///{old}", None)
    assert WHOLE.read_text() == told(old), "there are new revisions: run `python -m tests.schema`"
    assert told(new) == told(old)
    assert _rows(new) == _rows(old), "a revision fills a table: the script has to, too"


def test_revisions_that_no_schema_knows_yet_follow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older.sql"
    upgrade(f"sqlite:///{tmp_path / 'old.db'}", None, revisions[-3])
    older.write_text(told(tmp_path / "old.db"))
    monkeypatch.setattr(schema, "WHOLE", older)
    bring_up(tmp_path / "new.db")
    assert told(tmp_path / "new.db") == WHOLE.read_text()


@pytest.mark.hostile(55)
def test_a_beginning_that_breaks_off_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text(WHOLE.read_text() + "CREATE TABLE runs (id TEXT);\n")
    with monkeypatch.context() as here:
        here.setattr(schema, "WHOLE", broken)
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            bring_up(tmp_path / "prosa.db")
    assert _schema(tmp_path / "prosa.db") == []
    bring_up(tmp_path / "prosa.db")
    assert current_revision(tmp_path / "prosa.db") == HEAD


async def test_rows_stay_on_postgres(empty: Database) -> None:
    owner, superuser = _engine(empty.owner), _engine(empty.superuser)
    before = None
    for revision in revisions:
        async with owner.begin() as connection:
            await connection.run_sync(upgrade_over, revision)
        # Once the rows are under lock not even their owner sees them.
        async with superuser.begin() as connection:
            before = await connection.run_sync(_check, before)
    async with superuser.connect() as connection:
        assert await connection.run_sync(differences) == []


def differences(connection: Connection) -> list[Any]:
    """Between the database and the tables; what the search has of its own, and sums of the ledger, are
    not the same in one and the other."""
    context = MigrationContext.configure(
        connection,
        opts={"include_name": lambda name, _kind, _within: not str(name).startswith((*SEARCH, *SUMS))},
    )
    return compare_metadata(context, metadata)


def _engine(url: str) -> Any:
    asyncpg = pytest.importorskip("asyncpg")
    return create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=pool.NullPool
    )


def _check(connection: Connection, before: dict[str, Any] | None) -> dict[str, Any]:
    """Fills the first revision; of the later ones, says that what was there is there as it was."""
    tables = MetaData()
    tables.reflect(connection)
    if before is None:
        for name, row in FIRST_ROWS.items():
            connection.execute(insert(tables.tables[name]).values(_filled(tables.tables[name], row)))
    after = {
        name: dict(connection.execute(select(tables.tables[name])).mappings().one()) for name in FIRST_ROWS
    }
    for name, row in (before or {}).items():
        assert row.items() <= after[name].items()
    return after


def _filled(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """`row` with a value for each column that must have one."""
    filled = dict(row)
    for column in table.columns:
        counted = table.name == "journal" and column.name == "id"
        if column.name not in row and not counted and not column.nullable and column.server_default is None:
            filled[column.name] = TEXTS.get(column.name) or _some(column.type.python_type)
    return filled


def _some(kind: type) -> Any:
    return datetime(2026, 11, 21, 9, 30, tzinfo=UTC) if kind is datetime else kind()


@pytest.mark.hostile(55)
def test_a_revision_that_breaks_off_leaves_no_trace(tmp_path: Path) -> None:
    """As after a kill: the schema is that of before, and the next start goes on from there."""
    path = tmp_path / "prosa.db"
    upgrade(f"sqlite:///{path}", None)
    copy = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, copy)
    (copy / "versions" / "9999_broken.py").write_text(
        f"from alembic import op\nimport sqlalchemy as sa\nrevision = '9999'\ndown_revision = {HEAD!r}\n"
        "def upgrade():\n    op.create_table('half', sa.Column('id', sa.Text))\n"
        "    op.add_column('runs', sa.Column('half', sa.Text))\n    raise KeyboardInterrupt\n"
    )
    before = _schema(path)
    broken = config(url=f"sqlite:///{path}")
    broken.set_main_option("script_location", str(copy))
    with pytest.raises(KeyboardInterrupt):
        command.upgrade(broken, "head")
    assert _schema(path) == before
    assert current_revision(path) == HEAD


def _rows(path: Path) -> dict[str, list[Any]]:
    """What stands in the tables, but for the index of the search, which cannot be read so."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT name FROM pragma_table_list WHERE type <> 'virtual'").fetchall()
        names = [name for (name,) in found if not name.startswith("sqlite_")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    finally:
        connection.close()


def _schema(path: Path) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    finally:
        connection.close()

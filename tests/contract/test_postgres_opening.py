"""Prosa does not serve from a database, or with roles, that would not keep users apart."""

from collections.abc import AsyncIterator

import pytest
from tests.postgres import Database, Server, ask
from tests.stores import Ears

from prosa.adapters.store.migrations import HEAD
from prosa.domain.errors import MisconfiguredError, StoreUnavailable

pytest.importorskip("asyncpg")

from prosa.adapters.store.postgres.migrate import migrate
from prosa.adapters.store.postgres.store import PostgresStore


@pytest.fixture
def empty(postgres_server: Server) -> Database:
    """A database that nobody has migrated yet."""
    return postgres_server.database()


@pytest.fixture
async def disturbed(database: Database) -> AsyncIterator[Database]:
    """A database that a test may spoil: what it did is undone."""
    yield database
    role = f'"{database.name}_app"'
    await ask(database.superuser, f"ALTER ROLE {role} NOBYPASSRLS")
    await ask(database.superuser, f"REVOKE prosa_engine FROM {role}")
    await ask(database.superuser, f'ALTER TABLE sign_ins OWNER TO "{database.name}_owner"')
    await ask(database.superuser, "ALTER TABLE sign_ins FORCE ROW LEVEL SECURITY")
    await ask(database.superuser, f"UPDATE alembic_version SET version_num = '{HEAD}'")


async def _refused(url: str, engine_url: str | None) -> str:
    with pytest.raises(MisconfiguredError) as refused:
        await PostgresStore(url, engine_url).open(Ears())
    return str(refused.value)


async def test_one_url_is_not_enough(database: Database) -> None:
    said = await _refused(database.app, None)
    assert "PROSA_DATABASE_ENGINE_URL" in said
    assert "PROSA_DATABASE_OWNER_URL" in said
    assert "prosa migrate" in said


@pytest.mark.hostile(15)
async def test_a_superuser(database: Database) -> None:
    assert "superuser" in await _refused(database.superuser, database.engine)
    assert "superuser" in await _refused(database.app, database.superuser)


@pytest.mark.hostile(15)
async def test_bypassrls(disturbed: Database) -> None:
    await ask(disturbed.superuser, f'ALTER ROLE "{disturbed.name}_app" BYPASSRLS')
    assert "BYPASSRLS" in await _refused(disturbed.app, disturbed.engine)


@pytest.mark.hostile(15)
async def test_the_owner(disturbed: Database) -> None:
    assert "owns the table" in await _refused(disturbed.owner, disturbed.engine)
    await ask(disturbed.superuser, f'ALTER TABLE sign_ins OWNER TO "{disturbed.name}_app"')
    assert "owns the table sign_ins" in await _refused(disturbed.app, disturbed.engine)


@pytest.mark.hostile(15)
async def test_a_table_that_is_not_forced(disturbed: Database) -> None:
    await ask(disturbed.superuser, "ALTER TABLE sign_ins NO FORCE ROW LEVEL SECURITY")
    assert "not forced on the table sign_ins" in await _refused(disturbed.app, disturbed.engine)


@pytest.mark.hostile(15)
async def test_roles_in_each_others_place(disturbed: Database) -> None:
    assert "prosa_app" in await _refused(disturbed.engine, disturbed.app)
    assert "prosa_engine" in await _refused(disturbed.app, disturbed.app)
    await ask(disturbed.superuser, f'GRANT prosa_engine TO "{disturbed.name}_app"')
    assert "different roles" in await _refused(disturbed.app, disturbed.engine)


async def test_another_revision(disturbed: Database) -> None:
    await ask(disturbed.superuser, "UPDATE alembic_version SET version_num = '0001'")
    said = await _refused(disturbed.app, disturbed.engine)
    assert "0001" in said
    assert "prosa migrate" in said


async def test_a_newer_revision(disturbed: Database) -> None:
    await ask(disturbed.superuser, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer Prosa" in await _refused(disturbed.app, disturbed.engine)
    with pytest.raises(MisconfiguredError, match="newer Prosa"):
        await migrate(disturbed.owner, disturbed.app, disturbed.engine)


async def test_not_migrated(empty: Database) -> None:
    name = empty.name
    for role in ("app", "engine"):
        await ask(empty.superuser, f"CREATE ROLE {name}_{role} LOGIN")
    assert "Run `prosa migrate`" in await _refused(empty.app, empty.engine)
    await migrate(empty.owner, empty.app, empty.engine)
    store = PostgresStore(empty.app, empty.engine)
    await store.open(Ears())
    await store.close()


async def test_urls_that_lead_nowhere(database: Database) -> None:
    said = await _refused(database.app.replace(f"/{database.name}?", "/nowhere?"), database.engine)
    assert '"nowhere" does not exist' in said
    assert "PROSA_DATABASE_URL" in said
    with pytest.raises(StoreUnavailable):
        await PostgresStore("postgresql://a@127.0.0.1:1/b", database.engine).open(Ears())


async def test_migrate_makes_the_roles(empty: Database) -> None:
    await migrate(empty.owner, empty.app, empty.engine)
    await migrate(empty.owner, empty.app, empty.engine)
    roles = await ask(
        empty.superuser,
        "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY ($1)",
        [f"{empty.name}_app", f"{empty.name}_engine"],
    )
    assert len(roles) == 2
    assert all(row[1].startswith("SCRAM-SHA-256$4096:") for row in roles)


async def test_migrate_refuses_what_can_not_work(database: Database) -> None:
    for urls, words in (
        ((database.owner, database.app, database.app), "two different roles"),
        ((database.owner, database.owner, database.engine), "roles of their own"),
        ((database.owner, "postgresql:///x", database.engine), "PROSA_DATABASE_URL must name its role"),
        (
            (database.app, f"{database.app.replace('_app', '_new')}", database.engine),
            "PROSA_DATABASE_OWNER_URL",
        ),
    ):
        with pytest.raises(MisconfiguredError, match=words):
            await migrate(*urls)
    with pytest.raises(StoreUnavailable):
        await migrate("postgresql://a@127.0.0.1:1/b", database.app, database.engine)

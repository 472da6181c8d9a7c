"""Users are kept apart by Postgres itself: what its roles and policies let through, our own code aside."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from tests.counts import counts
from tests.postgres import Database, ask
from tests.stores import (
    ANA,
    BIA,
    BOOT,
    NOON,
    Ears,
    added,
    begin,
    bound,
    boundary,
    conversation,
    opening,
    step,
    turn,
)

from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.adapters.store.tables import ENGINE, OPERATORS, OWNED, conversations
from prosa.domain.answers import KeptAnswer
from prosa.domain.conversations import Conversation
from prosa.domain.errors import ConversationNotFound
from prosa.domain.feedback import Feedback
from prosa.domain.ids import new_id
from prosa.domain.principal import Principal
from prosa.domain.templates import Template
from prosa.domain.tickets import Asking
from prosa.ports.store import Store

asyncpg = pytest.importorskip("asyncpg")

TABLES = [table.name for table in OWNED]
ENGINES = {table.name for table in ENGINE}
BEYOND = [name for name in TABLES if name not in ENGINES]
EVERYONE = Statement(select(conversations.c.user_id))
"""Without the owner's predicate: only the policies keep it within bounds."""


@pytest.fixture
async def store(database: Database, ears: Ears) -> AsyncIterator[Store]:
    """Two connections for all."""
    from prosa.adapters.store.postgres.store import PostgresStore

    made = PostgresStore(database.app, database.engine, size=2)
    await made.open(ears)
    yield made
    await made.close()


@pytest.fixture
async def filled(store: Store, chat: Conversation) -> Conversation:
    """A row of Ana's in each table."""
    answered = await turn(store, chat, key="k", body_hash="h")
    run = (await begin(store, chat)).run
    await store.engine.commit(BOOT, [], [], [boundary(run, step(run))])
    await store.of(ANA).sign_ins.use("link", NOON)
    await turn(store, chat, attachments=(await added(store),), parent_id=None)
    await store.of(ANA).tickets.begin(
        Asking(new_id(), "1", "Hello"), opening(new_id(), parent_id=None), bound()
    )
    await store.of(ANA).templates.add(
        Template(new_id(), ANA.user_id, ANA.client_id, "Olá", None, "Oi", (), NOON, NOON)
    )
    await store.of(ANA).feedback.put(
        Feedback(answered.message_id, ANA.user_id, chat.id, "up", None, (), None, NOON, NOON)
    )
    kept = (new_id(), ANA.user_id, ANA.client_id, "k", "f", "fake", "m", "Olá", b"", None, None, NOON, NOON)
    await store.of(ANA).answers.keep(KeptAnswer(*kept))
    return chat


class As:
    """A connection of its own, as a role, with or without a principal."""

    def __init__(self, url: str, principal: Principal | None = None) -> None:
        self._url = url
        self._principal = principal

    async def __aenter__(self) -> Any:
        self._connection = await asyncpg.connect(self._url)
        if self._principal is not None:
            await self._connection.execute(
                "SELECT set_config('prosa.user_id', $1, false)", self._principal.user_id
            )
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


@pytest.mark.hostile(15)
async def test_roles_are_plain(database: Database, filled: Conversation) -> None:
    for url in (database.app, database.engine):
        [role] = await ask(
            url, "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert not any(role)
        assert not await ask(url, "SELECT FROM pg_class WHERE pg_has_role(relowner, 'MEMBER')")


@pytest.mark.hostile(15)
async def test_every_owned_table_is_forced_and_has_all_policies(
    database: Database, filled: Conversation
) -> None:
    tables = await ask(
        database.superuser,
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relname = ANY ($1)",
        TABLES,
    )
    assert {row[0] for row in tables} == set(TABLES)
    policies = await ask(
        database.superuser,
        "SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE roles = '{prosa_app}'",
    )
    assert {(row[0], row[1]) for row in policies} == {
        (table, verb) for table in TABLES for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }
    for _, _, *clauses in policies:
        assert all("prosa.user_id" in clause for clause in clauses if clause)
    engines = await ask(
        database.superuser, "SELECT tablename FROM pg_policies WHERE roles = '{prosa_engine}'"
    )
    # Counters hide nothing of their owners: the engine's role reads them for operators, and sweeps old ones.
    counters = {"spending", "rates", "places"}
    assert {row[0] for row in engines} == ENGINES | {table.name for table in OPERATORS} | counters


@pytest.mark.hostile(15)
@pytest.mark.parametrize("principal", [None, Principal(""), BIA])
@pytest.mark.parametrize("table", TABLES)
async def test_nothing_of_ana_is_seen_or_written(
    database: Database, filled: Conversation, table: str, principal: Principal | None
) -> None:
    rows = await ask(database.superuser, f"SELECT to_jsonb(t)::text FROM {table} AS t")
    assert rows, "there is something to be seen"
    given = await ask(
        database.superuser,
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE is_generated = 'NEVER' "
        f"AND table_schema = current_schema() AND table_name = '{table}'",
    )
    columns = given[0][0]  # the others Postgres makes by itself
    async with As(database.app, principal) as connection:
        assert await connection.fetch(f"SELECT * FROM {table}") == []
        assert await connection.execute(f"UPDATE {table} SET user_id = user_id") == "UPDATE 0"
        assert await connection.execute(f"DELETE FROM {table}") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await connection.execute(
                f"INSERT INTO {table} ({columns}) "
                f"SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1::text::jsonb)",
                rows[0][0],
            )
    assert await ask(database.superuser, f"SELECT to_jsonb(t)::text FROM {table} AS t") == rows


@pytest.mark.hostile(15)
async def test_an_own_row_can_not_be_given_away(database: Database, filled: Conversation) -> None:
    async with As(database.app, ANA) as connection:
        for table in TABLES:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(f"UPDATE {table} SET user_id = 'bia'")


@pytest.mark.hostile(15)
async def test_the_owner_is_bound_too(database: Database, filled: Conversation) -> None:
    for table in TABLES:
        assert await ask(database.owner, f"SELECT * FROM {table}") == []


@pytest.mark.hostile(15)
async def test_a_principal_ends_with_its_transaction(database: Database, filled: Conversation) -> None:
    async with As(database.app) as connection:
        async with connection.transaction():
            await connection.execute("SELECT set_config('prosa.user_id', 'ana', true)")
            assert await connection.fetch("SELECT id FROM conversations")
        assert await connection.fetchval("SELECT current_setting('prosa.user_id', true)") == ""
        assert await connection.fetch("SELECT id FROM conversations") == []


@pytest.mark.parametrize("table", BEYOND)
async def test_the_engine_has_no_business_there(database: Database, filled: Conversation, table: str) -> None:
    async with As(database.engine, ANA) as connection:
        for sql in (
            f"SELECT FROM {table}",
            f"INSERT INTO {table} DEFAULT VALUES",
            f"UPDATE {table} SET user_id = user_id",
            f"DELETE FROM {table}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await connection.execute(sql)


async def test_the_engine_does_only_what_it_must(database: Database, filled: Conversation) -> None:
    async with As(database.engine) as connection:
        for sql in (
            "DELETE FROM messages",
            "DELETE FROM runs",
            "DELETE FROM ai_usage",
            "UPDATE ai_usage SET created_at = now()",
            "UPDATE messages SET user_id = 'bia'",
            "UPDATE runs SET user_id = 'bia'",
            "INSERT INTO reservations DEFAULT VALUES",
            "SELECT name FROM files",
            "SELECT title FROM conversations",
            "SELECT metadata FROM conversations",
            "UPDATE conversations SET updated_at = now()",
            "DELETE FROM conversations",
            "INSERT INTO conversations DEFAULT VALUES",
            "SELECT content FROM prompt_templates",
            "DELETE FROM prompt_templates",
            "UPDATE files SET conversation_id = NULL",
            "INSERT INTO files DEFAULT VALUES",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await connection.execute(sql)


async def test_deletion_reaches_all_that_hangs_on_a_conversation(
    database: Database, store: Store, filled: Conversation
) -> None:
    """The cascade runs as the tables' owner, to whom row level security applies by force."""
    ticket = (await store.of(ANA).tickets.get("1")).ticket
    for conversation_id in (filled.id, ticket.conversation_id):
        await store.of(ANA).conversations.delete(conversation_id)
    for table in ("conversations", "messages", "runs", "journal", "idempotency", "feedback", "tickets"):
        assert await ask(database.superuser, f"SELECT * FROM {table}") == []


@pytest.mark.hostile(16)
async def test_connections_never_carry_a_principal_over(store: Store) -> None:
    users = [Principal(f"user-{number}'\\") for number in range(20)]
    for user in users:
        await store.of(user).conversations.create(conversation(user))
    chance = random.Random(16)
    seen = 0

    async def transact(user: Principal, mood: float) -> None:
        nonlocal seen
        session = store.of(user)._session  # type: ignore[attr-defined]
        if mood < 0.1:
            with pytest.raises(ConversationNotFound):
                await session.write(_failing)
            return
        run = session.write if mood < 0.5 else session.read
        assert await run(_everyone) == [user.user_id]
        seen += 1

    rounds = counts(20_000, 2_000) // 40
    for _ in range(rounds):
        tasks = [asyncio.create_task(transact(chance.choice(users), chance.random())) for _ in range(40)]
        for _ in range(chance.randrange(30)):
            await asyncio.sleep(0)
        for task in chance.sample(tasks, 10):
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert result is None or isinstance(result, asyncio.CancelledError)
    assert seen > 20 * rounds


def _everyone() -> Plan[list[str]]:
    rows = yield Ask(EVERYONE)
    return [row[0] for row in rows]


def _failing() -> Plan[None]:
    yield Ask(EVERYONE)
    raise ConversationNotFound

"""The stores that the contract suites run over."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.postgres import Database, Server, ask, serve
from tests.stores import ANA, BIA, NOON, Ears, conversation, sqlite_store

from prosa.domain.conversations import Conversation
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

Place = Callable[[], Store]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture(scope="session")
def migrated(postgres_server: Server) -> Database:
    return postgres_server.database().migrate()


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A migrated database without rows."""
    yield migrated
    migrated.truncate()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Makes stores, not yet open, over one and the same data."""
    if request.param == "sqlite":
        return lambda: sqlite_store(tmp_path)
    return postgres_place(request.getfixturevalue("database"))


def postgres_place(database: Database) -> Place:
    from prosa.adapters.store.postgres.store import PostgresStore

    return lambda: PostgresStore(database.app, database.engine)


Pass = Callable[[float], Awaitable[Instant]]


@pytest.fixture
def passing(place: Place, request: pytest.FixtureRequest) -> Pass:
    """Lets seconds pass for what is held, by whatever clock the store has; the moment that it is then."""
    moment = NOON

    async def passed(seconds: float) -> Instant:
        nonlocal moment
        moment = Instant(moment + round(seconds * SECOND))
        if request.node.callspec.params["place"] == "postgres":
            database = request.getfixturevalue("database")
            older = f"created_at - interval '{seconds} seconds'"
            await ask(database.superuser, f"UPDATE reservations SET created_at = {older} RETURNING 1")
        return moment

    return passed


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
async def store(place: Place, ears: Ears) -> AsyncIterator[Store]:
    made = place()
    await made.open(ears)
    yield made
    await made.close()


@pytest.fixture
async def chat(store: Store) -> Conversation:
    """An empty conversation of Ana's."""
    made, _ = await store.of(ANA).conversations.create(conversation(ANA))
    return made


@pytest.fixture
async def other(store: Store) -> Conversation:
    """An empty conversation of Bia's."""
    made, _ = await store.of(BIA).conversations.create(conversation(BIA))
    return made

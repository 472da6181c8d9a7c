"""The same file imported over two connections to Postgres at once: each conversation is planted once, by one."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace
from tests.contract.conftest import postgres_place
from tests.contract.test_store_moves import exported, planting
from tests.contract.test_store_plantings import talk
from tests.postgres import Database, ask
from tests.stores import ANA, BIA, conversation, message

from prosa.domain.imports import Planted, Planting, Seedling
from prosa.ports.store import Store


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    made = postgres_place(database)()
    await made.open(lambda _kind, _ids: None)
    yield made
    await made.close()


async def test_two_tabs_at_once(store: Store, database: Database) -> None:
    plantings = [replace(each, seedlings=_silent(each)) for each in map(talk, "abc")]
    hers = conversation(BIA)
    theirs = message(hers, "hers")
    await store.of(BIA).conversations.create(hers)
    await store.of(BIA).messages.append(theirs, at_head=True)
    strange = conversation(ANA)
    first = message(strange, "1", id=theirs.id)
    plantings.append(planting(strange, first, message(strange, "2", parent_id=first.id)))

    here, there = await _together(store, database, plantings)
    for one, other, each in zip(here, there, plantings, strict=True):
        assert one.conversation_id == other.conversation_id == each.conversation.id
        assert sorted([(one.new, one.messages), (other.new, other.messages)]) == [(False, 0), (True, 2)]
    assert (await exported(store)).count(b'"role"') == 2 * len(plantings)


async def _together(
    store: Store, database: Database, plantings: list[Planting]
) -> tuple[list[Planted], list[Planted]]:
    """Two imports, of which neither stores anything before the other has begun."""
    gate = await asyncpg.connect(database.superuser)
    try:
        async with gate.transaction():
            await gate.execute("LOCK TABLE conversations IN SHARE MODE")
            tabs = [asyncio.create_task(_plant(store, plantings)) for _ in range(2)]
            await _waiting(database, 2)
        return await tabs[0], await tabs[1]
    finally:
        await gate.close()


async def _plant(store: Store, plantings: list[Planting]) -> list[Planted]:
    return list(await store.of(ANA).imports.plant(plantings))


def _silent(of: Planting) -> list[Seedling]:
    """Nobody's opinion, which is unique by itself, tells the one that comes too late."""
    return [replace(each, feedback=None) for each in of.seedlings]


async def _waiting(database: Database, number: int) -> None:
    """Until so many wait for a lock in this database."""
    waits = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while (await ask(database.superuser, waits))[0][0] < number:
            pass

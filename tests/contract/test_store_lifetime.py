"""A store's opening and closing, and callers that leave in the middle."""

import asyncio
import random

import pytest
from tests.contract.conftest import Place
from tests.stores import ANA, BIA, Ears, begin, bound, conversation, message, opening

from prosa.domain.conversations import Conversation
from prosa.domain.errors import StoreUnavailable
from prosa.domain.runs import Run
from prosa.ports.store import Store


async def test_answers_a_ping(store: Store) -> None:
    await store.ping()


async def test_data_outlives_the_process(place: Place, ears: Ears) -> None:
    first = place()
    await first.open(ears)
    made, _ = await first.of(ANA).conversations.create(conversation(ANA))
    await first.close()
    second = place()
    await second.open(ears)
    try:
        assert await second.of(ANA).conversations.get(made.id) == made
    finally:
        await second.close()


async def test_closed_means_unavailable(place: Place, ears: Ears) -> None:
    store = place()
    with pytest.raises(StoreUnavailable):
        await store.of(ANA).conversations.page(1, None)
    await store.open(ears)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.of(ANA).conversations.page(1, None)
    await store.close()


async def test_close_finishes_what_began(place: Place, ears: Ears) -> None:
    store = place()
    await store.open(ears)
    made = [conversation(ANA) for _ in range(30)]
    tasks = [asyncio.create_task(store.of(ANA).conversations.create(each)) for each in made]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    again = place()
    await again.open(ears)
    try:
        assert len(await again.of(ANA).conversations.page(100, None)) == 30
    finally:
        await again.close()


@pytest.mark.hostile(53)
async def test_a_caller_that_leaves_changes_nothing(store: Store, chat: Conversation) -> None:
    """Cancelled at any await, a transaction is whole or not there, and the next one is not touched by it."""
    chance = random.Random(7)
    for _ in range(40):
        asked = opening(chat, parent_id=None)
        task = asyncio.create_task(store.of(ANA).runs.begin(asked, bound()))
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await store.of(BIA).conversations.page(10, None) == []
    await store.ping()
    runs = await _settled(store, chat)
    tree, _ = await store.of(ANA).messages.tree(chat.id)
    assert all(tree.leaf(run.message_id) == run.message_id for run in runs)
    assert len(tree) == 2 * len(runs)


async def _settled(store: Store, chat: Conversation) -> list[Run]:
    """The open runs, once the transactions that were left alone have ended: the last one waits for them."""
    await begin(store, chat, parent_id=None)
    await store.of(ANA).messages.append(message(chat, "last"), at_head=False)
    found = await store.of(ANA).runs.open(chat.id)
    _, head = await store.of(ANA).messages.tree(chat.id)
    assert head is not None
    await store.of(ANA).messages.delete(chat.id, head, chat.created_at)
    return list(found)

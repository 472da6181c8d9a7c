"""A store's opening and closing, and callers that leave in the middle."""

import asyncio
import random

import pytest
from tests.contract.conftest import Place
from tests.stores import ANA, BIA, Ears, bound, conversation, opening

from prosa.domain.conversations import Conversation
from prosa.domain.errors import StoreUnavailable
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
    """What still waits for its owner's share of the store is refused, and its caller is told."""
    store = place()
    await store.open(ears)
    made = [conversation(ANA) for _ in range(30)]
    tasks = [asyncio.create_task(store.of(ANA).conversations.create(each)) for each in made]
    await asyncio.sleep(0)
    await store.close()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    done = {each.id for each, end in zip(made, ends, strict=True) if not isinstance(end, StoreUnavailable)}
    assert done
    again = place()
    await again.open(ears)
    try:
        assert {each.id for each in await again.of(ANA).conversations.page(100, None)} == done
    finally:
        await again.close()


@pytest.mark.hostile(53)
async def test_a_caller_that_leaves_changes_nothing(
    store: Store, chat: Conversation, place: Place, ears: Ears
) -> None:
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
    await store.close()  # which waits for the transactions that were left alone
    again = place()
    await again.open(ears)
    try:
        runs = await again.of(ANA).runs.open(chat.id)
        tree, _ = await again.of(ANA).messages.tree(chat.id)
    finally:
        await again.close()
    assert all(tree.leaf(run.message_id) == run.message_id for run in runs)
    assert len(tree) == 2 * len(runs)
    assert runs

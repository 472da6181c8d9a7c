"""What a store tells its process of changes in conversations, once they are committed."""

from collections.abc import Awaitable, Callable

import pytest
from tests.stores import ANA, BIA, NOON, Ears, begin, conversation, message, turn

from prosa.adapters.store.statement import ABROAD
from prosa.domain.conversations import Conversation
from prosa.domain.errors import ConversationNotFound, MessageNotFound, RunInProgress
from prosa.ports.store import Records, Store

Change = Callable[[Records, Conversation], Awaitable[object]]


async def _append(records: Records, chat: Conversation) -> None:
    await records.messages.append(message(chat), at_head=True)


async def _seed(records: Records, chat: Conversation) -> None:
    await records.messages.seed([message(chat), message(chat)])


async def _rewrite(records: Records, chat: Conversation) -> None:
    _, head = await records.messages.tree(chat.id)
    await records.messages.rewrite(chat.id, head or "", "anew", NOON)


async def _remove(records: Records, chat: Conversation) -> None:
    _, head = await records.messages.tree(chat.id)
    await records.messages.delete(chat.id, head or "", NOON)


async def _rename(records: Records, chat: Conversation) -> None:
    await records.conversations.update(chat.id, {"title": "x"}, NOON)


async def _delete(records: Records, chat: Conversation) -> None:
    await records.conversations.delete(chat.id)


CHANGES: list[tuple[str, Change]] = [
    ("messages", _append),
    ("messages", _seed),
    ("messages", _rewrite),
    ("messages", _remove),
    ("conversations", _rename),
    ("conversations", _delete),
]


@pytest.mark.parametrize(("kind", "change"), CHANGES, ids=lambda each: getattr(each, "__name__", each))
async def test_each_change_is_told(
    store: Store, chat: Conversation, ears: Ears, kind: str, change: Change
) -> None:
    await turn(store, chat)
    await ears.until("begun", chat.id)
    ears.heard.clear()
    await change(store.of(ANA), chat)
    await ears.until(kind, chat.id)
    # What only other nodes need to hear may still come of the turn.
    assert [each for each in ears.heard if each[0] not in ABROAD] == [(kind, (chat.id,))]


async def test_a_begun_run_is_told_by_its_name(store: Store, chat: Conversation, ears: Ears) -> None:
    run = (await begin(store, chat, key="k", body_hash="h")).run
    await ears.until("begun", run.id)
    assert ears.heard == [("begun", (chat.id, run.id))]
    await begin(store, chat, key="k", body_hash="h")  # the same once more begins nothing
    await _rename(store.of(ANA), chat)
    await ears.until("conversations", chat.id)
    assert len(ears.heard) == 2


async def test_what_is_refused_is_not_told(
    store: Store, chat: Conversation, other: Conversation, ears: Ears
) -> None:
    await begin(store, chat)
    await ears.until("begun", chat.id)
    ears.heard.clear()
    with pytest.raises(RunInProgress):
        await _remove(store.of(ANA), chat)
    with pytest.raises(RunInProgress):
        await begin(store, chat)
    with pytest.raises(MessageNotFound):
        await store.of(ANA).conversations.update(chat.id, {"head_id": chat.id}, NOON)
    for change in (_rename, _delete):
        with pytest.raises(ConversationNotFound):
            await change(store.of(BIA), chat)
    await _rename(store.of(BIA), other)
    await ears.until("conversations", other.id)
    assert ears.heard == [("conversations", (other.id,))]


async def test_what_a_watcher_sees(store: Store, chat: Conversation, other: Conversation) -> None:
    first = await turn(store, chat)
    second = (await begin(store, chat)).run
    third = (await begin(store, chat, parent_id=None)).run
    foreign = (await begin(store, other)).run
    runs = store.of(ANA).runs
    now = await store.of(ANA).conversations.get(chat.id)
    assert await runs.seen(chat.id, None) == (now, [second, third])
    assert await runs.seen(chat.id, [second.id, first.id, foreign.id]) == (now, [first, second])
    assert await runs.seen(chat.id, []) == (now, [])
    for records, identity in ((store.of(BIA), chat.id), (store.of(ANA), other.id)):
        for names in (None, [first.id]):
            with pytest.raises(ConversationNotFound):
                await records.runs.seen(identity, names)


async def test_an_empty_conversation(store: Store) -> None:
    made, _ = await store.of(ANA).conversations.create(conversation(ANA))
    assert await store.of(ANA).runs.seen(made.id, None) == (made, [])

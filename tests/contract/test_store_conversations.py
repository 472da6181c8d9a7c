"""Conversations: making, finding, paging, changing and deleting them."""

from typing import Any

import pytest
from tests.stores import ANA, BIA, NOON, append, begin, conversation, ending, message, turn

from prosa.domain.conversations import Conversation, ConversationStatus
from prosa.domain.errors import ConversationNotFound, MessageNotFound
from prosa.domain.ids import new_id
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store


async def test_comes_back_as_it_was_stored(store: Store) -> None:
    records = store.of(ANA).conversations
    made = conversation(
        ANA,
        external_id="ext-1",
        title="Olá, \U0001f30d",
        system_prompt="Be 'kind' \\ \"brief\"",
        provider="openai",
        model="gpt-x",
        status=ConversationStatus.CLOSED,
        metadata={"a": [1, 2.5, None, True], "ã": {"'": "\\u0000 \u2028"}},
    )
    assert await records.create(made) == (made, True)
    assert await records.get(made.id) == made
    assert await records.by_external_id("ext-1") == made


async def test_client_of_the_principal_is_kept(store: Store) -> None:
    made = conversation(ANA, client_id="acme")
    await store.of(ANA).conversations.create(made)
    assert (await store.of(ANA).conversations.get(made.id)).client_id == "acme"


async def test_unknown(store: Store) -> None:
    records = store.of(ANA).conversations
    with pytest.raises(ConversationNotFound):
        await records.get(new_id())
    with pytest.raises(ConversationNotFound):
        await records.update(new_id(), {"title": "x"}, NOON)
    with pytest.raises(ConversationNotFound):
        await records.delete(new_id())
    assert await records.by_external_id("none") is None


async def test_external_id_gets_or_creates(store: Store) -> None:
    records = store.of(ANA).conversations
    first, created = await records.create(conversation(ANA, external_id="same"))
    again, created_again = await records.create(conversation(ANA, external_id="same"))
    assert (created, created_again) == (True, False)
    assert again == first
    assert len(await records.page(10, None)) == 1


async def test_external_id_belongs_to_its_owner(store: Store) -> None:
    hers, _ = await store.of(ANA).conversations.create(conversation(ANA, external_id="same"))
    his, created = await store.of(BIA).conversations.create(conversation(BIA, external_id="same"))
    assert created
    assert his.id != hers.id


async def test_pages_newest_change_first(store: Store) -> None:
    records = store.of(ANA).conversations
    for index in range(7):
        # Two and two changed in the same microsecond: the id decides between them.
        await records.create(conversation(ANA, title=str(index), updated_at=Instant(NOON + index // 2)))
    await store.of(BIA).conversations.create(conversation(BIA))
    seen: list[Conversation] = []
    before = None
    while page := await records.page(3, before):
        seen += page
        before = (page[-1].updated_at, page[-1].id)
    assert [each.title for each in seen] == ["6", "5", "4", "3", "2", "1", "0"]
    assert await records.page(0, None) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "New"},
        {"title": None, "system_prompt": "p", "provider": "p", "model": "m"},
        {"status": ConversationStatus.CLOSED},
        {"metadata": {"k": "v"}},
        {"title": "New", "pinned": True, "archived": True},
        {},
    ],
)
async def test_update_changes_what_is_named(store: Store, changes: dict[str, Any]) -> None:
    records = store.of(ANA).conversations
    made = conversation(ANA, title="Old", metadata={"old": 1})
    await records.create(made)
    later = Instant(NOON + SECOND)
    after = await records.update(made.id, changes, later)
    assert after == await records.get(made.id)
    assert after.updated_at == later
    for name in made.__struct_fields__:
        if name != "updated_at":
            assert getattr(after, name) == changes.get(name, getattr(made, name))


async def test_head_moves_only_to_a_message_of_its_own(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    first = await records.messages.append(message(chat), at_head=True)
    leaf = await records.messages.append(message(chat), at_head=True)
    other = await records.messages.append(message(chat, parent_id=first.id), at_head=False)
    for asked, shown in ((leaf, leaf), (other, other), (first, other)):
        after = await records.conversations.update(chat.id, {"head_id": asked.id}, NOON)
        assert after.head_id == shown.id
    assert (await records.conversations.update(chat.id, {"head_id": None}, NOON)).head_id == other.id
    empty, _ = await records.conversations.create(conversation(ANA))
    assert (await records.conversations.update(empty.id, {"head_id": None}, NOON)).head_id is None
    elsewhere, _ = await records.conversations.create(conversation(ANA))
    stranger = await records.messages.append(message(elsewhere), at_head=True)
    for head in (new_id(), stranger.id):
        with pytest.raises(MessageNotFound):
            await records.conversations.update(chat.id, {"head_id": head}, NOON)


async def test_delete_takes_all_with_it_but_the_ledger(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    run = await turn(store, chat, key="k", body_hash="h")
    await records.conversations.delete(chat.id)
    with pytest.raises(ConversationNotFound):
        await records.conversations.get(chat.id)
    with pytest.raises(ConversationNotFound):
        await records.messages.tree(chat.id)
    assert await records.messages.many(chat.id, [run.message_id]) == {}
    assert await records.runs.open(chat.id) == []
    assert await store.engine.lines(run.id) == []
    again = await begin(
        store, (await records.conversations.create(conversation(ANA)))[0], key="k", body_hash="h"
    )
    assert again.prepared is not None, "the key went with the run"


async def test_delete_while_a_run_goes_on(store: Store, chat: Conversation) -> None:
    run = (await begin(store, chat, tokens=60)).run
    await store.engine.commit(run.owner, [append(run, 1, b"{}")], [])
    await store.of(ANA).conversations.delete(chat.id)
    assert await store.engine.commit(run.owner, [append(run, 2, b"{}")], [ending(run)]) == set()
    assert await store.engine.lines(run.id) == []
    assert await store.engine.renew(run.owner, [run.id], NOON, NOON) == {}

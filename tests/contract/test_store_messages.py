"""Messages: the tree, its head, and what changing and deleting leave."""

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, NOON, append, begin, conversation, ending, message, turn

from prosa.domain.conversations import Conversation, Message, MessageHasReplies
from prosa.domain.errors import (
    ConversationClosed,
    ConversationNotFound,
    MessageNotFound,
    RunInProgress,
    RunNotFound,
)
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits
from prosa.domain.models import Role
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

LATER = Instant(NOON + SECOND)


async def _say(store: Store, chat: Conversation, content: str, under: Message | None) -> Message:
    said = message(chat, content, parent_id=under.id if under else None)
    return await store.of(ANA).messages.append(said, at_head=False)


async def test_comes_back_as_it_was_stored(store: Store, chat: Conversation) -> None:
    said = message(chat, "é\n\t\U0001f9d1\u200d\U0001f4bb '\";--", role=Role.SYSTEM, provider="p", model="m")
    stored = await store.of(ANA).messages.append(said, at_head=True)
    assert stored == said
    assert await store.of(ANA).messages.get(chat.id, said.id) == said


async def test_append_moves_the_head(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    first = await records.messages.append(message(chat), at_head=True)
    second = await records.messages.append(message(chat, parent_id=new_id()), at_head=True)
    assert (first.parent_id, second.parent_id) == (None, first.id)
    aside = await _say(store, chat, "aside", None)
    tree, head = await records.messages.tree(chat.id)
    assert head == aside.id
    assert tree.siblings(first.id) == [first.id, aside.id]
    assert tree.branch(second.id) == [first.id, second.id]
    assert (await records.conversations.get(chat.id)).updated_at == NOON


async def test_append_where_it_may_not(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    with pytest.raises(ConversationNotFound):
        await records.messages.append(message(conversation(ANA)), at_head=True)
    with pytest.raises(MessageNotFound):
        await records.messages.append(message(chat, parent_id=new_id()), at_head=False)
    elsewhere, _ = await records.conversations.create(conversation(ANA))
    stranger = await records.messages.append(message(elsewhere), at_head=True)
    with pytest.raises(MessageNotFound):
        await records.messages.append(message(chat, parent_id=stranger.id), at_head=False)
    run = (await begin(store, chat)).run
    with pytest.raises(RunInProgress) as refused:
        await records.messages.append(message(chat), at_head=True)
    assert refused.value.details == {"runId": run.id}
    await records.conversations.update(chat.id, {"status": "closed"}, NOON)
    with pytest.raises(ConversationClosed):
        await records.messages.append(message(chat), at_head=False)


async def test_seed_stores_one_branch_under_the_head(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    await records.messages.seed([])
    assert (await records.messages.tree(chat.id))[1] is None
    for round_ in range(2):
        _, before = await records.messages.tree(chat.id)
        roles = [Role.USER, Role.ASSISTANT] * 50
        given = [
            message(chat, f"é {round_} {place}", role=role, created_at=LATER)
            for place, role in enumerate(roles)
        ]
        await records.messages.seed(given)
        tree, head = await records.messages.tree(chat.id)
        assert head == given[-1].id
        assert tree.branch(head)[-100:] == [each.id for each in given]
        stored = await records.messages.many(chat.id, [each.id for each in given])
        parents = [before, *(each.id for each in given)]
        assert [stored[each.id] for each in given] == [
            replace(each, parent_id=parent) for each, parent in zip(given, parents, strict=False)
        ]
    assert len(tree) == 200
    assert (await records.conversations.get(chat.id)).updated_at == LATER


async def test_seed_is_all_or_nothing(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    twice = message(chat)
    with pytest.raises(Exception):  # noqa: B017 - whatever a database says to a key that is there twice
        await records.messages.seed([message(chat), twice, twice])
    tree, head = await records.messages.tree(chat.id)
    assert (len(tree), head) == (0, None)


async def test_seed_where_it_may_not(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    with pytest.raises(ConversationNotFound):
        await records.messages.seed([message(conversation(ANA))])
    theirs = message(chat, user_id="bia")
    with pytest.raises(ConversationNotFound):
        await store.of(BIA).messages.seed([theirs])
    run = (await begin(store, chat)).run
    with pytest.raises(RunInProgress) as refused:
        await records.messages.seed([message(chat)])
    assert refused.value.details == {"runId": run.id}
    await records.conversations.update(chat.id, {"status": "closed"}, NOON)
    with pytest.raises(ConversationClosed):
        await records.messages.seed([message(chat)])


async def test_get_and_many_keep_to_the_conversation(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    first = await _say(store, chat, "a", None)
    second = await _say(store, chat, "b", first)
    elsewhere, _ = await records.conversations.create(conversation(ANA))
    for conversation_id, message_id in ((elsewhere.id, first.id), (chat.id, new_id()), (new_id(), first.id)):
        with pytest.raises(MessageNotFound):
            await records.messages.get(conversation_id, message_id)
    found = await records.messages.many(chat.id, [second.id, new_id(), first.id])
    assert found == {first.id: first, second.id: second}
    assert await records.messages.many(elsewhere.id, [first.id]) == {}
    assert await records.messages.many(chat.id, []) == {}
    with pytest.raises(ConversationNotFound):
        await records.messages.tree(new_id())


async def test_rewrite(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    said = await _say(store, chat, "a", None)
    after = await records.messages.rewrite(chat.id, said.id, "b", LATER)
    assert after.content == "b"
    assert await records.messages.get(chat.id, said.id) == after
    shown = await records.conversations.get(chat.id)
    assert (shown.updated_at, shown.head_id) == (LATER, said.id)
    with pytest.raises(MessageNotFound):
        await records.messages.rewrite(chat.id, new_id(), "b", LATER)
    run = (await begin(store, chat)).run
    with pytest.raises(RunInProgress):
        await records.messages.rewrite(chat.id, run.message_id, "b", LATER)


async def test_delete_takes_the_subtree_and_moves_the_head(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    root = await _say(store, chat, "root", None)
    left = await _say(store, chat, "left", root)
    leaf = await _say(store, chat, "leaf", left)
    right = await _say(store, chat, "right", root)
    deep = await _say(store, chat, "deep", right)
    await records.messages.delete(chat.id, right.id, LATER)
    tree, head = await records.messages.tree(chat.id)
    assert head == leaf.id
    assert (len(tree), tree.leaf(None)) == (3, leaf.id)
    assert await records.messages.many(chat.id, [right.id, deep.id]) == {}
    await records.messages.delete(chat.id, leaf.id, LATER)
    assert (await records.messages.tree(chat.id))[1] == left.id
    await records.messages.delete(chat.id, root.id, LATER)
    tree, head = await records.messages.tree(chat.id)
    assert (len(tree), head) == (0, None)


async def test_nothing_tells_of_a_deleted_answer(store: Store, chat: Conversation) -> None:
    """Neither its journal nor the key of the request; but what it took stays in the ledger."""
    limits = Limits(tokens_per_day=100)
    kept = await turn(store, chat, tokens=50, limits=limits)
    gone = await turn(store, chat, tokens=50, limits=limits, key="k", body_hash="h")
    await store.of(ANA).messages.delete(chat.id, gone.user_message_id or "", LATER)
    with pytest.raises(RunNotFound):
        await store.of(ANA).runs.lines(gone.id, 0)
    assert await store.engine.lines(gone.id) == []
    assert (await store.of(ANA).runs.lines(kept.id, 0))[1] == [(1, b"{}")]
    again = await begin(store, chat, tokens=50, limits=limits, key="k", body_hash="other")
    assert again.remaining.tokens == 70


async def test_what_has_replies_stays_where_they_are_to_stay(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    root = await _say(store, chat, "root", None)
    leaf = await _say(store, chat, "leaf", root)
    with pytest.raises(MessageHasReplies):
        await records.messages.delete(chat.id, root.id, LATER, subtree=False)
    assert len((await records.messages.tree(chat.id))[0]) == 2
    for each in (leaf, root):
        await records.messages.delete(chat.id, each.id, LATER, subtree=False)
    assert (await records.messages.tree(chat.id))[1] is None


async def test_clear_leaves_the_conversation_and_the_ledger(store: Store, chat: Conversation) -> None:
    """Also of a run that goes on: it is fenced, and what it took is entered."""
    records, limits = store.of(ANA), Limits(tokens_per_day=1000)
    ended = await turn(store, chat, tokens=50, limits=limits, key="k", body_hash="h")
    running = (await begin(store, chat, parent_id=None, tokens=50, limits=limits)).run
    other, _ = await records.conversations.create(conversation(ANA))
    kept = await _say(store, other, "kept", None)
    await records.messages.clear(chat.id, LATER)
    tree, head = await records.messages.tree(chat.id)
    assert (len(tree), head) == (0, None)
    assert (await records.conversations.get(chat.id)).updated_at == LATER
    for run in (ended, running):
        with pytest.raises(RunNotFound):
            await records.runs.get(run.id)
    assert (await records.messages.tree(other.id))[1] == kept.id
    assert await store.engine.commit(running.owner, [append(running, 1, b"{}")], [ending(running)]) == set()
    left = (await begin(store, chat, tokens=50, limits=limits, key="k", body_hash="other")).remaining
    assert left.tokens == 1000 - 2 * 15
    with pytest.raises(ConversationNotFound):
        await records.messages.clear(new_id(), LATER)


async def test_delete_keeps_a_head_that_stays(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    root = await _say(store, chat, "root", None)
    gone = await _say(store, chat, "gone", root)
    shown = await _say(store, chat, "shown", root)
    await records.messages.delete(chat.id, gone.id, LATER)
    assert (await records.messages.tree(chat.id))[1] == shown.id


async def test_delete_refuses_what_is_being_written(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    ended = await turn(store, chat)
    running = (await begin(store, chat, parent_id=None)).run
    assert running.user_message_id is not None
    for each in (running.user_message_id, running.message_id):
        with pytest.raises(RunInProgress) as refused:
            await records.messages.delete(chat.id, each, LATER)
        assert refused.value.details == {"runId": running.id}
    await records.messages.delete(chat.id, ended.message_id, LATER)
    with pytest.raises(MessageNotFound):
        await records.messages.delete(chat.id, new_id(), LATER)
    with pytest.raises(ConversationNotFound):
        await records.messages.delete(new_id(), running.message_id, LATER)

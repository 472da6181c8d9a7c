"""Summaries of branches: their place in the tree, what runs are shown, and what changes take them out."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, NOON, begin, bound, insert, message, opening, turn

from prosa.domain.context import Counts, Sent, Shown
from prosa.domain.conversations import Conversation, Message, MessageKind
from prosa.domain.errors import ConversationNotFound
from prosa.domain.ids import between, new_id
from prosa.domain.limits import Remaining
from prosa.domain.models import Role, Turn
from prosa.domain.opening import Prepared
from prosa.domain.runs import Run
from prosa.domain.time import SECOND, Instant
from prosa.domain.tree import Tree
from prosa.domain.turns import recalled
from prosa.ports.store import Store

LATER = Instant(NOON + SECOND)


def summary_of(chat: Conversation, above: str, below: str, text: str = "In short.") -> Message:
    made = message(chat, text, parent_id=above, role=Role.SYSTEM, provider="fake", model="echo")
    return replace(made, id=between(above, below), kind=MessageKind.SUMMARY)


async def talk(store: Store, chat: Conversation, *contents: str) -> list[Run]:
    return [await turn(store, chat, content) for content in contents]


async def summarised(store: Store, chat: Conversation) -> tuple[list[Run], Message]:
    """Four exchanges, the first two of which a summary tells of."""
    said = await talk(store, chat, "one", "two", "three", "four")
    summary = summary_of(chat, said[1].message_id, said[2].user_message_id or "")
    assert await insert(store, summary, said[2].user_message_id or "")
    return said, summary


async def shown(store: Store, chat: Conversation, **fields: object) -> list[str]:
    """The texts that a run is shown, oldest first."""
    heard: list[Shown] = []

    def prepare(of: Conversation, branch: Sequence[Shown], left: Remaining) -> Prepared:
        heard.extend(branch)
        return bound()(of, branch, left)

    await store.of(ANA).runs.begin(opening(chat, "new", **fields), prepare)
    assert [each.summary for each in heard[1:]] == [False] * (len(heard) - 1)
    return [turn.content for each in heard for turn in each.turns]


async def test_a_run_is_shown_the_summary_and_what_follows(store: Store, chat: Conversation) -> None:
    said, summary = await summarised(store, chat)
    stored = await store.of(ANA).messages.get(chat.id, summary.id)
    assert stored == summary
    assert (stored.kind, stored.role) == (MessageKind.SUMMARY, Role.SYSTEM)
    branch = await store.of(ANA).summaries.branch(chat.id, said[3].message_id)
    assert [each.id for each in branch] == [
        summary.id, said[2].user_message_id, said[2].message_id, said[3].user_message_id, said[3].message_id,
    ]  # fmt: skip
    assert (branch[0].turns, branch[0].summary) == ((recalled("In short."),), True)
    assert await shown(store, chat) == [
        recalled("In short.").content, "three", "Hi.", "four", "Hi.", "new",
    ]  # fmt: skip


async def test_a_long_branch_is_read_down_from_its_summary(store: Store, chat: Conversation) -> None:
    """By the walk, too, which reads what lies farther back than the newest messages of all branches."""
    said, _ = await summarised(store, chat)
    records = store.of(ANA).messages
    await records.seed([message(chat, "x" * 10_001) for _ in range(3)])
    assert [each[:5] for each in await shown(store, chat)] == [
        recalled("").content[:5], "three", "Hi.", "four", "Hi.", *["xxxxx"] * 3, "new",
    ]  # fmt: skip
    tree, head = await records.tree(chat.id)
    assert len(tree.branch(head)) == 4 * 2 + 1 + 3 + 2
    assert tree.branch(head)[0] == said[0].user_message_id


async def test_other_branches_do_not_see_it(store: Store, chat: Conversation) -> None:
    said = await talk(store, chat, "one", "two")
    aside = await turn(store, chat, "aside", parent_id=said[0].message_id)
    child = said[1].user_message_id or ""
    summary = summary_of(chat, said[0].message_id, child)
    assert await insert(store, summary, child)
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert head == aside.message_id
    assert tree.siblings(child) == [child, aside.user_message_id]
    assert await shown(store, chat, parent_id=aside.message_id) == ["one", "Hi.", "aside", "Hi.", "new"]
    first = recalled("In short.").content
    assert await shown(store, chat, parent_id=said[1].message_id) == [first, "two", "Hi.", "new"]
    # Who edits the first message below it goes on from the summary, beside that message.
    assert await shown(store, chat, parent_id=summary.id) == [first, "new"]
    tree, _ = await store.of(ANA).messages.tree(chat.id)
    assert len(tree.siblings(child)) == 3
    # A branch that is chosen by a message above the summary ends at a message below it.
    moved = await store.of(ANA).conversations.update(chat.id, {"head_id": summary.id}, LATER)
    assert moved.head_id == tree.leaf(summary.id) != summary.id


async def test_the_tree_changed_meanwhile(store: Store, chat: Conversation) -> None:
    said, summary = await summarised(store, chat)
    late = summary_of(chat, said[1].message_id, said[2].user_message_id or "")
    assert not await insert(store, late, said[2].user_message_id or "")
    await store.of(ANA).messages.delete(chat.id, said[3].user_message_id or "", LATER)
    gone = summary_of(chat, said[2].message_id, said[3].user_message_id or "")
    assert not await insert(store, gone, said[3].user_message_id or "")
    tree, _ = await store.of(ANA).messages.tree(chat.id)
    assert tree.summaries == {summary.id}


async def test_deleting_a_message_below_it(store: Store, chat: Conversation) -> None:
    said, summary = await summarised(store, chat)
    await store.of(ANA).messages.delete(chat.id, said[2].user_message_id or "", LATER)
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert summary.id not in tree
    assert head == said[1].message_id
    assert len(tree) == 4


async def test_deleting_a_message_that_it_tells_of(store: Store, chat: Conversation) -> None:
    said, _ = await summarised(store, chat)
    await store.of(ANA).messages.delete(chat.id, said[1].user_message_id or "", LATER)
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert tree.summaries == frozenset()
    assert (head, len(tree)) == (said[0].message_id, 2)


async def test_deleting_the_summary_itself(store: Store, chat: Conversation) -> None:
    """It goes alone: the messages that it told of are sent again."""
    said, summary = await summarised(store, chat)
    await store.of(ANA).messages.delete(chat.id, summary.id, LATER)
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert (head, len(tree), tree.summaries) == (said[3].message_id, 8, frozenset())
    assert (await shown(store, chat))[:2] == ["one", "Hi."]


async def test_what_is_rewritten_is_not_told_of_any_more(store: Store, chat: Conversation) -> None:
    said, summary = await summarised(store, chat)
    second = summary_of(chat, said[2].message_id, said[3].user_message_id or "", "Shorter.")
    assert await insert(store, second, said[3].user_message_id or "")
    records = store.of(ANA).messages
    await records.rewrite(chat.id, said[3].user_message_id or "", "vier", LATER)
    tree, _ = await records.tree(chat.id)
    assert tree.summaries == {summary.id, second.id}
    await records.rewrite(chat.id, said[2].user_message_id or "", "drei", LATER)
    tree, _ = await records.tree(chat.id)
    assert tree.summaries == {summary.id}
    assert (await shown(store, chat))[1:3] == ["drei", "Hi."]
    await records.rewrite(chat.id, said[0].user_message_id or "", "eins", LATER)
    tree, head = await records.tree(chat.id)
    assert tree.summaries == frozenset()
    assert tree.branch(head)[:2] == [said[0].user_message_id, said[0].message_id]


async def test_what_is_rewritten_meanwhile_is_not_told_of(store: Store, chat: Conversation) -> None:
    said = await talk(store, chat, "one", "two", "three")
    child = said[1].user_message_id or ""
    records = store.of(ANA).summaries
    assert await records.claim(chat.id, NOON, LATER)
    await store.of(ANA).messages.rewrite(chat.id, said[0].user_message_id or "", "eins", NOON)
    assert not await records.insert(summary_of(chat, said[0].message_id, child), child, LATER)
    assert (await store.of(ANA).messages.tree(chat.id))[0].summaries == frozenset()
    assert await insert(store, summary_of(chat, said[0].message_id, child), child), "somebody may try again"


async def test_a_summary_can_be_rewritten(store: Store, chat: Conversation) -> None:
    _, summary = await summarised(store, chat)
    rewritten = await store.of(ANA).messages.rewrite(chat.id, summary.id, "My own words.", LATER)
    assert (rewritten.kind, rewritten.content) == (MessageKind.SUMMARY, "My own words.")
    assert (await shown(store, chat))[0] == recalled("My own words.").content


async def test_one_at_a_time(store: Store, chat: Conversation, other: Conversation) -> None:
    records = store.of(ANA).summaries
    claims = [records.claim(chat.id, NOON, LATER) for _ in range(5)]
    assert sorted(await asyncio.gather(*claims)) == [False] * 4 + [True]
    assert not await records.claim(chat.id, LATER, Instant(LATER + SECOND))
    # What nobody lets go of is free once its time is over.
    assert await records.claim(chat.id, Instant(LATER + 1), Instant(LATER + SECOND))
    await records.let_go(chat.id, LATER)
    assert not await records.claim(chat.id, NOON, LATER), "that claim was over before"
    await records.let_go(chat.id, Instant(LATER + SECOND))
    assert await records.claim(chat.id, NOON, LATER)
    assert not await records.claim(other.id, NOON, LATER)
    assert not await records.claim(new_id(), NOON, LATER)
    assert (await store.of(ANA).conversations.get(chat.id)).updated_at == NOON


async def test_nobody_elses(store: Store, chat: Conversation) -> None:
    said = await talk(store, chat, "one", "two")
    child = said[1].user_message_id or ""
    theirs = replace(summary_of(chat, said[0].message_id, child), user_id=BIA.user_id)
    with pytest.raises(ConversationNotFound):
        await store.of(BIA).summaries.insert(theirs, child, LATER)
    await store.of(BIA).messages.count(chat.id, {child: Counts(3, {"o200k_base": 1})})
    assert (await store.of(ANA).messages.get(chat.id, child)).tokens is None


async def test_counts_are_kept_until_the_text_changes(store: Store, chat: Conversation) -> None:
    said = (await talk(store, chat, "one"))[0]
    question = said.user_message_id or ""
    records = store.of(ANA).messages
    counted = Counts(3, {"o200k_base": 1, "cl100k_base": 1})
    await records.count(chat.id, {question: counted, new_id(): counted})
    assert (await records.get(chat.id, question)).tokens == counted
    branch = await store.of(ANA).summaries.branch(chat.id, said.message_id)
    assert [each.counts is not None for each in branch] == [True, False]
    await records.rewrite(chat.id, question, "two", LATER)
    assert (await records.get(chat.id, question)).tokens is None


async def test_a_run_keeps_what_it_sent(store: Store, chat: Conversation) -> None:
    sent = Sent(12, estimated=False, first=new_id(), summary=new_id(), left_out=3)

    def prepare(of: Conversation, branch: Sequence[Shown], left: Remaining) -> Prepared:
        return replace(bound()(of, branch, left), sent=sent)

    run = (await store.of(ANA).runs.begin(opening(chat, "Hello"), prepare)).run
    assert run.context == sent
    assert (await store.of(ANA).runs.get(run.id)).context == sent
    other = (await begin(store, chat, "aside", parent_id=None)).run
    assert (await store.of(ANA).runs.get(other.id)).context is None


async def test_a_branch_of_nothing_but_a_question(store: Store, chat: Conversation) -> None:
    run = (await begin(store, chat, "Hello")).run
    branch = await store.of(ANA).summaries.branch(chat.id, run.user_message_id or "")
    assert [each.turns for each in branch] == [(Turn(Role.USER, "Hello"),)]


@pytest.mark.parametrize("seed", range(3))
async def test_any_sequence_leaves_a_tree(store: Store, chat: Conversation, seed: int) -> None:
    """Messages, edits, regenerations, summaries, deletions, rewriting: no orphan, no cycle, no summary without
    a child, and a head that is a leaf and no summary."""
    dice = random.Random(seed)
    records = store.of(ANA)
    inserted = 0
    for _ in range(60):
        tree, head = await records.messages.tree(chat.id)
        nodes = tree.branch(head) if dice.random() < 0.5 else sorted(_all(tree))
        node = dice.choice(nodes) if nodes else None
        match dice.choice(
            ["say", "say", "edit", "regenerate", "summarise", "summarise", "rewrite", "delete"]
        ):
            case "say":
                await turn(store, chat, "on")
            case "edit" if node:
                await turn(
                    store,
                    chat,
                    "edit",
                    parent_id=tree.branch(node)[-2] if len(tree.branch(node)) > 1 else None,
                )
            case "regenerate" if node and (await records.messages.get(chat.id, node)).role is Role.ASSISTANT:
                await turn(store, chat, None, regenerate=node)
            case "summarise" if node and len(path := tree.branch(node)) > 1:
                inserted += await insert(store, summary_of(chat, path[-2], node), node)
            case "rewrite" if node:
                await records.messages.rewrite(chat.id, node, "other", LATER)
            case "delete" if node and dice.random() < 0.5:
                await records.messages.delete(chat.id, node, LATER)
        _check(*(await records.messages.tree(chat.id)))
    assert inserted > 3


def _all(tree: Tree) -> set[str]:
    """All nodes that can be reached from the root."""
    found: set[str] = set()
    todo = [*tree.replies(None)]
    while todo:
        node = todo.pop()
        found |= set(tree.branch(node))
        todo += tree.replies(node)
    return found


def _check(tree: Tree, head: str | None) -> None:
    assert len(_all(tree)) == len(tree)
    assert (head is None) == (len(tree) == 0)
    assert head is None or (tree.replies(head) == [] and head not in tree.summaries)
    assert all(tree.leaf(each) not in tree.summaries for each in tree.summaries)

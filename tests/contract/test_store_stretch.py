"""Stretches of branches against the tree itself, over trees of every shape."""

import random

import pytest
from tests.stores import ANA, BIA, conversation, message

from prosa.adapters.store.repositories.stretch import kin
from prosa.adapters.store.statement import Plan
from prosa.domain.conversations import Conversation, Message, MessageKind
from prosa.domain.errors import ConversationNotFound, InvalidRequest, MessageNotFound
from prosa.domain.ids import new_id
from prosa.domain.imports import Planting, Seedling
from prosa.domain.stretch import Place
from prosa.domain.tree import Tree
from prosa.ports.store import Store


def grown(of: Conversation, shape: str, count: int) -> list[Message]:
    """Messages of a tree, parents first; some of them with a summary above."""
    chance = random.Random(shape)
    made: list[Message] = []
    for place in range(count):
        wild = chance.random() < {"line": 0, "bushy": 0.4, "twin": 0, "wide": 0.9, "summed": 0.1}[shape]
        above = None if not made else chance.choice([None, *made]) if wild else made[-1]
        if shape == "twin" and place >= 2:
            above = made[-2]
        summary = shape == "summed" and above is not None and chance.random() < 0.2
        if above is not None and summary:
            made.append(message(of, f"s{place}", parent_id=above.id, kind=MessageKind.SUMMARY))
            above = made[-1]
        made.append(message(of, str(place), parent_id=above.id if above else None))
    return made


async def planted(store: Store, messages: list[Message], of: Conversation) -> Tree:
    summaries = frozenset(each.id for each in messages if each.kind is MessageKind.SUMMARY)
    tree = Tree(((each.id, each.parent_id) for each in messages), summaries)
    shown = conversation(ANA, id=of.id, head_id=tree.leaf(None))
    one = Planting(shown, new_id(), [Seedling(each, new_id()) for each in messages])
    await store.of(ANA).imports.plant([one])
    return tree


@pytest.mark.parametrize("shape", ["line", "bushy", "twin", "wide", "summed"])
async def test_every_stretch_of_every_branch(store: Store, shape: str) -> None:
    of = conversation(ANA)
    messages = grown(of, shape, 24)
    tree = await planted(store, messages, of)
    records = store.of(ANA).messages
    for head in [None, *(each.id for each in messages)]:
        branch = tree.branch(head or tree.leaf(None))
        for order in ("asc", "desc"):
            wanted = branch if order == "asc" else branch[::-1]
            for limit in (1, 5, 30) if head is None else (7,):
                seen: list[str] = []
                place: Place | None = None
                while True:
                    found = await records.stretch(of.id, head, order, limit, place)
                    seen += [each.id for each in found.messages]
                    assert list(found.siblings) == [tree.siblings(each.id) for each in found.messages]
                    place = found.next
                    if place is None:
                        break
                    assert place.head == branch[-1]
                    assert len(found.messages) == limit
                assert seen == wanted, (head, order, limit)
    for each in messages[::5]:
        assert await records.placed(of.id, each.id) == (each, tree.siblings(each.id))


async def test_where_the_branch_is_another_one(store: Store) -> None:
    of = conversation(ANA)
    messages = grown(of, "line", 12)
    tree = await planted(store, messages, of)
    records = store.of(ANA).messages
    ids = [each.id for each in messages]
    place = (await records.stretch(of.id, None, "asc", 4, None)).next
    assert place is not None
    more = await records.append(message(of, "more"), at_head=True)
    found = await records.stretch(of.id, None, "asc", 4, place)
    assert [each.id for each in found.messages] == ids[4:8]
    assert found.next == Place(ids[7], more.id)
    assert [each.id for each in (await records.stretch(of.id, None, "desc", 3, place)).messages] == ids[2::-1]
    aside = await records.append(message(of, "aside", parent_id=ids[1]), at_head=False)
    for order in ("asc", "desc"):
        with pytest.raises(InvalidRequest):
            await records.stretch(of.id, None, order, 4, place)
    assert tree.leaf(None) == ids[-1]
    for order in ("asc", "desc"):
        with pytest.raises(InvalidRequest):
            await records.stretch(of.id, None, order, 4, Place(new_id(), aside.id))
    assert [each.id for each in (await records.stretch(of.id, ids[-1], "asc", 3, place)).messages] == ids[4:7]


async def test_what_does_not_exist(store: Store, chat: Conversation, other: Conversation) -> None:
    records = store.of(ANA).messages
    theirs = await store.of(BIA).messages.append(message(other), at_head=True)
    found = await records.stretch(chat.id, None, "asc", 5, None)
    assert (found.messages, found.siblings, found.next) == ((), (), None)
    with pytest.raises(MessageNotFound):
        await records.stretch(chat.id, theirs.id, "asc", 5, None)
    for each in (other.id, new_id()):
        with pytest.raises(ConversationNotFound):
            await records.stretch(each, None, "asc", 5, None)
        with pytest.raises(ConversationNotFound):
            await records.placed(each, theirs.id)
    with pytest.raises(MessageNotFound):
        await records.placed(chat.id, theirs.id)


def test_a_broken_tree_is_not_looked_through_for_ever() -> None:
    """A reader's thread serves everybody: none may hang at a parent that is not there."""
    lost = message(conversation(ANA), "lost", parent_id=new_id())
    assert answered_with_nothing(kin(lost.conversation_id, [lost])) == [[lost.id]]


def answered_with_nothing(plan: Plan[list[list[str]]]) -> list[list[str]]:
    next(plan)
    for _ in range(10):
        try:
            plan.send([])
        except StopIteration as end:
            return list(end.value)
    raise AssertionError("it asks for ever")

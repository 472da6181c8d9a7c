"""Conversations that are imported together end as they would one after the other, and all of them or none."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.test_store_moves import LATER, exported, planted, planting
from tests.stores import ANA, BIA, NOON, conversation, message, sqlite_store

from prosa.domain.conversations import MessageKind
from prosa.domain.feedback import Feedback
from prosa.domain.ids import new_id
from prosa.domain.imports import IdsTaken, Planting, Seedling
from prosa.ports.store import Store


def talk(text: str, **fields: Any) -> Planting:
    """A new conversation of a question and an answer that somebody liked."""
    of = conversation(ANA, **fields)
    asked = message(of, text)
    answer = message(of, f"{text}!", parent_id=asked.id)
    said = Feedback(
        message_id=answer.id,
        user_id=ANA.user_id,
        conversation_id=of.id,
        thumb="up",
        rating=None,
        tags=(),
        comment=None,
        created_at=NOON,
        updated_at=NOON,
    )
    shown = replace(of, head_id=answer.id)
    return Planting(shown, new_id(), [Seedling(asked, new_id()), Seedling(answer, new_id(), said)])


async def test_many_new_ones(store: Store) -> None:
    plantings = [talk(str(number)) for number in range(5)] + [planting(conversation(ANA))]
    done = await store.of(ANA).imports.plant(plantings)
    assert [(each.conversation_id, each.new) for each in done] == [
        (each.conversation.id, True) for each in plantings
    ]
    assert [each.messages for each in done] == [2, 2, 2, 2, 2, 0]
    for each in plantings[:5]:
        assert await store.of(ANA).conversations.get(each.conversation.id) == each.conversation
    assert b"up" in await exported(store)
    again = await store.of(ANA).imports.plant(plantings)
    assert [(each.new, each.messages) for each in again] == [(False, 0)] * 6


async def test_nothing_to_plant(store: Store) -> None:
    assert list(await store.of(ANA).imports.plant([])) == []


class World:
    """What is there, of Ana and of Bia, and what is to be planted: plantings that stand in each other's way."""

    def __init__(self) -> None:
        self.hers, self.own = conversation(BIA), conversation(ANA)
        self.theirs = message(self.hers, "hers")
        self.mine = message(self.own, "there", external_id="msg_1")
        self.named = conversation(ANA, external_id="thread_1")
        self.known = talk("known")

    async def settle(self, store: Store) -> None:
        await store.of(BIA).conversations.create(self.hers)
        await store.of(BIA).messages.append(self.theirs, at_head=True)
        await store.of(ANA).conversations.create(self.own)
        await store.of(ANA).messages.append(self.mine, at_head=True)
        await store.of(ANA).conversations.create(self.named)
        await planted(store, ANA, self.known)

    @property
    def plantings(self) -> list[Planting]:
        twice = talk("twice")
        strange, crossed, doubled = conversation(ANA), conversation(ANA), conversation(ANA)
        first = message(strange, "1", id=self.theirs.id)
        return [
            talk("new"),
            self._grown(),
            talk("a name that is there", external_id="thread_1"),
            twice,
            planting(strange, first, message(strange, "2", parent_id=first.id)),
            planting(crossed, message(crossed, id=self.mine.id), message(crossed, external_id="msg_1")),
            Planting(replace(conversation(ANA), id=self.hers.id), new_id(), []),
            twice,
            talk("a new name", external_id="thread_2"),
            talk("the same name", external_id="thread_2"),
            planting(doubled, message(doubled, id=twice.seedlings[0].message.id)),
            self.known,
        ]

    def _grown(self) -> Planting:
        of, last = self.known.conversation, self.known.seedlings[-1].message
        summary = message(of, "s", parent_id=last.id, kind=MessageKind.SUMMARY)
        more = message(of, "more", parent_id=summary.id)
        added = [Seedling(summary, new_id()), Seedling(more, new_id())]
        shown = replace(of, head_id=more.id, updated_at=LATER)
        return Planting(shown, self.known.other, [*self.known.seedlings, *added])


async def test_together_is_one_after_the_other(store: Store, tmp_path: Path) -> None:
    world = World()
    plantings = world.plantings
    (tmp_path / "b").mkdir()
    beside = sqlite_store(tmp_path / "b")
    await beside.open(lambda _kind, _ids: None)
    try:
        for each in (store, beside):
            await world.settle(each)
        together = list(await store.of(ANA).imports.plant(plantings))
        assert together == [await planted(beside, ANA, each) for each in plantings]
        assert [each.new for each in together].count(True) == 9
        assert await exported(store) == await exported(beside)
        assert await exported(store, BIA) == await exported(beside, BIA)
    finally:
        await beside.close()
    again = await store.of(ANA).imports.plant(plantings)
    assert [(each.new, each.messages) for each in again] == [(False, 0)] * len(plantings)


async def test_all_or_none(store: Store) -> None:
    world = World()
    await world.settle(store)
    before = await exported(store)
    impossible = Planting(replace(conversation(ANA), id=world.hers.id), world.hers.id, [])
    with pytest.raises(IdsTaken):
        await store.of(ANA).imports.plant([*world.plantings, impossible])
    assert await exported(store) == before

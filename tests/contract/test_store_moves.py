"""What is exported from one store and imported into another is the same there, byte for byte."""

import io
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.conftest import Place
from tests.stores import ANA, BIA, NOON, begin, conversation, insert, message, turn

from prosa.domain.content import ImagePart, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.conversations import (
    Conversation,
    ConversationStatus,
    Message,
    MessageKind,
    MessageStatus,
    TitleBy,
)
from prosa.domain.feedback import Feedback
from prosa.domain.ids import new_id
from prosa.domain.imports import IdsTaken, Planted, Planting, Seedling
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store
from prosa.services.export.document import Document
from prosa.services.export.exporter import Export
from prosa.services.imports.importer import Done, Import

LATER = Instant(NOON + SECOND)


async def exported(store: Store, owner: Principal = ANA) -> bytes:
    export = Export(store)
    total = await export.count(owner)
    return b"".join([piece async for piece in export.everything(owner, Document(), total)])


async def imported(store: Store, raw: bytes, owner: Principal = ANA) -> Done:
    steps = [step async for step in Import(store).run(owner, io.BytesIO(raw))]
    assert isinstance(steps[-1], Done)
    return steps[-1]


def planting(of: Conversation, *messages: Message) -> Planting:
    return Planting(of, new_id(), [Seedling(each, new_id()) for each in messages])


async def planted(store: Store, owner: Principal, one: Planting) -> Planted:
    (done,) = await store.of(owner).imports.plant([one])
    return done


async def furnish(store: Store) -> None:
    """Ana's conversations, with everything that a store may keep."""
    records = store.of(ANA)
    one, _ = await records.conversations.create(
        conversation(
            ANA,
            title="Olá\0 \u2028",
            external_id="fora",
            system_prompt="Be.",
            provider="p",
            model="m",
            client_id="acme",
            pinned=True,
            archived=True,
            title_by=TitleBy.MODEL,
            metadata={"b": 1.0, "a": [1e16, 1e300, -0.0, 0.1, True, None, "é"], "aa": {"z": 1, "y": {}}},
        )
    )
    first = await turn(store, one, "Olá, \U0001f9d1\u200d\U0001f4bb \0 'quote'")
    await turn(store, one, "again", parent_id=None)
    parts = (
        ThinkingPart("hm", provider="p", signature="s"),
        ToolCall("c", "f", "{}"),
        ToolResult("c", "\0", "f"),
        ImagePart("image/png", name="a b.png", file=new_id(), size=7),
        TextPart("é"),
    )
    said = message(
        one, "é", parent_id=first.message_id, role=Role.ASSISTANT, parts=parts, metadata={"k": "v"}
    )
    await records.messages.append(replace(said, external_id="msg_abc"), at_head=False)
    await records.feedback.put(
        Feedback(said.id, "ana", one.id, "up", 4, ("good", "é"), "So, so.", LATER, Instant(LATER + 1))
    )
    summary = message(one, "What was said.", parent_id=first.message_id, kind=MessageKind.SUMMARY)
    assert await insert(store, summary, said.id)
    await records.conversations.create(conversation(ANA, ticket_id="T-1", title="of a ticket"))
    two, _ = await records.conversations.create(conversation(ANA))
    await begin(store, two, "being answered")
    await records.conversations.create(conversation(ANA, status=ConversationStatus.CLOSED))


async def test_there_and_back(store: Store, tmp_path: Any) -> None:
    from tests.stores import sqlite_store

    await furnish(store)
    await store.of(BIA).conversations.create(conversation(BIA, title="da Bia"))
    before = await exported(store)
    assert before.count(b"\n") == 5
    assert b"Bia" not in before
    assert b"in_progress" not in before
    (tmp_path / "other").mkdir()
    other = sqlite_store(tmp_path / "other")
    await other.open(lambda _kind, _ids: None)
    try:
        done = await imported(other, before)
        assert (done.imported, done.skipped, done.messages, list(done.failed)) == (3, 0, 8, [])
        assert await exported(other) == before
        again = await imported(other, before)
        assert (again.imported, again.skipped, again.messages, list(again.failed)) == (0, 3, 0, [])
        assert await exported(other) == before
    finally:
        await other.close()


async def test_into_this_store_and_out_again(store: Store, tmp_path: Any) -> None:
    from tests.stores import sqlite_store

    (tmp_path / "other").mkdir()
    other = sqlite_store(tmp_path / "other")
    await other.open(lambda _kind, _ids: None)
    try:
        await furnish(other)
        before = await exported(other)
    finally:
        await other.close()
    await imported(store, before)
    assert await exported(store) == before
    assert (await imported(store, before)).skipped == 3
    assert await exported(store) == before


async def test_another_owners_ids_are_as_if_they_were_free(store: Store) -> None:
    await furnish(store)
    before = await exported(store)
    done = await imported(store, before, BIA)
    assert (done.imported, done.skipped, done.messages, list(done.failed)) == (3, 0, 8, [])
    copy = await exported(store, BIA)
    assert copy != before
    assert await exported(store) == before
    again = await imported(store, before, BIA)
    assert (again.imported, again.skipped, again.messages) == (0, 3, 0)
    # Also where the ids have become free meanwhile.
    for each in await store.of(ANA).exports.conversations(None, 10):
        for run in await store.of(ANA).runs.open(each.id):
            await store.of(ANA).runs.cancel(run.id)
        await store.of(ANA).conversations.delete(each.id)
    assert (await imported(store, before, BIA)).skipped == 3
    assert await exported(store, BIA) == copy


async def test_some_of_the_ids_are_taken(store: Store, chat: Conversation, other: Conversation) -> None:
    """A message of somebody else's, and one of one's own in another conversation, under own children."""
    theirs = await store.of(BIA).messages.append(message(other, "hers"), at_head=True)
    mine = await store.of(ANA).messages.append(message(chat, "there"), at_head=True)
    of = conversation(ANA)
    first = message(of, "1", id=theirs.id)
    second = message(of, "2", id=mine.id, parent_id=first.id)
    third = message(of, "3", parent_id=second.id)
    wanted = planting(replace(of, head_id=third.id), first, second, third)
    done = await planted(store, ANA, wanted)
    assert (done.conversation_id, done.new, done.messages) == (of.id, True, 3)
    tree, head = await store.of(ANA).messages.tree(of.id)
    assert head == third.id
    assert tree.branch(head) == [wanted.seedlings[0].other, wanted.seedlings[1].other, third.id]
    assert await store.of(ANA).messages.get(chat.id, mine.id) == mine
    assert await store.of(BIA).messages.get(other.id, theirs.id) == theirs
    again = await planted(store, ANA, wanted)
    assert (again.new, again.messages) == (False, 0)


async def test_ids_that_are_taken_twice_leave_nothing(store: Store, other: Conversation) -> None:
    theirs = await store.of(BIA).messages.append(message(other, "hers"), at_head=True)
    of = conversation(ANA)
    with pytest.raises(IdsTaken):
        await planted(store, ANA, Planting(of, new_id(), [Seedling(message(of, id=theirs.id), theirs.id)]))
    with pytest.raises(IdsTaken):
        await planted(store, ANA, Planting(replace(of, id=other.id), other.id, []))
    assert await store.of(ANA).exports.count() == 0


async def test_a_conversation_that_has_grown_since(store: Store) -> None:
    of = conversation(ANA)
    first = message(of, "1")
    second = message(of, "2", parent_id=first.id)
    await planted(store, ANA, planting(replace(of, head_id=first.id), first))
    grown = planting(replace(of, head_id=second.id, updated_at=LATER), first, second)
    done = await planted(store, ANA, grown)
    assert (done.new, done.messages) == (False, 1)
    found = await store.of(ANA).conversations.get(of.id)
    assert (found.head_id, found.updated_at) == (second.id, LATER)
    # What its owner shows is not changed by what grows elsewhere.
    aside = message(of, "3", parent_id=first.id)
    await planted(store, ANA, planting(replace(of, head_id=aside.id), first, second, aside))
    assert (await store.of(ANA).conversations.get(of.id)).head_id == second.id


async def test_a_summary_that_was_made_since_is_not_for_a_conversation_that_is_there(store: Store) -> None:
    of = conversation(ANA)
    first = message(of, "1")
    second = message(of, "2", parent_id=first.id)
    await planted(store, ANA, planting(replace(of, head_id=second.id), first, second))
    summary = message(of, "s", parent_id=first.id, kind=MessageKind.SUMMARY)
    third = message(of, "3", parent_id=second.id)
    aside = message(of, "4", parent_id=summary.id)
    grown = planting(
        replace(of, head_id=third.id), first, summary, replace(second, parent_id=summary.id), third, aside
    )
    done = await planted(store, ANA, grown)
    assert (done.new, done.messages) == (False, 2)
    tree, head = await store.of(ANA).messages.tree(of.id)
    assert head == third.id
    assert tree.branch(head) == [first.id, second.id, third.id]
    assert tree.siblings(aside.id) == [second.id, aside.id]
    assert (await planted(store, ANA, grown)).messages == 0


async def test_external_ids_are_not_taken_twice(store: Store, chat: Conversation) -> None:
    named = await store.of(ANA).messages.append(message(chat, external_id="msg_1"), at_head=True)
    await store.of(ANA).conversations.create(conversation(ANA, external_id="thread_1"))
    of = conversation(ANA, external_id="thread_1")
    one, two = message(of, external_id="msg_1"), message(of, external_id="msg_2")
    await planted(store, ANA, planting(of, one, two))
    assert (await store.of(ANA).conversations.get(of.id)).external_id is None
    found = await store.of(ANA).messages.many(of.id, [one.id, two.id])
    assert [found[each.id].external_id for each in (one, two)] == [None, "msg_2"]
    assert (await store.of(ANA).messages.get(chat.id, named.id)).external_id == "msg_1"
    theirs = conversation(BIA, external_id="thread_1")
    await planted(store, BIA, planting(theirs, message(theirs, external_id="msg_1")))
    assert (await store.of(BIA).conversations.get(theirs.id)).external_id == "thread_1"


async def test_pieces_of_an_export(store: Store, chat: Conversation) -> None:
    exports = store.of(ANA).exports
    long = [message(chat, "x" * 400_000) for _ in range(5)]
    short = [message(chat, "y") for _ in range(700)]
    await store.of(ANA).messages.seed([*long, *short])
    wanted = [each.id for each in (*long, *short)]
    sizes, ids, after = [], [], None
    while found := await exports.messages(chat.id, after):
        sizes.append(len(found))
        ids += [each.id for each in found]
        after = found[-1].id
    assert ids == wanted
    assert sizes == [2, 2, 500, 201]
    assert [each.id for each in await exports.some(chat.id, wanted[::-1])] == wanted[:-501:-1]
    assert [each.id for each in await exports.some(chat.id, wanted)] == wanted[:2]
    assert await exports.above(chat.id, wanted[-1], 3) == wanted[:-4:-1]
    assert await exports.above(chat.id, wanted[1], 3) == wanted[1::-1]
    assert await store.of(BIA).exports.messages(chat.id, None) == []
    assert await store.of(BIA).exports.some(chat.id, wanted[:1]) == []
    assert await store.of(BIA).exports.above(chat.id, wanted[0], 3) == []


async def test_what_is_being_written_is_incomplete(place: Place) -> None:
    store = place()
    await store.open(lambda _kind, _ids: None)
    try:
        made, _ = await store.of(ANA).conversations.create(conversation(ANA))
        await begin(store, made)
        document = await exported(store)
        assert document.count(MessageStatus.INCOMPLETE.encode()) == 1
    finally:
        await store.close()

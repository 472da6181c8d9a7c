"""Files in the store: whose they are, how much they take, and what takes them away."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, NOON, added, begin, bound, conversation, file, opening, turn

from prosa.domain.content import DocumentPart, ImagePart, TextPart
from prosa.domain.conversations import Conversation
from prosa.domain.errors import ContextTooLong, ConversationClosed
from prosa.domain.files import FileInUse, FileKind, FileNotFound, FileSent, FilesFull
from prosa.domain.ids import new_id
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store


async def test_a_file_comes_back_as_it_was(store: Store) -> None:
    one = file(name="férias \U0001f3d6.png", size=2**40)
    other = file(kind=FileKind.DOCUMENT, media_type="text/plain", width=None, height=None)
    for each in (one, other):
        await store.of(ANA).files.add(each, None)
        assert await store.of(ANA).files.get(each.id) == each
    assert await store.of(ANA).files.many([one.id, other.id, new_id()]) == {one.id: one, other.id: other}
    assert await store.of(ANA).files.used() == 2**40 + 10
    assert await store.of(BIA).files.used() == 0


async def test_a_message_with_files(store: Store, chat: Conversation) -> None:
    picture = await added(store)
    text = await added(store, kind=FileKind.DOCUMENT, media_type="text/plain", name="a.txt")
    begun = await begin(store, chat, "Look.", attachments=(picture, text))
    expected = (
        ImagePart("image/png", name="a.png", file=picture, size=10),
        DocumentPart("text/plain", name="a.txt", file=text, size=10),
        TextPart("Look."),
    )
    assert begun.prepared is not None
    assert begun.prepared.request.turns[-1].parts == expected
    question = await store.of(ANA).messages.get(chat.id, begun.run.user_message_id or "")
    assert (question.content, question.parts) == ("Look.", expected)
    assert (await store.of(ANA).files.get(picture)).conversation_id == chat.id
    assert set(await store.of(ANA).files.of(chat.id)) == {picture, text}


async def test_a_message_of_files_alone_is_called_after_them(store: Store, chat: Conversation) -> None:
    begun = await begin(store, chat, "", attachments=(await added(store, name="Relatório.pdf"),))
    question = await store.of(ANA).messages.get(chat.id, begun.run.user_message_id or "")
    assert (question.content, len(question.parts)) == ("", 1)
    assert (await store.of(ANA).conversations.get(chat.id)).title == "Relatório.pdf"


@pytest.mark.hostile(13)
async def test_a_foreign_file_is_none(store: Store, chat: Conversation, other: Conversation) -> None:
    mine = await added(store)
    for wrong in (new_id(), await added(store, BIA)):
        with pytest.raises(FileNotFound):
            await begin(store, chat, attachments=(mine, wrong))
    assert (await store.of(ANA).files.get(mine)).conversation_id is None
    assert (await store.of(ANA).messages.tree(chat.id))[1] is None


async def test_a_file_belongs_to_one_conversation(store: Store, chat: Conversation) -> None:
    one = await added(store)
    await turn(store, chat, attachments=(one,))
    elsewhere, _ = await store.of(ANA).conversations.create(conversation(ANA))
    with pytest.raises(FileInUse):
        await begin(store, elsewhere, attachments=(one,))
    await turn(store, chat, attachments=(one,))  # again
    await turn(store, chat, attachments=(one,), parent_id=None)  # in another branch


async def test_nothing_is_taken_by_what_is_refused(store: Store, chat: Conversation) -> None:
    one = await added(store)

    def refuse(*_: object) -> object:
        raise ContextTooLong("fake")

    with pytest.raises(ContextTooLong):
        await store.of(ANA).runs.begin(opening(chat, attachments=(one,)), refuse)  # type: ignore[arg-type]
    assert (await store.of(ANA).files.get(one)).conversation_id is None
    await store.of(ANA).conversations.update(chat.id, {"status": "closed"}, NOON)
    with pytest.raises(ConversationClosed):
        await store.of(ANA).runs.begin(opening(chat, attachments=(one,)), bound())
    assert (await store.of(ANA).files.get(one)).conversation_id is None


async def test_deleting_by_hand(store: Store, chat: Conversation) -> None:
    one, sent = await added(store), await added(store)
    await turn(store, chat, attachments=(sent,))
    for wrong in (new_id(), await added(store, BIA)):
        with pytest.raises(FileNotFound):
            await store.of(ANA).files.delete(wrong)
    with pytest.raises(FileSent):
        await store.of(ANA).files.delete(sent)
    await store.of(ANA).files.delete(one)
    with pytest.raises(FileNotFound):
        await store.of(ANA).files.get(one)
    await store.of(ANA).files.get(sent)


async def test_files_go_with_their_last_message(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    shared, lone, unsent = [await added(store) for _ in range(3)]
    first = await turn(store, chat, attachments=(shared, lone))
    second = await turn(store, chat, attachments=(shared,), parent_id=None)
    await records.messages.delete(chat.id, first.user_message_id or "", NOON, subtree=True)
    assert set(await records.files.many([shared, lone, unsent])) == {shared, unsent}
    await records.messages.rewrite(chat.id, second.user_message_id or "", "Anew.", NOON)
    again = await records.messages.get(chat.id, second.user_message_id or "")
    assert (again.content, [type(part) for part in again.parts]) == ("Anew.", [ImagePart, TextPart])
    await records.messages.clear(chat.id, NOON)
    assert set(await records.files.many([shared, lone, unsent])) == {unsent}


async def test_files_go_with_their_conversation(store: Store, chat: Conversation) -> None:
    one, unsent = await added(store), await added(store)
    await turn(store, chat, attachments=(one,))
    await store.of(ANA).conversations.delete(chat.id)
    assert set(await store.of(ANA).files.many([one, unsent])) == {unsent}
    assert await store.of(ANA).files.used() == 10


async def test_the_quota_is_exact_under_concurrency(store: Store) -> None:
    await added(store, BIA, size=10**9)

    async def add() -> bool:
        try:
            await store.of(ANA).files.add(file(size=7), 100)
        except FilesFull:
            return False
        return True

    told = await asyncio.gather(*(add() for _ in range(40)))
    assert sum(told) == 14
    assert await store.of(ANA).files.used() == 98
    await store.of(ANA).files.add(file(size=2), 100)
    with pytest.raises(FilesFull) as full:
        await store.of(ANA).files.add(file(size=1), 100)
    assert full.value.details == {"used": 100, "limit": 100}


async def test_what_the_sweep_sees(store: Store, chat: Conversation) -> None:
    old = Instant(NOON - SECOND)
    unsent, sent, foreign = (
        await added(store, created_at=old), await added(store, created_at=old), await added(store, BIA, created_at=old),
    )  # fmt: skip
    fresh = await added(store)
    await turn(store, chat, attachments=(sent,))
    assert await store.files.known([unsent, foreign, new_id()]) == {unsent, foreign}
    assert set(await store.files.expire(NOON)) == {unsent, foreign}
    assert await store.files.expire(NOON) == []
    assert await store.files.known([unsent, sent, foreign, fresh]) == {sent, fresh}


async def test_what_is_being_sent_does_not_expire(store: Store, chat: Conversation) -> None:
    """Whoever is first: either the message has its file, or there is no message."""
    for _ in range(20):
        one = await added(store, created_at=Instant(NOON - SECOND))
        sending = begin(store, chat, attachments=(one,), parent_id=None)
        begun, expired = await asyncio.gather(sending, store.files.expire(NOON), return_exceptions=True)
        if isinstance(begun, FileNotFound):
            assert expired == [one]
        else:
            assert expired == []
            assert await store.files.known([one]) == {one}


async def test_a_file_of_a_client(store: Store) -> None:
    one = replace(file(), client_id="acme")
    await store.of(ANA).files.add(one, None)
    assert (await store.of(ANA).files.get(one.id)).client_id == "acme"

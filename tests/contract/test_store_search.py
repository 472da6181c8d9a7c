"""Search over messages: what is found, by whom, and in which order."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.stores import ANA, BIA, NOON, begin, conversation, ending, message, sqlite_store

from prosa.domain.conversations import Conversation, MessageKind, MessageStatus
from prosa.domain.ids import new_id
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.search import Sought, Spot, phrases_of
from prosa.domain.time import Instant
from prosa.ports.store import Store
from prosa.services import search


async def say(store: Store, chat: Conversation, text: str, **fields: Any) -> str:
    owner = Principal(chat.user_id)
    return (await store.of(owner).messages.append(message(chat, text, **fields), at_head=False)).id


async def found(store: Store, asked: str, owner: Principal = ANA, **more: Any) -> list[str]:
    await store.index()
    page = await store.of(owner).search.page(Sought(phrases_of(asked), **more), 100, None)
    return [each.text for each in page]


TEXTS = (
    "Férias em MARÇO, com o João",
    "relatorio_final.pdf em docs/2026/relatórios",
    "Привет, МИР",
    "C++ e C# 3.14 1e10 v2",
    "a AND b OR (c NEAR d) NOT e* ^f col:g {h} \"i\" 'j' -k",
)


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ("ferias", [0]),
        ("FÉRIAS joão", [0]),
        ("joao fer", [0]),
        ("fer joao", []),
        ('"em março" fér', [0]),
        ('"março em"', []),
        ('"fér"', []),
        ("relatorio", [1]),
        ('"relatorio final" pdf', [1]),
        ("docs/2026", [1]),
        ("2026/rel", [1]),
        ("мир привет", [2]),
        ("c", [4, 3, 0]),
        ("3.14", [3]),
        ("1e1", [3]),
        ("nada", []),
    ],
)
async def test_all_words_the_last_as_a_beginning(
    store: Store, chat: Conversation, asked: str, places: list[int]
) -> None:
    for text in TEXTS:
        await say(store, chat, text)
    assert await found(store, asked) == [TEXTS[place] for place in places]


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ("a AND b", True), ("NOT e", True), ("e*", True), ("^f", True), ("col:g", True), ("{h}", True), ('"i', True),
        ("'j'", True), ("-k", True), ("NEAR(", True), ("(c", True), ("a OR zzz", False), ("scope:a", False),
        ("content : a", False), ('"', False), ('""', False), ('" OR 1=1 --', False), ("*", False), ("%", False), ("\\", False),
        ("a:* & b", True), ("a | zzz", False), ("!zzz", False), ("a <-> b", True), ("\x01", False),
        (" ".join(["a"] * 100), True), ("(" * 150, False), ("a" * 200, False),
    ],
)  # fmt: skip
async def test_signs_are_literal(store: Store, chat: Conversation, asked: str, is_found: bool) -> None:
    await say(store, chat, TEXTS[4])
    assert bool(await found(store, asked)) is is_found


async def test_an_answer_is_found_once_it_has_ended(store: Store, chat: Conversation) -> None:
    run = (await begin(store, chat, "pergunta")).run
    assert await found(store, "pergunta") == ["pergunta"]
    await store.engine.commit(
        run.owner, [], [ending(run, "resposta", message_status=MessageStatus.INCOMPLETE)]
    )
    assert await found(store, "resposta") == ["resposta"]


async def test_what_is_changed_or_deleted_is_not_found_as_it_was(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    one, two, three = [await say(store, chat, text) for text in ("alfa", "beta", "gama")]
    for waits in (False, True):  # also where it had not come into the index yet
        if not waits:
            await store.index()
        await records.messages.rewrite(chat.id, one, "delta", NOON)
        await records.messages.delete(chat.id, three, NOON)
        assert await found(store, "alfa") == await found(store, "gama") == []
        assert await found(store, "delta") == ["delta"]
        await records.messages.rewrite(chat.id, one, "alfa", NOON)
        three = await say(store, chat, "gama")
    await records.messages.rewrite(chat.id, two, "beta", NOON)
    assert await found(store, "beta") == ["beta"]
    await records.messages.clear(chat.id, NOON)
    assert await found(store, "alfa") == await found(store, "beta") == []
    await say(store, chat, "alfa")
    await store.index()
    await records.conversations.delete(chat.id)
    assert await found(store, "alfa") == []


async def test_only_ones_own(store: Store, chat: Conversation, other: Conversation) -> None:
    await say(store, chat, "segredo da ana")
    await say(store, other, "segredo da bia")
    assert await found(store, "segredo") == ["segredo da ana"]
    for intruder in (
        Principal("ANA"),
        Principal("an"),
        Principal(""),
        Principal('ana" OR "'),
        Principal("ana*"),
    ):
        assert await found(store, "segredo", intruder) == []
        assert await found(store, "segredo", intruder, conversation_id=chat.id) == []
    odd = Principal('prosa:desk:ação\'s "x"')
    theirs, _ = await store.of(odd).conversations.create(conversation(odd))
    await say(store, theirs, "segredo")
    assert await found(store, "segredo", odd) == ["segredo"]
    (mine,) = await store.of(ANA).search.page(Sought(phrases_of("segredo")), 10, None)
    assert await store.of(ANA).search.text(mine.message_id) == "segredo da ana"


async def test_filters(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    elsewhere, _ = await records.conversations.create(conversation(ANA, title="Outra"))
    await say(store, chat, "tema um", created_at=Instant(NOON + 1))
    await say(store, chat, "tema dois", role=Role.ASSISTANT, created_at=Instant(NOON + 2))
    await say(store, elsewhere, "tema tres", created_at=Instant(NOON + 3))
    await say(store, chat, "tema resumo", kind=MessageKind.SUMMARY)
    assert await found(store, "tema") == ["tema tres", "tema dois", "tema um"]
    assert await found(store, "tema", conversation_id=chat.id) == ["tema dois", "tema um"]
    assert await found(store, "tema", role=Role.ASSISTANT) == ["tema dois"]
    assert await found(store, "tema", since=NOON + 2) == ["tema tres", "tema dois"]
    assert await found(store, "tema", since=NOON + 2, until=NOON + 3) == ["tema dois"]
    assert await found(store, "tema", conversation_id=new_id()) == []
    (there,) = await records.search.page(Sought(phrases_of("tres")), 1, None)
    assert (there.title, there.conversation_id, there.created_at) == ("Outra", elsewhere.id, NOON + 3)


async def test_pages_while_messages_come_and_go(store: Store, chat: Conversation) -> None:
    """Also of messages that were made at the same moment, in whatever order they came."""
    texts = [f"tema {number}" for number in range(12)]
    ids = {}
    for number in (3, 1, 0, 2, 7, 5, 4, 6, 11, 9, 8, 10):
        ids[number] = await say(store, chat, texts[number], created_at=Instant(NOON + number // 3))
    seen: list[str] = []
    before: Spot | None = None
    await store.index()
    sought = Sought(phrases_of("tema"))
    while page := await store.of(ANA).search.page(sought, 3, before):
        seen += [each.text for each in page]
        before = page[-1].place
        await say(store, chat, "tema novo", created_at=Instant(NOON + 50))
        victim = next((number for number in ids if number % 4 == 0 and texts[number] not in seen), None)
        if victim is not None:
            await store.of(ANA).messages.delete(chat.id, ids.pop(victim), NOON)
        await store.index()
    numbers = [int(text.removeprefix("tema ")) for text in seen]
    assert [number // 3 for number in numbers] == sorted((number // 3 for number in numbers), reverse=True)
    assert len(set(numbers)) == len(numbers)
    assert {number for number in range(12) if number % 4} <= set(numbers)


async def test_messages_without_a_time_of_their_own(
    store: Store, chat: Conversation, other: Conversation
) -> None:
    """However many are of one moment, those of nobody else wait for them."""
    await store.of(ANA).messages.seed([message(chat, f"tema {number}") for number in range(5000)])
    await store.index()
    await say(store, other, "agulha")
    assert await found(store, "agulha", BIA) == ["agulha"]
    for number in (0, 4095, 4999):
        assert await found(store, f'"tema {number}"') == [f"tema {number}"]


async def test_nobody_waits_until_what_is_deleted_has_left_the_index(tmp_path: Path) -> None:
    """In the writer a deletion costs what its rows cost; the index follows, and then knows nothing of it."""
    store = sqlite_store(tmp_path)
    await store.open(lambda _kind, _ids: None)
    try:
        chat, _ = await store.of(ANA).conversations.create(conversation())
        for text in ("alfa beta", "alfa gama", "alfa delta"):
            await say(store, chat, text)
        await store.index()
        await store.of(ANA).messages.clear(chat.id, NOON)
        page = await store.of(ANA).search.page(Sought(phrases_of("alfa")), 100, None)
        assert page == []
        assert _indexed(tmp_path, "alfa") == 3
        await say(store, chat, "alfa beta")  # at the same moment, so it would get the first one's number
        await store.index(256)
        assert _indexed(tmp_path, "alfa") == 0
        assert await found(store, "alfa") == ["alfa beta"]
        assert (_indexed(tmp_path, "alfa"), _indexed(tmp_path, "gama")) == (1, 0)
    finally:
        await store.close()


def _indexed(folder: Path, word: str) -> int:
    with closing(sqlite3.connect(folder / "prosa.db")) as raw:
        return len(
            raw.execute("SELECT rowid FROM search WHERE search MATCH ?", (f"content : {word}",)).fetchall()
        )


async def test_a_search_does_not_wait_for_ever(
    store: Store, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(store, chat, "agulha")
    await store.index()

    async def index(least: int = 1) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(store, "index", index)
    monkeypatch.setattr(search, "LONGEST", 0.01)
    hits, _ = await search.Search(store).page(ANA, Sought(phrases_of("agulha")), 10, None)
    assert [each.found.text for each in hits] == ["agulha"]


@pytest.mark.hostile(24)
@pytest.mark.parametrize(
    "text",
    [
        " ".join(map(chr, range(0x20000, 0x2A000))) * 5,
        "\ufdfa" * 400_000,
        "x" * 400_000,
        " ".join(f"{number:x}" for number in range(70_000)),
        "\u0301" * 400_000,
        "é ß ﬁ İ ǆ \U0001f9d1\u200d\U0001f4bb \u202e",
    ],
    ids=["rare", "swelling", "one", "many", "marks", "odd"],
)
async def test_no_text_is_too_odd_to_be_stored(store: Store, chat: Conversation, text: str) -> None:
    one = await say(store, chat, "agulha " + text)
    assert [each[:6] for each in await found(store, "agulha")] == ["agulha"]
    (there,) = await store.of(ANA).search.page(Sought(phrases_of("agulha")), 1, None)
    assert there.cut is (len(text) > 20_000)
    assert len(there.text) <= 20_000
    await store.of(ANA).messages.delete(chat.id, one, NOON)
    assert await found(store, "agulha") == []

"""Kept answers as the stores keep them."""

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, NOON, conversation, message

from prosa.domain.answers import PUBLIC, KeptAnswer, Question, owner_of
from prosa.domain.errors import StoreUnavailable
from prosa.domain.ids import new_id
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.time import Instant
from prosa.ports.store import Store

LATER = Instant(NOON + 1_000)


def answer(owner: Principal = ANA, key: str = "k", **fields: object) -> KeptAnswer:
    made = KeptAnswer(
        new_id(),
        owner.user_id,
        owner.client_id,
        key,
        "f",
        "fake",
        "m",
        "Olá",
        b"\0\0\x80?",
        None,
        None,
        NOON,
        LATER,
    )
    return replace(made, **fields)


async def test_an_answer_is_kept_until_it_expires(store: Store) -> None:
    answers, made = store.of(ANA).answers, answer()
    await answers.keep(made)
    assert await answers.find("k", NOON) == made
    assert await answers.find("other", NOON) is None
    assert await answers.find("k", LATER) is None
    assert await answers.family("f", NOON, 5) == [Question(made.id, made.vector)]
    assert await answers.family("f", LATER, 5) == []
    assert await answers.get(made.id, NOON) == made
    assert await answers.get(made.id, LATER) is None
    assert await answers.family("g", NOON, 5) == []


async def test_a_newer_answer_takes_its_place_and_the_expired_go(store: Store) -> None:
    answers = store.of(ANA).answers
    await answers.keep(answer(key="old", expires_at=Instant(NOON + 1)))
    await answers.keep(answer())
    newer = answer(content="Oi", created_at=Instant(NOON + 2))
    await answers.keep(newer)
    assert await answers.find("k", NOON) == newer
    assert await answers.find("old", NOON) is None
    bare = answer(key="bare", vector=None, created_at=Instant(NOON + 3))
    await answers.keep(bare)
    assert await answers.family("f", NOON, 5) == [Question(newer.id, newer.vector)]


@pytest.mark.hostile(19)
async def test_answers_of_others_do_not_exist(store: Store) -> None:
    made = answer()
    await store.of(ANA).answers.keep(made)
    for other in (BIA, PUBLIC, Principal("ana", "acme").desk):
        answers = store.of(other).answers
        assert await answers.find("k", NOON) is None
        assert await answers.family("f", NOON, 5) == []
        assert await answers.get(made.id, NOON) is None
        theirs = answer(other, content="theirs")
        await answers.keep(theirs)
        assert await answers.find("k", NOON) == theirs
    assert (await store.of(ANA).answers.find("k", NOON)).content == "Olá"  # type: ignore[union-attr]


@pytest.mark.hostile(19)
@pytest.mark.parametrize("scope", ["user", "client", "public"])
@pytest.mark.parametrize("what", ["conversation", "message"])
async def test_it_ends_with_where_it_was_given(store: Store, scope: str, what: str) -> None:
    records, owner = store.of(ANA), owner_of(Principal(ANA.user_id, "acme"), scope)  # type: ignore[arg-type]
    place, _ = await records.conversations.create(conversation())
    said = await records.messages.append(message(place, role=Role.ASSISTANT), at_head=True)
    await store.of(owner).answers.keep(answer(owner, conversation_id=place.id, message_id=said.id))
    assert await store.of(owner).answers.find("k", NOON)
    if what == "conversation":
        await records.conversations.delete(place.id)
    else:
        await records.messages.delete(place.id, said.id, NOON)
    assert await store.of(owner).answers.find("k", NOON) is None
    with pytest.raises(StoreUnavailable):
        await store.of(owner).answers.keep(answer(owner, conversation_id=new_id(), message_id=said.id))

"""Providers' keys on both databases: the operator's, whole or not at all, and out of every user's reach."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.postgres import Database
from tests.stores import NOON, Ears, begin, ending, entry

from prosa.domain.conversations import Conversation
from prosa.domain.errors import KeyNotFound, KeyRetired
from prosa.domain.ids import new_id
from prosa.domain.keys import KeyState, KeyUse, ProviderKey, Sealed
from prosa.domain.money import Picodollars
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

LATER = Instant(NOON + SECOND)


def key(**fields: Any) -> ProviderKey:
    made = ProviderKey(
        id=new_id(), provider="openai", label="first", weight=2, state=KeyState.ACTIVE, reason=None, hint="1234",
        created_at=NOON,
    )  # fmt: skip
    return replace(made, **fields)


def sealed(text: str = "x") -> Sealed:
    return Sealed(b"\x00\xff" + text.encode(), "master")


async def test_they_are_kept_as_they_were_given(store: Store) -> None:
    one, two = key(), key(provider="mistral", label="", hint="")
    await store.keys.add(one, sealed("one"))
    await store.keys.add(two, sealed("two"))
    assert [(each.key, each.sealed) for each in await store.keys.all()] == [
        (one, sealed("one")), (two, sealed("two")),
    ]  # fmt: skip
    assert (await store.keys.get(two.id)).key == two
    with pytest.raises(KeyNotFound):
        await store.keys.get(new_id())


async def test_set_aside_and_back(store: Store) -> None:
    one = key()
    await store.keys.add(one, sealed())
    assert not await store.keys.restore(one.id)
    assert await store.keys.set_aside(one.id, "provider_bad_key", LATER)
    aside = replace(one, state=KeyState.SET_ASIDE, reason="provider_bad_key", set_aside_at=LATER)
    assert not await store.keys.set_aside(one.id, "quota_exhausted", Instant(LATER + 1))
    assert (await store.keys.get(one.id)).key == aside
    assert await store.keys.restore(one.id)
    assert (await store.keys.get(one.id)).key == one
    assert not await store.keys.set_aside(new_id(), "x", NOON)


async def test_a_retired_key_has_no_secret(store: Store) -> None:
    one = key()
    await store.keys.add(one, sealed())
    for moment in (LATER, Instant(LATER + 1)):
        await store.keys.retire(one.id, moment)
    found = await store.keys.get(one.id)
    assert found.key == replace(one, state=KeyState.RETIRED, retired_at=LATER)
    assert found.sealed is None
    assert not await store.keys.set_aside(one.id, "x", LATER)
    assert not await store.keys.restore(one.id)
    with pytest.raises(KeyNotFound):
        await store.keys.retire(new_id(), NOON)


async def test_one_takes_the_place_of_another_or_nothing_happens(store: Store) -> None:
    one, two = key(), key(created_at=LATER)
    await store.keys.add(one, sealed("one"))
    await store.keys.replace(one.id, two, sealed("two"))
    before, after = await store.keys.all()
    assert (before.key.state, before.key.retired_at, before.sealed) == (KeyState.RETIRED, LATER, None)
    assert (after.key, after.sealed) == (two, sealed("two"))
    with pytest.raises(KeyRetired):
        await store.keys.replace(one.id, key(), sealed())
    with pytest.raises(KeyNotFound):
        await store.keys.replace(new_id(), key(), sealed())
    assert len(await store.keys.all()) == 2


async def test_of_twenty_that_take_its_place_one_does(store: Store) -> None:
    one = key()
    await store.keys.add(one, sealed())
    done = await asyncio.gather(
        *(store.keys.replace(one.id, key(), sealed()) for _ in range(20)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["KeyRetired"] * 19 + ["NoneType"]
    assert [each.key.state for each in await store.keys.all()].count(KeyState.ACTIVE) == 1


async def test_what_is_sealed_anew_is_what_was_read(store: Store) -> None:
    one = key()
    await store.keys.add(one, sealed("old"))
    new = Sealed(b"new", "another")
    assert not await store.keys.reseal(one.id, sealed("other"), new)
    assert not await store.keys.reseal(one.id, Sealed(sealed("old").data, "another"), new)
    assert await store.keys.reseal(one.id, sealed("old"), new)
    assert (await store.keys.get(one.id)).sealed == new
    await store.keys.retire(one.id, NOON)
    assert not await store.keys.reseal(one.id, new, sealed("old"))
    assert (await store.keys.get(one.id)).sealed is None


async def test_what_was_spent_with_each(store: Store, chat: Conversation, other: Conversation) -> None:
    one, two, unused = key(), key(), key()
    for each in (one, two, unused):
        await store.keys.add(each, sealed())
    assert await store.keys.used(NOON) == {}
    spent = [
        (chat, one.id, 7, NOON),
        (other, one.id, None, LATER),
        (chat, two.id, 9, Instant(NOON - 1)),
        (chat, None, 1, NOON),
    ]
    for owner, key_id, cost, moment in spent:
        run = (await begin(store, owner)).run
        priced = None if cost is None else Picodollars(cost)
        paid = entry(run, key_id=key_id, cost=priced, created_at=moment)
        await store.engine.commit(run.owner, [], [ending(run, entries=(paid,))])
    assert await store.keys.used(NOON) == {
        one.id: (KeyUse(2, 20, 10, Picodollars(7)), LATER),
        two.id: (KeyUse(), Instant(NOON - 1)),
    }


async def test_other_nodes_hear_of_it(database: Database) -> None:
    from prosa.adapters.store.postgres.store import PostgresStore

    here, there = (PostgresStore(database.app, database.engine) for _ in range(2))
    ears, one = Ears(), key()
    await here.open(Ears())
    await there.open(ears)
    try:
        await here.keys.add(one, sealed())
        await ears.until("keys", one.id)
        for work in (
            here.keys.set_aside(one.id, "x", NOON),
            here.keys.restore(one.id),
            here.keys.retire(one.id, NOON),
        ):
            ears.heard.clear()
            await work
            await ears.until("keys", one.id)
    finally:
        await here.close()
        await there.close()

"""Lists of conversations: filters, and keyset pages while rows come and go."""

import asyncio
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.counts import counts
from tests.stores import ANA, BIA, NOON, begin, conversation, ending

from prosa.domain.conversations import Conversation, ConversationStatus, Filter, TitleBy
from prosa.domain.ids import new_id
from prosa.domain.principal import Principal
from prosa.domain.time import Instant
from prosa.ports.store import Store


async def found(store: Store, **wanted: Any) -> list[str | None]:
    return [each.title for each in await store.of(ANA).conversations.page(100, None, Filter(**wanted))]


async def test_each_filter_alone_and_all_together(store: Store) -> None:
    records = store.of(ANA).conversations
    odd = {
        "archived": True,
        "pinned": True,
        "status": ConversationStatus.CLOSED,
        "provider": "openai",
        "model": "gpt-x",
        "client_id": "acme",
    }
    for name, value in odd.items():
        await records.create(conversation(ANA, title=name, **{name: value}))
    await records.create(conversation(ANA, title="late", updated_at=Instant(NOON + 5)))
    await records.create(conversation(ANA, title="Tudo", updated_at=Instant(NOON + 3), **odd))
    await store.of(BIA).conversations.create(conversation(BIA, title="Tudo", **odd))
    for name, value in odd.items():
        assert sorted(map(str, await found(store, **{name: value}))) == sorted(["Tudo", name])
    assert await found(store, since=NOON + 3) == ["late", "Tudo"]
    assert await found(store, since=NOON + 3, until=NOON + 5) == ["Tudo"]
    assert await found(store, **odd, title="tudo", since=NOON, until=NOON + 4) == ["Tudo"]
    assert len(await found(store, archived=False, pinned=False)) == 5
    assert len(await found(store)) == 8


async def test_what_belongs_to_a_ticket_is_found_by_its_id(store: Store) -> None:
    records = store.of(ANA).conversations
    made, _ = await records.create(conversation(ANA, ticket_id="T-1"))
    assert await records.page(10, None) == []
    assert await records.get(made.id) == made


async def test_who_answered_last_is_who_is_filtered_by(store: Store, chat: Conversation) -> None:
    records = store.of(ANA).conversations
    run = (await begin(store, chat)).run
    await store.engine.commit(run.owner, [], [ending(run)])
    assert len(await records.page(10, None, Filter(provider="fake", model="echo"))) == 1
    await records.update(chat.id, {"provider": "p", "model": "m"}, NOON)
    assert len(await records.page(10, None, Filter(provider="p", model="m"))) == 1
    assert await records.page(10, None, Filter(model="echo")) == []


async def test_whose_a_title_is(store: Store, chat: Conversation) -> None:
    """A first message makes one where there is none; the owner's own is kept."""
    records = store.of(ANA).conversations
    run = (await begin(store, chat, "Férias?")).run
    await store.engine.commit(run.owner, [], [ending(run)])
    made = await records.get(chat.id)
    assert (made.title, made.title_by) == ("Férias?", TitleBy.EXCERPT)
    assert len(await records.page(10, None, Filter(title="FERIAS"))) == 1
    renamed = await records.update(chat.id, {"title": "Mine"}, NOON)
    assert (renamed.title, renamed.title_by) == ("Mine", None)
    assert await records.page(10, None, Filter(title="ferias")) == []
    run = (await begin(store, chat, "Another")).run
    await store.engine.commit(run.owner, [], [ending(run)])
    assert (await records.get(chat.id)).title == "Mine"
    assert len(await records.page(10, None, Filter(title="mine"))) == 1


async def test_a_title_is_claimed_once_and_never_replaces_an_owners(store: Store, chat: Conversation) -> None:
    records = store.of(ANA).conversations
    run = (await begin(store, chat, "Férias?")).run
    await store.engine.commit(run.owner, [], [ending(run)])
    before = await records.get(chat.id)
    assert not await records.entitle(chat.id, "Nobody claimed it")
    assert sorted(await asyncio.gather(*(records.claim_title(chat.id) for _ in range(5)))) == [False] * 4 + [
        True
    ]
    assert await records.entitle(chat.id, "Férias em março")
    made = await records.get(chat.id)
    assert (made.title, made.title_by) == ("Férias em março", TitleBy.MODEL)
    assert made.updated_at == before.updated_at
    assert len(await records.page(10, None, Filter(title="marco"))) == 1
    assert not await records.claim_title(chat.id)
    other, _ = await records.create(conversation(ANA))
    assert await records.claim_title(other.id)
    await records.update(other.id, {"title": "Mine"}, NOON)
    assert not await records.entitle(other.id, "Late")
    assert (await records.get(other.id)).title == "Mine"
    assert not await records.claim_title(other.id)
    await records.update(other.id, {"title": None}, NOON)
    assert await records.claim_title(other.id)


@settings(max_examples=counts(200, 10), suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 7), ties=st.booleans())
async def test_what_nobody_touches_is_seen_exactly_once(
    store: Store, seed: int, limit: int, ties: bool
) -> None:
    """While others are made, touched, archived and deleted between the pages."""
    rnd, owner = random.Random(seed), Principal(new_id())
    records = store.of(owner).conversations
    clock = NOON
    made = []
    for _ in range(25):
        clock = Instant(clock + (rnd.randrange(2) if ties else 1))
        made.append((await records.create(conversation(owner, created_at=clock, updated_at=clock)))[0].id)
    victims = set(rnd.sample(made, 12))
    wanted, before, seen = Filter(archived=False), None, []
    while page := await records.page(limit, before, wanted):
        seen += [each.id for each in page]
        before = (page[-1].updated_at, page[-1].id)
        for _ in range(rnd.randrange(4)):
            clock = Instant(clock + 1)
            victim = rnd.choice(sorted(victims)) if victims else None
            kind = rnd.choice(("make", "touch", "archive", "delete"))
            if kind == "make" or victim is None:
                await records.create(conversation(owner, created_at=clock, updated_at=clock))
            elif kind == "touch":
                await records.update(victim, {"title": str(clock)}, clock)
            elif kind == "archive":
                await records.update(victim, {"archived": rnd.random() < 0.7}, clock)
            else:
                await records.delete(victim)
                victims.discard(victim)
                made.remove(victim)
    untouched = [each for each in made if each not in victims]
    kept = [each for each in seen if each in untouched]
    assert sorted(kept) == sorted(untouched)
    if not ties:
        assert kept == untouched[::-1]

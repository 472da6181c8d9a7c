"""Limits of a user, a client and everyone: counted by the database, exact whoever comes, enters and mends at once."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, BOOT, NOON, begin, conversation, ending, entry, lapse, turn

from prosa.domain.calendar import Calendar
from prosa.domain.conversations import Conversation
from prosa.domain.errors import CostLimitReached, TokenLimitReached
from prosa.domain.ids import first_id
from prosa.domain.limits import Bound, Cap, Limits, Remaining, Scope, TooManyRuns
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.opening import Holding
from prosa.domain.principal import Principal
from prosa.domain.time import DAY, Instant
from prosa.ports.store import Store

ACME = Principal("ana", "acme")
CARLOS = Principal("carlos", "acme")
OTHER = Principal("dora", "other")
WIDE = Limits(10_000, client=Cap(1_000), everyone=Cap(2_000), client_id="acme")


async def chat_of(store: Store, owner: Principal) -> Conversation:
    return (await store.of(owner).conversations.create(conversation(owner)))[0]


async def left(store: Store, who: Principal, limits: Limits, now: Instant = NOON) -> Remaining:
    """What remains for somebody, who takes nothing of it."""
    heard: list[Remaining] = []

    def hear(remaining: Remaining) -> Bound:
        heard.append(remaining)
        raise TokenLimitReached(remaining=0, resetsAt="")

    limits = replace(limits, client_id=who.client_id)
    with pytest.raises(TokenLimitReached):
        await store.of(who).ledger.hold(Holding(("0190a000-0000-7000-8000-000000000001",)), limits, hear, now)
    return heard[0]


async def test_the_strictest_of_the_three_wins(store: Store) -> None:
    chats = {who: await chat_of(store, who) for who in (ACME, CARLOS, OTHER, BIA)}
    begun = await begin(store, chats[CARLOS], tokens=400, limits=WIDE)
    assert (begun.remaining.tokens, begun.remaining.tokens_scope) == (1_000, Scope.CLIENT)
    assert (await left(store, ACME, WIDE)).tokens == 600
    with pytest.raises(TokenLimitReached) as refused:
        await begin(store, chats[ACME], tokens=601, limits=WIDE)
    assert (refused.value.details["remaining"], refused.value.details["scope"]) == (600, "client")
    narrow = replace(WIDE, everyone=Cap(900))
    assert (await left(store, ACME, narrow)).tokens_scope is Scope.EVERYONE
    assert (await left(store, OTHER, Limits(client=Cap(1_000)))).tokens == 1_000
    assert (await left(store, BIA, Limits(everyone=Cap(1_000)))).tokens == 600


async def test_who_was_not_limited_is_counted_from_the_first_limit_on(store: Store) -> None:
    """Switched on in the middle of a month, a limit knows what was spent in it."""
    for who in (ACME, CARLOS, OTHER):
        await turn(store, await chat_of(store, who))
    costs = Cap(100, Picodollars(100))
    limits = Limits(100, Picodollars(100), client=costs, everyone=costs)
    found = await left(store, ACME, limits)
    assert (found.tokens, found.cost, found.tokens_scope) == (100 - 45, 100 - 21, Scope.EVERYONE)
    found = await left(store, ACME, replace(limits, everyone=Cap()))
    assert (found.tokens, found.cost, found.tokens_scope) == (100 - 30, 100 - 14, Scope.CLIENT)
    await turn(store, await chat_of(store, CARLOS))  # without limits, and counted all the same
    assert (await left(store, ACME, limits)).tokens == 100 - 60


async def test_an_entry_of_a_months_first_moment(store: Store) -> None:
    """Its id was made a moment before, in the month before."""
    first = Calendar().start_of_month(NOON)
    run = (await begin(store, await chat_of(store, ACME))).run
    made = entry(run, id=first_id(first - 1_000), created_at=first)
    await store.engine.commit(BOOT, [], [ending(run, entries=(made,))])
    limits = Limits(client=Cap(100, Picodollars(100)), everyone=Cap(100, Picodollars(100)))
    found = await left(store, ACME, limits)
    assert (found.tokens, found.cost) == (100, 100 - 7)


async def test_a_day_and_a_month_are_those_of_the_zone(store: Store) -> None:
    """Nine hours after NOON it is the next day in Lisbon, and not yet in UTC."""
    await turn(store, await chat_of(store, ANA))
    evening = Instant(NOON + DAY * 3 // 8)
    for zone, tokens in (("UTC", 85), ("Europe/Lisbon", 100)):
        assert (await left(store, ANA, Limits(100, calendar=Calendar(zone)), evening)).tokens == tokens


async def test_entered_twice_counted_once_and_mended(store: Store) -> None:
    limits = Limits(1_000, Picodollars(1_000), everyone=Cap(1_000))
    chat = await chat_of(store, ANA)
    run = (await begin(store, chat, tokens=100, limits=limits)).run
    guessed = entry(run, usage=Usage(40, 2), cost=None, estimated=True)
    await lapse(store, run)
    await store.engine.claim("boot-2", NOON, Instant(NOON + DAY))
    for _ in range(2):
        await store.engine.commit("boot-2", [], [ending(run, entries=(guessed,))])
    found = await left(store, ANA, limits)
    assert (found.tokens, found.cost) == (1_000 - 42, 1_000)
    for _ in range(2):  # its slow owner knows better
        await store.engine.commit(BOOT, [], [ending(run)])
    found = await left(store, ANA, limits)
    assert (found.tokens, found.cost) == (1_000 - 15, 1_000 - 7)


async def test_runs_at_once(store: Store) -> None:
    chat, other = await chat_of(store, ACME), await chat_of(store, CARLOS)
    limits = Limits(runs_at_once=2, client=Cap(runs_at_once=3), client_id="acme")
    runs = [(await begin(store, chat, limits=limits, parent_id=None)).run for _ in range(2)]
    with pytest.raises(TooManyRuns) as refused:
        await begin(store, chat, limits=limits, parent_id=None)
    assert refused.value.details["scope"] == "user"
    await begin(store, other, limits=limits)
    with pytest.raises(TooManyRuns) as refused:
        await begin(store, other, limits=limits, parent_id=None)
    assert refused.value.details["scope"] == "client"
    await store.engine.commit(BOOT, [], [ending(runs[0])])
    await begin(store, other, limits=limits, parent_id=None)


@pytest.mark.hostile(62)
@pytest.mark.parametrize(
    "limits",
    [
        Limits(everyone=Cap(1_000)),
        Limits(everyone=Cap(None, Picodollars(1_000))),
        Limits(100, everyone=Cap(1_000)),
    ],
)
async def test_two_hundred_of_many_users_on_a_limit_for_ten(store: Store, limits: Limits) -> None:
    users = [Principal(f"user-{number}", f"client-{number % 3}") for number in range(200)]
    chats = await asyncio.gather(*(chat_of(store, user) for user in users))

    async def one(of: Conversation) -> bool:
        try:
            run = (await begin(store, of, tokens=100, cost=100, limits=limits)).run
        except (TokenLimitReached, CostLimitReached):
            return False
        await store.engine.commit(
            BOOT, [], [ending(run, entries=(entry(run, usage=Usage(90, 10), cost=Picodollars(100)),))]
        )
        return True

    got: list[Any] = await asyncio.gather(*map(one, chats))
    assert sum(got) == 10
    found = await left(store, BIA, limits)
    assert (found.tokens if found.cost is None else found.cost) == 0

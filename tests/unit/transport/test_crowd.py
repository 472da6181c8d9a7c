"""How many sockets a user may have, and how fast his messages are heeded."""

import asyncio
from contextlib import ExitStack

import pytest
from msgspec.structs import replace
from tests.clock import now, timeless

from prosa.domain.limits import Cap, Limits
from prosa.domain.sockets import TooManyMessages, TooManySockets
from prosa.transport.crowd import LONGEST_WAIT, Crowd, SocketLimits


def test_places_are_given_back() -> None:
    crowd = Crowd(SocketLimits(sockets=2, waiting=1))
    for _ in range(2):
        with ExitStack() as places:
            for _ in range(2):
                places.enter_context(crowd.of("ana"))
            with pytest.raises(TooManySockets), crowd.of("ana"):
                pass
            with crowd.of("bia"), crowd.unnamed(), pytest.raises(TooManySockets), crowd.unnamed():
                pass


def test_a_client_and_everyone_have_so_many_too() -> None:
    crowd = Crowd(SocketLimits())
    limits = Limits(client=Cap(sockets=2), everyone=Cap(sockets=3), client_id="acme")
    others = replace(limits, client_id="other")
    for _ in range(2):
        with crowd.of("ana", limits), crowd.of("bia", limits):
            with pytest.raises(TooManySockets), crowd.of("carlos", limits):
                pass
            with crowd.of("dora", others), pytest.raises(TooManySockets), crowd.of("eva", others):
                pass
    with (
        crowd.of("ana", Limits(sockets=1)),
        pytest.raises(TooManySockets),
        crowd.of("ana", Limits(sockets=1)),
    ):
        pass


@timeless
async def test_a_seconds_worth_at_once_then_one_after_the_other() -> None:
    crowd = Crowd(SocketLimits(messages=10))
    times = []
    for _ in range(30):
        await crowd.turn("ana")
        times.append(now())
    assert times[:11] == [0] * 11
    assert times[-1] == pytest.approx(1.9)
    await crowd.turn("bia")
    assert now() == times[-1]
    await asyncio.sleep(5)
    for _ in range(10):
        await crowd.turn("ana")
    assert now() == times[-1] + 5


@timeless
async def test_who_would_wait_too_long_is_told_so_after_a_while() -> None:
    crowd = Crowd(SocketLimits(messages=10))
    turns = [asyncio.create_task(crowd.turn("ana")) for _ in range(100)]
    found = await asyncio.gather(*turns, return_exceptions=True)
    assert sum(each is None for each in found) in (30, 31)  # a second at once, and two of waiting
    assert {type(each) for each in found if each is not None} == {TooManyMessages}
    assert now() == pytest.approx(LONGEST_WAIT)

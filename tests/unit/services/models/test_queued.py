"""Who waits, who is next, and that nobody's place is ever lost."""

import asyncio
import random
from collections import deque
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import REGISTRY
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import ASK, Heard, hear

from prosa.adapters.models.fake.client import FakeModel, Script
from prosa.domain.errors import QueueFull, RateLimited
from prosa.domain.models import ChatRequest, TextDelta
from prosa.domain.models import Queued as Place
from prosa.services.models.line import PACE, Line, Waiter
from prosa.services.models.queued import Queued


def of(user: str) -> ChatRequest:
    return replace(ASK, user=user)


class Desk:
    """A queued model, and everybody who asked it, by a name of their own."""

    def __init__(
        self, script: Script | list | None = None, places: int | None = 1, waiting: int = 100, each: int = 100
    ) -> None:
        self.model = FakeModel(script if script is not None else [1.0, "hi"])
        self.line = Line(places, waiting, each, now)
        self.queued = Queued(self.model, self.line, patience=30)
        self.tasks: list[asyncio.Task[Heard]] = []
        self.served: list[str] = []

    async def come(self, *users: str) -> None:
        for user in users:
            self.tasks.append(asyncio.create_task(self._hear(user)))
            await settle()

    async def _hear(self, user: str) -> Heard:
        heard = await hear(self.queued, of(user))
        self.served.append(user)
        return heard

    async def heard(self) -> list[Heard]:
        return [await task for task in self.tasks]

    def at_rest(self) -> None:
        assert (self.line.taken, self.line.waiting, self.line._users) == (0, 0, {})
        assert self.line._timer is None
        assert REGISTRY.get_sample_value("prosa_requests_waiting", {"provider": "fake"}) == 0


def places(heard: Heard) -> list[int]:
    return [event.place for event in heard.events if isinstance(event, Place)]


@timeless
async def test_as_many_at_once_as_it_can_bear() -> None:
    desk = Desk(places=2)
    await desk.come(*"aaaaa")
    assert (desk.line.taken, desk.line.waiting, len(desk.model.calls)) == (2, 3, 2)
    assert REGISTRY.get_sample_value("prosa_requests_waiting", {"provider": "fake"}) == 3
    assert [places(heard) for heard in await desk.heard()] == [[], [], [1], [2], [3, 1]]
    assert now() == 3
    desk.at_rest()


@timeless
async def test_without_a_bound_nobody_waits() -> None:
    desk = Desk(places=None)
    await desk.come(*"ab" * 50)
    assert desk.line.taken == 100
    assert all(heard.text == "hi" and not places(heard) for heard in await desk.heard())
    desk.at_rest()


@timeless
async def test_users_take_turns() -> None:
    desk = Desk()
    await desk.come(*"a" * 50, "b", "c", "b")
    await desk.heard()
    assert desk.served[:8] == ["a", "a", "b", "c", "a", "b", "a", "a"]
    assert places(await desk.tasks[50]) == [2, 1]
    desk.at_rest()


@timeless
async def test_the_place_that_is_told_is_the_place() -> None:
    desk = Desk()
    await desk.come("a", "a", "a", "b")
    assert places(await desk.tasks[2]) == [2, 3, 2, 1], "b came between"
    await desk.heard()
    assert places(desk.tasks[3].result()) == [2, 1]


@timeless
async def test_full() -> None:
    desk = Desk(waiting=3, each=2)
    await desk.come("a", "a", "a")
    assert desk.queued.refuses("b") is None
    refusal = desk.queued.refuses("a")
    assert isinstance(refusal, QueueFull)
    await desk.come("a")
    assert (await desk.tasks[3]).code == "queue_full"
    await desk.come("b")
    assert desk.queued.refuses("c") is not None
    await desk.come("c")
    assert (await desk.tasks[5]).code == "queue_full"
    await desk.heard()
    desk.at_rest()
    assert desk.queued.refuses("a") is None


@timeless
async def test_when_to_come_again_follows_what_it_took_of_late() -> None:
    desk = Desk([40.0, "hi"], places=2, waiting=0)
    for _ in range(20):
        assert (await hear(desk.queued)).text == "hi"
    await desk.come("a", "b")
    refusal = desk.queued.refuses("c")
    assert refusal is not None
    assert 15 <= refusal.details["retryAfter"] <= 20
    for task in desk.tasks:
        task.cancel()
    await asyncio.gather(*desk.tasks, return_exceptions=True)
    desk.at_rest()


async def test_any_thread_may_ask() -> None:
    line = Line(1, 1, 1)
    queued = Queued(FakeModel(), line, patience=30)
    assert await asyncio.to_thread(queued.refuses, "a") is None
    first, second = line.enter("a"), line.enter("a")
    assert isinstance(await asyncio.to_thread(queued.refuses, "a"), QueueFull)
    line.leave(second)
    line.leave(first)


@timeless
async def test_nobody_asks_before_the_time_that_a_limit_told() -> None:
    scripts = deque([[1.0, RateLimited("p", 10.0)]])
    desk = Desk(lambda _: scripts.popleft() if scripts else ["hi"], places=None)
    await desk.come("a")
    await asyncio.sleep(1)
    await desk.come("b", "c")
    assert len(desk.model.calls) == 1
    assert desk.line.waiting == 2
    heard = await desk.heard()
    assert [one.code for one in heard] == ["rate_limited", None, None]
    assert places(heard[2]) == [2, 1]
    assert now() == pytest.approx(11 + PACE), "one after the other: together they would be too many again"
    desk.at_rest()
    await asyncio.sleep(PACE)
    await desk.come(*"abc")
    assert not any(places(one) for one in (await desk.heard())[3:])


@pytest.mark.parametrize("wait", [None, 31.0])
@timeless
async def test_a_time_that_nobody_would_wait_for_holds_nobody_back(wait: float | None) -> None:
    scripts = deque([[RateLimited("p", wait)]])
    desk = Desk(lambda _: scripts.popleft() if scripts else ["hi"])
    await desk.come("a", "b")
    heard = await desk.heard()
    assert ([one.code for one in heard], now()) == (["rate_limited", None], 0)


@timeless
async def test_whoever_leaves_the_line_moves_the_others_up() -> None:
    desk = Desk()
    await desk.come(*"aaaa")
    desk.tasks[1].cancel()
    await settle()
    assert desk.line.waiting == 2
    assert places(await desk.tasks[2]) == [2, 1]
    await desk.tasks[3]
    desk.at_rest()


@timeless
async def test_whoever_stops_listening_gives_the_place_back() -> None:
    desk = Desk(["a", 10_000.0])
    async with aclosing(desk.queued.stream(of("a"))) as stream:
        assert await anext(stream) == TextDelta("a")
        async with aclosing(desk.queued.stream(of("b"))) as waiting:
            assert await anext(waiting) == Place(1)
        assert (desk.line.taken, desk.line.waiting) == (1, 0)
        await desk.come("c")
    assert desk.model.calls[0].closed.is_set()
    await settle()
    assert len(desk.model.calls) == 2
    desk.tasks[0].cancel()
    await asyncio.gather(*desk.tasks, return_exceptions=True)
    desk.at_rest()


@timeless
async def test_a_stream_that_nobody_reads_takes_no_place() -> None:
    desk = Desk()
    stream = desk.queued.stream(of("a"))
    desk.at_rest()
    await stream.aclose()


@timeless
async def test_whoever_is_served_and_cancelled_in_the_same_moment() -> None:
    desk = Desk()
    await desk.come("a", "b", "c")
    asyncio.get_running_loop().call_later(1, desk.tasks[1].cancel)
    results = await asyncio.gather(*desk.tasks, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [False, True, False]
    desk.at_rest()


@timeless
async def test_other_calls_are_not_queued() -> None:
    desk = Desk()
    await desk.come("a", "b")
    assert await desk.queued.count_tokens(ASK) == 1
    assert desk.line.waiting == 1
    await desk.heard()


@given(
    seed=st.integers(0, 2**32),
    room=st.tuples(st.sampled_from([1, 2, 5, None]), st.integers(0, 20), st.integers(1, 10)),
    number=st.integers(1, 60),
)
@settings(deadline=None)
def test_nothing_is_lost_whoever_leaves_whenever(
    seed: int, room: tuple[int | None, int, int], number: int
) -> None:
    """Random arrivals, answers, limits, failures and cancellations: never more at once than there are places,
    nobody forgotten, and at rest everything is empty."""
    chance = random.Random(seed)

    def script(_: ChatRequest) -> list:
        end = chance.choice([["end"], ["end"], [RateLimited("p", chance.choice([None, 0.5, 3.0]))]])
        return [chance.random(), "word", chance.random(), *end]

    @timeless
    async def play() -> None:
        places, waiting, each = room
        desk = Desk(script, places, waiting, each)
        loop = asyncio.get_running_loop()
        for _ in range(number):
            await desk.come(chance.choice("abc"))
            if chance.random() < 0.4:
                loop.call_later(chance.choice([0.0, chance.random() * 3]), desk.tasks[-1].cancel)
            await asyncio.sleep(chance.choice([0.0, 0.3]))
            assert places is None or desk.line.taken <= places
            assert desk.line.waiting <= waiting + (1 if not desk.line.taken else 0)
        await asyncio.gather(*desk.tasks, return_exceptions=True)
        await settle()
        for call in desk.model.calls:
            assert call.closed.is_set()
        desk.at_rest()

    play()


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=60))
def test_turns_are_fair(steps: list[tuple[str, bool]]) -> None:
    """Between the coming of somebody who is next of theirs and their turn, each other user has one at most;
    and the positions are the order in which all are served."""
    line = Line(1, 1000, 1000, lambda: 0.0)
    speaking = line.enter("z")
    waiting: list[Waiter] = []
    overtaken: dict[Waiter, list[str]] = {}

    def serve() -> None:
        nonlocal speaking
        line.leave(speaking)
        (speaking,) = [waiter for waiter in waiting if waiter.served]
        assert speaking.position == 1
        waiting.remove(speaking)
        first = {waiter.user: waiter for waiter in reversed(waiting)}
        for waiter in first.values():
            overtaken.setdefault(waiter, []).append(speaking.user)
        before = [user for user in overtaken.get(speaking, []) if user != speaking.user]
        assert len(before) == len(set(before))

    for user, leaves in steps:
        if leaves and waiting:
            serve()
        else:
            waiting.append(line.enter(user))
        assert sorted(waiter.position for waiter in waiting) == list(range(1, len(waiting) + 1))
    while waiting:
        (following,) = [waiter for waiter in waiting if waiter.position == 1]
        serve()
        assert speaking is following
    line.leave(speaking)
    assert (line.taken, line.waiting) == (0, 0)

"""Providers that take too long, and the ways in which they do not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from msgspec.structs import replace
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import ASK, Asking, Scripted, hear

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import ProviderTimeout
from prosa.domain.models import ChatRequest, EmbedRequest, ModelEvent, TextDelta, Usage, UsageReport
from prosa.services.models.timed import Timed

NEVER = 10_000.0


def timed(model: FakeModel) -> Timed:
    return Timed(model, first=10, silence=5, whole=60, clock=now)


@pytest.mark.parametrize(
    ("script", "text", "seconds"),
    [
        ([NEVER], "", 10),
        (["a", NEVER], "a", 5),
        ([9.0, "a", 4.0, "b", 4.9, "c", 5.1], "abc", 9 + 4 + 4.9 + 5),
        ([UsageReport(Usage(1)), 6.0], "", 5),
    ],
)
@timeless
async def test_silence_is_a_timeout(script: list, text: str, seconds: float) -> None:
    model = Asking(script)
    heard = await hear(timed(model))
    assert (heard.text, heard.code) == (text, "timeout")
    assert now() == pytest.approx(seconds)
    assert model.calls[0].closed.is_set()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling(), "nothing of the cancellation is left"


@timeless
async def test_whoever_is_quick_enough_is_let_alone() -> None:
    assert (await hear(timed(Asking([9.9, "a", 4.9, "b", 4.9])))).code is None


@timeless
async def test_an_answer_in_one_piece_may_take_longer_to_begin() -> None:
    whole = replace(ASK, whole=True)
    assert (await hear(timed(Asking([59, "a"])), whole)).text == "a"
    assert (await hear(timed(Asking([61, "a"])), whole)).code == "timeout"


@timeless
async def test_the_time_that_a_reader_takes_does_not_count() -> None:
    async with aclosing(timed(Asking(["a", 4.0, "b", 4.0, "c"])).stream(ASK)) as stream:
        heard = []
        async for event in stream:
            heard.append(event)
            await asyncio.sleep(100)
    assert TextDelta("c") in heard


@timeless
async def test_another_task_may_read_on() -> None:
    stream = timed(Asking(["a", NEVER])).stream(ASK)
    await anext(stream)
    await anext(stream)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.wait({reading})
    assert isinstance(reading.exception(), ProviderTimeout)


@timeless
async def test_a_task_that_survived_a_cancellation_is_not_cancelled_by_a_timeout() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(0)
    assert (await hear(timed(Asking([20.0, "hi"])))).text == "hi"


@timeless
async def test_a_cancellation_is_no_timeout() -> None:
    model = Asking([NEVER])
    task = asyncio.create_task(hear(timed(model)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.calls[0].closed.is_set()


@pytest.mark.parametrize("ours_first", [True, False])
@timeless
async def test_a_cancellation_at_the_very_moment_wins(ours_first: bool) -> None:
    model = timed(Asking([NEVER]))
    loop = asyncio.get_running_loop()
    if ours_first:
        task = asyncio.create_task(hear(model))
        await settle()
        loop.call_later(10, task.cancel)
    else:
        task = loop.create_task(hear(model))
        loop.call_later(10, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert now() == pytest.approx(10)


@timeless
async def test_an_outer_timeout_stays_its_own() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await hear(timed(Asking([NEVER])))
    assert (await hear(timed(Asking([NEVER])))).code == "timeout"


class Stubborn(FakeModel):
    """Swallows the cancellation and speaks on."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            yield TextDelta("still here")


@timeless
async def test_nothing_is_left_of_a_timeout_that_was_swallowed() -> None:
    heard = await hear(timed(Stubborn()))
    task = asyncio.current_task()
    assert task is not None
    assert (heard.text, task.cancelling()) == ("still here", 0)


@timeless
async def test_whatever_is_called() -> None:
    slow = timed(Scripted([61]))
    for call in (slow.embed(EmbedRequest("m", ("a",))), slow.count_tokens(ASK), slow.models()):
        with pytest.raises(ProviderTimeout):
            await call
    assert await timed(Scripted([59])).models()

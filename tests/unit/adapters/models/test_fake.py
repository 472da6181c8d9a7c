"""The fake follows its script, and remembers who asked for what."""

import asyncio
from contextlib import aclosing

from tests.unit.adapters.models.speech import HELLO, text_of, told, usage_of

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import ProviderOverloaded
from prosa.domain.models import ChatRequest, Finish, FinishReason, Role, TextDelta, ThinkingDelta, Turn, Usage


async def test_the_default_repeats_the_last_words() -> None:
    request = ChatRequest(
        model="m", turns=(Turn(Role.USER, "bom dia"), Turn(Role.ASSISTANT, "oi")), system="seja"
    )
    events = [event async for event in FakeModel().stream(request)]
    assert text_of(events) == "You said: bom dia"
    assert usage_of(events) == Usage(4, 4)
    assert events[-1] == Finish(FinishReason.STOP)


async def test_the_default_keeps_to_the_bound() -> None:
    request = ChatRequest(model="m", turns=HELLO.turns, max_tokens=2)
    events = [event async for event in FakeModel().stream(request)]
    assert (text_of(events), events[-1]) == ("You said:", Finish(FinishReason.LENGTH))


async def test_steps_in_their_order() -> None:
    gate = asyncio.Event()
    model = FakeModel([ThinkingDelta("hm"), 0.0, gate, "a", TextDelta("b")])
    stream = model.stream(HELLO)
    assert await anext(stream) == ThinkingDelta("hm")
    gate.set()
    rest = [event async for event in stream]
    assert rest == [TextDelta("a"), TextDelta("b"), Finish(FinishReason.STOP)]


async def test_an_error_is_raised_where_it_stands() -> None:
    fault = ProviderOverloaded("fake")
    assert await told(FakeModel(["a", fault])) == ([TextDelta("a")], fault)


async def test_calls_are_remembered() -> None:
    model = FakeModel(lambda request: [request.model, asyncio.Event()], provider="other")
    async with aclosing(model.stream(HELLO)) as stream:
        assert await anext(stream) == TextDelta("some-model")
        (call,) = model.calls
        assert (call.request, call.told, call.closed.is_set()) == (HELLO, 1, False)
    assert call.closed.is_set()
    assert not call.finished
    assert model.provider == "other"
    await model.close()
    assert model.closed

"""What every ChatModel promises, asked of each adapter against a stand-in that speaks its wire."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing

import pytest
from tests.unit.adapters.models.loopback import CUT, Loopback, Play
from tests.unit.adapters.models.speech import HELLO, SPEECHES, text_of, told, usage_of

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import (
    BrokenStream,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderUnreachable,
    RateLimited,
)
from prosa.domain.models import Finish, FinishReason, TextDelta, Usage, UsageReport
from prosa.ports.models import ChatModel


class Stage:
    """One provider's stand-in, and the model that calls it."""

    def __init__(self, provider: str, rooms: AsyncExitStack) -> None:
        self._speech = SPEECHES[provider]
        self._rooms = rooms
        self._loopback = Loopback()

    async def answering(self, *texts: str) -> ChatModel:
        return await self._playing(Play((self._speech.whole(*texts),)))

    async def stopping_at_length(self, text: str) -> ChatModel:
        speech = self._speech
        return await self._playing(Play((speech.opening + speech.text(text) + speech.end("length", 12, 3),)))

    async def hanging_after(self, text: str) -> ChatModel:
        never = asyncio.Event()
        return await self._playing(Play((self._speech.opening + self._speech.text(text), never)))

    async def cut_after(self, text: str) -> ChatModel:
        return await self._playing(Play((self._speech.opening + self._speech.text(text), CUT)))

    async def ending_early_after(self, text: str) -> ChatModel:
        return await self._playing(Play((self._speech.opening + self._speech.text(text),)))

    async def refusing(self, status: int, **headers: str) -> ChatModel:
        return await self._playing(Play((b"no JSON at all",), status, headers))

    async def unreachable(self) -> ChatModel:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return self._made(f"http://127.0.0.1:{free.getsockname()[1]}")

    async def left(self) -> None:
        """Waits until the provider has seen that its caller is gone."""
        await self._loopback.gone.wait()

    async def _playing(self, play: Play) -> ChatModel:
        self._loopback = await self._rooms.enter_async_context(Loopback(play).listening())
        return self._made(self._loopback.base)

    def _made(self, base: str) -> ChatModel:
        model = self._speech.make(base)
        self._rooms.push_async_callback(model.close)
        return model


class FakeStage:
    """The same for the model that follows a script."""

    def __init__(self) -> None:
        self._model = FakeModel()

    def _playing(self, *script: object) -> ChatModel:
        self._model = FakeModel(script)  # type: ignore[arg-type]
        return self._model

    async def answering(self, *texts: str) -> ChatModel:
        return self._playing("".join(texts), UsageReport(Usage(12, 3)))

    async def stopping_at_length(self, text: str) -> ChatModel:
        return self._playing(text, UsageReport(Usage(12, 3)), Finish(FinishReason.LENGTH))

    async def hanging_after(self, text: str) -> ChatModel:
        return self._playing(text, asyncio.Event())

    async def cut_after(self, text: str) -> ChatModel:
        return self._playing(text, BrokenStream("fake"))

    ending_early_after = cut_after

    async def refusing(self, status: int, **headers: str) -> ChatModel:
        wait = float(headers.get("retry-after", 0))
        errors = {
            401: ProviderKeyRefused("fake"),
            429: RateLimited("fake", wait),
            503: ProviderOverloaded("fake"),
        }
        return self._playing(errors.get(status, ProviderError("fake")))

    async def unreachable(self) -> ChatModel:
        return self._playing(ProviderUnreachable("fake"))

    async def left(self) -> None:
        await self._model.calls[0].closed.wait()


@pytest.fixture(params=[*SPEECHES, "fake"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage | FakeStage]:
    async with AsyncExitStack() as rooms, asyncio.timeout(10):
        yield FakeStage() if request.param == "fake" else Stage(request.param, rooms)


async def test_text_arrives_whole_and_in_order(stage: Stage) -> None:
    model = await stage.answering("Ol", "á, ", "mundo 🌍")
    events = [event async for event in model.stream(HELLO)]
    assert text_of(events) == "Olá, mundo 🌍"
    assert all(event.text for event in events if isinstance(event, TextDelta))


async def test_what_arrives_together_is_one_delta(stage: Stage) -> None:
    model = await stage.answering("a", "b", "c")
    events = [event async for event in model.stream(HELLO)]
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta("abc")]


async def test_usage_arrives(stage: Stage) -> None:
    model = await stage.answering("Oi")
    assert usage_of([event async for event in model.stream(HELLO)]) == Usage(12, 3)


async def test_finish_comes_last_and_once(stage: Stage) -> None:
    model = await stage.answering("Oi")
    events = [event async for event in model.stream(HELLO)]
    assert [event for event in events if isinstance(event, Finish)] == [Finish(FinishReason.STOP)]
    assert isinstance(events[-1], Finish)


async def test_an_answer_that_met_its_bound_says_so(stage: Stage) -> None:
    model = await stage.stopping_at_length("Oi")
    assert [event async for event in model.stream(HELLO)][-1] == Finish(FinishReason.LENGTH)


async def test_closing_the_stream_closes_the_provider(stage: Stage) -> None:
    model = await stage.hanging_after("Oi")
    async with aclosing(model.stream(HELLO)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    async with asyncio.timeout(1):
        await stage.left()


async def test_cancelling_the_reader_closes_the_provider(stage: Stage) -> None:
    model = await stage.hanging_after("Oi")
    begun = asyncio.Event()

    async def read() -> None:
        async for event in model.stream(HELLO):
            if isinstance(event, TextDelta):
                begun.set()

    reader = asyncio.create_task(read())
    await begun.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    async with asyncio.timeout(1):
        await stage.left()


async def test_nobody_there(stage: Stage) -> None:
    model = await stage.unreachable()
    with pytest.raises(ProviderUnreachable):
        await anext(model.stream(HELLO))


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ProviderKeyRefused), (500, ProviderError), (503, ProviderOverloaded)]
)
async def test_statuses_become_errors(stage: Stage, status: int, kind: type[ProviderError]) -> None:
    model = await stage.refusing(status)
    with pytest.raises(ProviderError) as raised:
        await anext(model.stream(HELLO))
    assert type(raised.value) is kind
    assert raised.value.details["provider"] == model.provider


async def test_too_many_requests_tell_how_long_to_wait(stage: Stage) -> None:
    model = await stage.refusing(429, **{"retry-after": "17"})
    with pytest.raises(RateLimited) as raised:
        await anext(model.stream(HELLO))
    assert raised.value.details["retry_after"] == 17


@pytest.mark.parametrize("fault", ["cut_after", "ending_early_after"])
async def test_an_answer_that_breaks_off_keeps_what_came(stage: Stage, fault: str) -> None:
    model = await getattr(stage, fault)("Metade")
    events, broken = await told(model)
    assert isinstance(broken, BrokenStream)
    assert text_of(events) == "Metade"
    assert not any(isinstance(event, Finish) for event in events)


async def test_closing_twice_is_safe(stage: Stage) -> None:
    model = await stage.answering("Oi")
    assert [event async for event in model.stream(HELLO)]
    await model.close()
    await model.close()

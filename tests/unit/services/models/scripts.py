"""Models that do something else each time, and what was heard of them."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import NamedTuple

from prosa.adapters.models.fake.client import FakeModel, Step, performed
from prosa.domain.errors import ProsaError
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Embeddings,
    EmbedRequest,
    Finish,
    FinishReason,
    ModelCard,
    ModelEvent,
    Role,
    TextDelta,
    Turn,
)
from prosa.ports.models import ChatModel

ASK = ChatRequest("m", (Turn(Role.USER, "Oi"),))
STOP = Finish(FinishReason.STOP)


class Scripted(FakeModel):
    """Plays one script a call, whatever is called; the last one again and again."""

    def __init__(self, *scripts: Iterable[Step], provider: str = "fake") -> None:
        super().__init__(lambda _: self._next(), provider=provider)
        self._scripts = [tuple(script) for script in scripts]
        self.asked = 0
        self.closings = 0

    def _next(self) -> Sequence[Step]:
        self.asked += 1
        return self._scripts[min(self.asked, len(self._scripts)) - 1]

    async def _perform(self) -> None:
        for step in self._next():
            await performed(step)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        await self._perform()
        return await super().embed(request)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        await self._perform()
        return await super().count_tokens(request)

    async def models(self) -> list[ModelCard]:
        await self._perform()
        return await super().models()

    async def close(self) -> None:
        self.closings += 1
        await super().close()


class Asking(FakeModel):
    """Tells `Asked` first, as a keyed model does."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        yield Asked(self.provider, request.model)
        async with aclosing(super().stream(request)) as events:
            async for event in events:
                yield event


class Heard(NamedTuple):
    events: list[ModelEvent]
    error: ProsaError | None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    def all(self, kind: type[ModelEvent]) -> list[ModelEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def code(self) -> str | None:
        return None if self.error is None else self.error.code


async def hear(model: ChatModel, request: ChatRequest = ASK) -> Heard:
    """All events up to the end, or to the error."""
    events: list[ModelEvent] = []
    try:
        async with aclosing(model.stream(request)) as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 - those before an error count
    except ProsaError as error:
        return Heard(events, error)
    return Heard(events, None)

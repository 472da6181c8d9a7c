"""Follows a script as if it were a provider: each step is an event to tell, a wait, or an error to raise."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

from prosa.domain.models import (
    ChatRequest,
    Embeddings,
    EmbedRequest,
    Finish,
    FinishReason,
    ModelCard,
    ModelEvent,
    Role,
    TextDelta,
    Usage,
    UsageReport,
)

Step = ModelEvent | str | float | asyncio.Event | Exception
"""A `str` is said as text, a number is seconds to wait, an event is waited for, an exception raised."""

DIMENSIONS = 64

Script = Callable[[ChatRequest], Iterable[Step]]


class Call:
    """One request that came, and what became of it.

    `told` counts the events that were taken; `closed` is set once nobody listens any more; `finished` tells
    whether the script had ended by then.
    """

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.told = 0
        self.closed = asyncio.Event()
        self.finished = False


class FakeModel:
    """A ChatModel whose every answer is `script`: steps, or a function that makes them from the request.

    A script without a `Finish` or an error at its end stops with `FinishReason.STOP`.
    """

    def __init__(self, script: Script | Iterable[Step] | None = None, *, provider: str = "fake") -> None:
        self.calls: list[Call] = []
        self.closed = False
        self._provider = provider
        if script is None:
            self._script: Script = echo
        elif callable(script):
            self._script = script
        else:
            steps = tuple(script)
            self._script = lambda _: steps

    @property
    def provider(self) -> str:
        return self._provider

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        call = Call(request)
        self.calls.append(call)
        last: ModelEvent | None = None
        try:
            for step in self._script(request):
                if (event := await performed(step)) is not None:
                    last = event
                    call.told += 1
                    yield event
            call.finished = True
            if not isinstance(last, Finish):
                yield Finish(FinishReason.STOP)
        finally:
            call.closed.set()

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """The counts of letters, in as many dimensions as asked for: like texts are near each other."""
        size = request.dimensions or DIMENSIONS
        vectors = tuple(spread(text, size) for text in request.texts)
        return Embeddings(vectors, Usage(prompt_tokens=sum(len(text.split()) for text in request.texts)))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return heard(request)

    async def models(self) -> list[ModelCard]:
        return [ModelCard("fake-1")]

    async def close(self) -> None:
        self.closed = True


def spread(text: str, size: int) -> tuple[float, ...]:
    counts = [0.0] * size
    for letter in text.lower():
        counts[ord(letter) % size] += 1.0
    length = sum(count * count for count in counts) ** 0.5 or 1.0
    return tuple(count / length for count in counts)


def heard(request: ChatRequest) -> int:
    """The words of the input, a word being a token."""
    return sum(len(turn.content.split()) for turn in request.turns) + len((request.system or "").split())


async def performed(step: Step) -> ModelEvent | None:
    """The event of a step, or None for one that only waits."""
    if isinstance(step, Exception):
        raise step
    if isinstance(step, asyncio.Event):
        await step.wait()
        return None
    if isinstance(step, int | float):
        await asyncio.sleep(step)
        return None
    return TextDelta(step) if isinstance(step, str) else step


def echo(request: ChatRequest) -> Iterator[Step]:
    """Says the user's last words again, word by word and within the request's bound, a word being a token."""
    said = next((turn.content for turn in reversed(request.turns) if turn.role is Role.USER), "")
    words = f"You said: {said}".split(" ")
    kept = words[: max(request.max_tokens, 1)]
    for place, word in enumerate(kept):
        yield word if place == 0 else f" {word}"
    yield UsageReport(Usage(prompt_tokens=heard(request), completion_tokens=len(kept)))
    yield Finish(FinishReason.STOP if kept == words else FinishReason.LENGTH)

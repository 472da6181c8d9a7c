"""Gives a provider up that takes too long to begin, or falls silent."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar

from prosa.domain.errors import ProviderTimeout
from prosa.domain.models import Asked, ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent
from prosa.kit.clock import Clock
from prosa.ports.models import ChatModel
from prosa.services.models.policy import Policy

T = TypeVar("T")


class Timed(Policy):
    """Raises ProviderTimeout after `first` seconds without an event (`whole`, where the answer is wanted in
    one piece) or `silence` seconds between two. Time in which nobody asks for the next one does not count."""

    def __init__(
        self,
        inner: ChatModel,
        *,
        first: float,
        silence: float,
        whole: float,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(inner)
        self._first = first
        self._silence = silence
        self._whole = whole
        self._clock = clock

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        clock, task, loop = self._clock, asyncio.current_task, asyncio.get_running_loop()
        begun = False
        with Watch(self.provider, self._whole if request.whole else self._first, clock) as watch:
            async with aclosing(self._inner.stream(request)) as events:
                watch.task = task(loop)
                watch.since = clock()
                async for event in events:
                    watch.since = None
                    if not begun and type(event) is not Asked:
                        begun = True
                        watch.limit_to(self._silence)
                    yield event
                    watch.task = task(loop)  # another one may ask for the next event
                    watch.since = clock()
                watch.since = None

    async def embed(self, request: EmbedRequest) -> Embeddings:
        return await self._within(self._inner.embed(request))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._within(self._inner.count_tokens(request))

    async def models(self) -> list[ModelCard]:
        return await self._within(self._inner.models())

    async def _within(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._whole):
                return await call
        except TimeoutError:
            raise ProviderTimeout(self.provider) from None


class Watch:
    """While it is entered, breaks off a wait of `task` that began at `since` and lasts longer than `limit`.

    One timer looks at the clock when it fires: to set and cancel one for each event costs more than all else
    here. The wait is ended as `asyncio.timeout` does it: by a cancellation that is taken back on the way out,
    unless somebody else has cancelled the task, too.
    """

    __slots__ = ("_clock", "_fired", "_limit", "_loop", "_provider", "_timer", "since", "task")

    def __init__(self, provider: str, limit: float, clock: Clock) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.since: float | None = None
        self._provider = provider
        self._limit = limit
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._fired = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self._limit, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if not self._fired or self.task is None:
            return
        if self.task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise ProviderTimeout(self._provider) from None

    def limit_to(self, limit: float) -> None:
        if limit != self._limit:
            self._stop()
            self._limit = limit
            self._timer = self._loop.call_later(limit, self._look)

    def _look(self) -> None:
        waited = 0.0 if self.since is None else self._clock() - self.since
        if waited < self._limit:
            self._timer = self._loop.call_later(self._limit - waited, self._look)
        elif self.task is not None and not self.task.cancelling():
            self._fired = True
            self.task.cancel()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

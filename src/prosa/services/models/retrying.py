"""Asks the same provider again where it failed before its answer began, and may do better in a moment."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from prosa.domain.errors import ProsaError
from prosa.domain.models import Asked, ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent
from prosa.kit.backoff import Backoff
from prosa.kit.clock import Clock
from prosa.ports.models import ChatModel
from prosa.services.models.policy import Policy, told_after
from prosa.services.models.verdict import QUIET, repeatable

T = TypeVar("T")

BACKOFF = Backoff()


class Retrying(Policy):
    """At most `retries` tries after the first, none of which begins more than `patience` seconds after that
    one asked its provider: an error that tells a longer wait goes up at once."""

    def __init__(
        self,
        inner: ChatModel,
        *,
        retries: int,
        patience: float,
        backoff: Backoff = BACKOFF,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(inner)
        self._retries = retries
        self._patience = patience
        self._backoff = backoff
        self._clock = clock

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        tries = 0
        begun: float | None = None
        errors: list[ProsaError] = []
        while True:
            tries += 1
            answering = False
            try:
                async with aclosing(self._inner.stream(request)) as events:
                    async for event in events:
                        if not answering:
                            answering = type(event) not in QUIET
                            if type(event) is Asked:
                                begun = self._clock() if begun is None else begun
                                event = told_after(event, errors)  # noqa: PLW2901 - the same, and why
                        yield event
            except ProsaError as error:
                wait = None if answering else self._wait(error, tries, begun)
                if wait is None:
                    raise
                errors.append(error)
            else:
                return
            await asyncio.sleep(wait)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        return await self._ask(lambda: self._inner.embed(request))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._ask(lambda: self._inner.count_tokens(request))

    async def models(self) -> list[ModelCard]:
        return await self._ask(self._inner.models)

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        begun = self._clock()
        while True:
            tries += 1
            try:
                return await call()
            except ProsaError as error:
                wait = self._wait(error, tries, begun)
                if wait is None:
                    raise
            await asyncio.sleep(wait)

    def _wait(self, error: ProsaError, tries: int, begun: float | None) -> float | None:
        """Seconds until the next try, None where there is none."""
        if tries > self._retries or not repeatable(error):
            return None
        wait = self._backoff.before(tries, error.details.get("retry_after"))
        gone = 0.0 if begun is None else self._clock() - begun
        return wait if gone + wait <= self._patience else None

"""Leaves a provider's model alone that fails again and again, and finds out when it is back."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from math import ceil
from typing import TypeVar

from prosa.domain.errors import ProsaError, ProviderSuspended
from prosa.domain.models import Asked, ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent
from prosa.kit.clock import Clock
from prosa.kit.log import log
from prosa.ports.models import ChatModel
from prosa.services import meters
from prosa.services.models.circuit import Circuits
from prosa.services.models.policy import Policy
from prosa.services.models.verdict import QUIET, fault, held_back

T = TypeVar("T")

LISTING = ""
"""The model that stands for the question which models there are."""


def unheard(model: str, code: str) -> None:
    """Nobody has to be told that a model is left alone."""


class Breaker(Policy):
    """One circuit for each model that failed: one that is broken, or a name that only brings trouble, takes
    no other model of the provider away. A request that is turned away raises ProviderSuspended.

    It looks twice: when a request comes, so that nobody waits in vain, and right before the provider is asked
    (`Asked`), because it may have failed while the request waited for its turn.
    """

    def __init__(
        self,
        inner: ChatModel,
        *,
        failures: int,
        cooldown: float,
        clock: Clock = time.monotonic,
        told: Callable[[str, str], None] = unheard,
    ) -> None:
        """`told` hears of each model that is left alone, and of the code of the error that did it."""
        super().__init__(inner)
        self._circuits = circuits = Circuits(failures, cooldown, clock)
        self._told = told
        meters.suspended(self.provider).set_function(lambda: circuits.open)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        answering = False
        with self._attempt(request.model) as attempt:
            async with aclosing(self._inner.stream(request)) as events:
                async for event in events:
                    if not answering:
                        if type(event) is Asked:
                            attempt.begin()
                        elif type(event) not in QUIET:
                            answering = True
                            attempt.answered()
                    yield event

    async def embed(self, request: EmbedRequest) -> Embeddings:
        return await self._ask(request.model, lambda: self._inner.embed(request))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._ask(request.model, lambda: self._inner.count_tokens(request))

    async def models(self) -> list[ModelCard]:
        return await self._ask(LISTING, self._inner.models)

    async def _ask(self, model: str, call: Callable[[], Awaitable[T]]) -> T:
        with self._attempt(model) as attempt:
            attempt.begin()
            return await call()

    @contextmanager
    def _attempt(self, model: str) -> "Iterator[Attempt]":
        """Judges by how the block ends. To be left, or cancelled, says nothing."""
        attempt = Attempt(self.provider, model, self._circuits, self._told)
        attempt.check()
        try:
            yield attempt
        except ProsaError as error:
            if fault(error):
                attempt.failed(error)
            elif not held_back(error):  # it refused, so it is there
                attempt.succeeded()
            raise
        else:
            attempt.succeeded()
        finally:
            self._circuits.of(model).left(attempt)


class Attempt:
    """One request on its way to a model."""

    def __init__(
        self, provider: str, model: str, circuits: Circuits, told: Callable[[str, str], None]
    ) -> None:
        self._provider = provider
        self._model = model
        self._circuits = circuits
        self._told = told

    def check(self) -> None:
        """Raises ProviderSuspended where the model is left alone."""
        wait = self._circuits.of(self._model).wait(self)
        if wait is not None:
            raise ProviderSuspended(self._provider, max(1, ceil(wait)))

    def begin(self) -> None:
        self.check()
        self._circuits.of(self._model).begin(self)

    def answered(self) -> None:
        self._circuits.of(self._model).answered(self)

    def succeeded(self) -> None:
        was_open = self._circuits.of(self._model).open
        self._circuits.succeeded(self._model, self)
        if was_open and not self._circuits.of(self._model).open:
            log.info("model_is_back", provider=self._provider, model=self._model)

    def failed(self, error: ProsaError) -> None:
        was_open = self._circuits.of(self._model).open
        self._circuits.failed(self._model, self)
        if not was_open and self._circuits.of(self._model).open:
            log.warning("model_suspended", provider=self._provider, model=self._model, code=error.code)
            self._told(self._model, error.code)

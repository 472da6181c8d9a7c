"""Lets in as many streams as a provider can bear; the others wait for their turn and are told their place."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from prosa.domain import models
from prosa.domain.errors import QueueFull, RateLimited
from prosa.domain.models import ChatRequest, ModelEvent
from prosa.ports.models import ChatModel
from prosa.services import meters
from prosa.services.models.line import Line, Waiter
from prosa.services.models.policy import Policy


class Queued(Policy):
    """A request that finds no place tells `Queued`, again whenever its place in line is another one; where
    there is no room to wait it raises QueueFull.

    A provider that is limited is asked nothing before the time that it told. A time longer than `patience`
    seconds is none to wait for: then nobody is held back, and each request meets the provider's own answer.
    """

    def __init__(self, inner: ChatModel, line: Line, *, patience: float) -> None:
        super().__init__(inner)
        self._line = line
        self._patience = patience
        meters.waiting(self.provider).set_function(lambda: line.waiting)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        waiter = self._enter(request.user)
        try:
            told = 0
            while not waiter.served:
                if waiter.position == told:
                    await waiter.news()
                else:
                    told = waiter.position
                    yield models.Queued(told)
            async with aclosing(self._inner.stream(request)) as events:
                async for event in events:
                    yield event
        except RateLimited as error:
            wait = error.details["retry_after"]
            if wait is not None and wait <= self._patience:
                self._line.close_for(wait)
            raise
        finally:
            self._line.leave(waiter)

    def refuses(self, user: str) -> QueueFull | None:
        wait = self._line.full(user)
        return None if wait is None else QueueFull(self.provider, wait)

    def _enter(self, user: str) -> Waiter:
        if (refusal := self.refuses(user)) is not None:
            raise refusal
        return self._line.enter(user)

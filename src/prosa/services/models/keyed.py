"""One provider through several keys: tells which is asked, and goes on to the next if that is turned away."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import TypeVar

from prosa.domain.errors import ProviderError, ProviderKeyRefused, QuotaExhausted, RateLimited
from prosa.domain.models import Asked, ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent
from prosa.ports.models import ChatModel
from prosa.services.models.keyring import Held, KeyRing
from prosa.services.models.verdict import QUIET

T = TypeVar("T")

TURNED_AWAY = (ProviderKeyRefused, QuotaExhausted, RateLimited)


class Keyed:
    """A ChatModel over the models of a ring's keys, which differ in their keys alone.

    It tells `Asked` before each of them is asked, and is the only one who does.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @property
    def provider(self) -> str:
        return self._ring.provider

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        search = Search(self._ring)
        after: str | None = None
        while True:
            held = search.next()
            answering = False
            try:
                with self._ring.using(held) as model:
                    yield Asked(self._ring.provider, request.model, held.key.id, after)
                    async with aclosing(model.stream(request)) as events:
                        async for event in events:
                            if not answering and type(event) not in QUIET:
                                answering = True
                                self._ring.works(held)
                            yield event
            except TURNED_AWAY as error:
                search.failed(held, error)
                if answering:
                    raise
                after = error.code
            else:
                return

    async def embed(self, request: EmbedRequest) -> Embeddings:
        return await self._ask(lambda model: model.embed(request))

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._ask(lambda model: model.count_tokens(request))

    async def models(self) -> list[ModelCard]:
        return await self._ask(lambda model: model.models())

    async def close(self) -> None:
        await self._ring.close()

    async def _ask(self, call: Callable[[ChatModel], Awaitable[T]]) -> T:
        search = Search(self._ring)
        while True:
            held = search.next()
            try:
                with self._ring.using(held) as model:
                    answer = await call(model)
            except TURNED_AWAY as error:
                search.failed(held, error)
            else:
                self._ring.works(held)
                return answer


class Search:
    """One request's way through the keys of a ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._tried: list[Held] = []
        self._error: ProviderError | None = None
        self._limited: RateLimited | None = None

    def next(self) -> Held:
        """A key that was not tried. Raises what the tried ones say together where there is no other: how long
        to wait, if one of them was only limited, else what the last one said."""
        held = self._ring.pick(self._tried)
        if held is not None:
            return held
        if self._limited is None:
            assert self._error is not None
            raise self._error
        raise self._limited if self._limited.details["retry_after"] is None else self._ring.limited()

    def failed(self, held: Held, error: ProviderError) -> None:
        self._tried.append(held)
        self._error = error
        if isinstance(error, RateLimited):
            self._limited = error
            self._ring.rest(held, error.details["retry_after"])
        elif error.details.get("status") != HTTPStatus.FORBIDDEN:  # that may be about this model alone
            self._ring.set_aside(held, error)

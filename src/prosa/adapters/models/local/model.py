"""The embedded model as a ChatModel: another one asks it over loopback, this one sees that it is there."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

from prosa.adapters.models.local.server import Address, LocalServer
from prosa.adapters.models.local.weights import PROVIDER
from prosa.domain.errors import NotSupported, ProviderError
from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent
from prosa.ports.models import ChatModel

Connect = Callable[[str, str], ChatModel]
"""Makes a model that speaks OpenAI's chat completions from a base URL and a key."""


class LocalModel:
    """How it samples where the request doesn't say is the weights' affair: see `weights`."""

    def __init__(self, server: LocalServer, connect: Connect) -> None:
        self._server = server
        self._connect = connect
        self._address: Address | None = None
        self._inner: ChatModel | None = None

    @property
    def provider(self) -> str:
        return PROVIDER

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        inner = await self._connected()
        with ours():
            async with aclosing(inner.stream(request)) as events:
                async for event in events:
                    yield event

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Its weights speak; their vectors say little of what a text means."""
        raise NotSupported(f"an embedding by {request.model}")

    async def count_tokens(self, request: ChatRequest) -> int | None:
        inner = await self._connected()
        with ours():
            return await inner.count_tokens(request)

    async def models(self) -> list[ModelCard]:
        inner = await self._connected()
        with ours():
            return await inner.models()

    async def close(self) -> None:
        """Closes the server, too."""
        if self._inner is not None:
            await self._inner.close()
        await self._server.close()

    async def _connected(self) -> ChatModel:
        address = await self._server.address()
        inner = self._inner
        if inner is not None and address == self._address:
            return inner
        self._inner, self._address = self._connect(address.base_url, address.api_key), address
        fresh = self._inner
        if inner is not None:
            await inner.close()
        return fresh


@contextmanager
def ours() -> Iterator[None]:
    """Errors inside are this provider's: who is asked on its behalf is nobody that a caller knows."""
    try:
        yield
    except ProviderError as error:
        error.details["provider"] = PROVIDER
        error.args = (error.sentence("en"),)
        raise error from None

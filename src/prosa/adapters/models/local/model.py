"""The embedded model as a ChatModel: another one asks it over loopback, this one sees that it is there."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from prosa.adapters.models.local.server import Address, LocalServer
from prosa.adapters.models.local.weights import PROVIDER
from prosa.domain.errors import ProviderError
from prosa.domain.models import ChatRequest, ModelEvent
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
        try:
            async with aclosing(inner.stream(request)) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            raise renamed(error) from None

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


def renamed(error: ProviderError) -> ProviderError:
    """`error` as this provider's: whoever was asked on its behalf is nobody that a caller knows."""
    error.details["provider"] = PROVIDER
    error.args = (error.sentence("en"),)
    return error

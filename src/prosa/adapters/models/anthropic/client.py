"""Anthropic as a ChatModel."""

from collections.abc import AsyncGenerator

from prosa.adapters.models.anthropic.cards import page
from prosa.adapters.models.anthropic.decode import AnthropicDecoder, input_tokens, whole
from prosa.adapters.models.anthropic.encode import counting, encode
from prosa.adapters.models.anthropic.errors import PROVIDER, fault, unknown_route
from prosa.adapters.models.http import IN_GENERAL, Timeouts, Wire, endpoint
from prosa.domain.errors import NotSupported, ProviderError
from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent

BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
MODELS_PER_PAGE = 1000
MOST_PAGES = 20


class AnthropicModel:
    """`base_url` is what the official client takes, without `/v1`.

    `caching` has the provider keep each prompt for five minutes: the next turn then reads it at a tenth of
    the price, and what is written costs a quarter more.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None = None,
        caching: bool = False,
        timeouts: Timeouts = IN_GENERAL,
    ) -> None:
        base = base_url or BASE_URL
        self._counting = endpoint(PROVIDER, base, "v1/messages/count_tokens")
        self._listing = endpoint(PROVIDER, base, "v1/models")
        self._caching = caching
        self._wire = Wire(
            PROVIDER,
            endpoint(PROVIDER, base, "v1/messages"),
            headers={"x-api-key": api_key, "anthropic-version": VERSION},
            secrets=(api_key,),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return PROVIDER

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        model = request.model
        if request.whole:
            return self._wire.answer_whole(
                encode=lambda: encode(request, caching=self._caching),
                decode=lambda body: whole(body, model),
                fault=lambda reply: fault(reply, model),
            )
        return self._wire.answer(
            encode=lambda: encode(request, caching=self._caching),
            decoder=AnthropicDecoder(model),
            fault=lambda reply: fault(reply, model),
        )

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Anthropic has none. Raises `NotSupported`, always."""
        raise NotSupported(f"Embedding with {PROVIDER} ({request.model})")

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """None also where a server that speaks like Anthropic has no such route."""
        try:
            return await self._wire.read(
                self._counting, counting(request), input_tokens, lambda reply: fault(reply, request.model)
            )
        except ProviderError as error:
            if unknown_route(error):
                return None
            raise

    async def models(self) -> list[ModelCard]:
        cards: list[ModelCard] = []
        url = self._listing.update_query(limit=MODELS_PER_PAGE)
        for _ in range(MOST_PAGES):
            found, last = await self._wire.read(url, None, page, fault)
            cards += found
            if last is None:
                break
            url = url.update_query(after_id=last)
        return cards

    async def close(self) -> None:
        await self._wire.close()

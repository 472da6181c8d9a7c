"""Ollama as a ChatModel."""

from collections.abc import AsyncGenerator

from prosa.adapters.models.http import Timeouts, Wire, endpoint
from prosa.adapters.models.ollama.address import server_base
from prosa.adapters.models.ollama.cards import cards, embedding, embeddings
from prosa.adapters.models.ollama.decode import OllamaDecoder, whole
from prosa.adapters.models.ollama.encode import encode, encode_text, encode_texts
from prosa.adapters.models.ollama.errors import PROVIDER, fault, unknown_route
from prosa.domain.errors import ProviderError
from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent

PATIENT = Timeouts(first=300.0)
"""A model that is not in memory yet is loaded before the first byte comes."""


class OllamaModel:
    """`base_url` is anything that `server_base` takes; a key is for servers behind a proxy that wants one."""

    def __init__(self, *, base_url: str, api_key: str | None = None, timeouts: Timeouts = PATIENT) -> None:
        base = server_base(base_url)
        self._embedding = endpoint(PROVIDER, base, "api/embed")
        self._embedding_once = endpoint(PROVIDER, base, "api/embeddings")
        self._listing = endpoint(PROVIDER, base, "api/tags")
        self._wire = Wire(
            PROVIDER,
            endpoint(PROVIDER, base, "api/chat"),
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            secrets=(api_key or "",),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return PROVIDER

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        model = request.model
        if request.whole:
            return self._wire.answer_whole(
                encode=lambda: encode(request),
                decode=lambda body: whole(body, model),
                fault=lambda reply: fault(reply, model),
            )
        return self._wire.answer(
            encode=lambda: encode(request),
            decoder=OllamaDecoder(model),
            fault=lambda reply: fault(reply, model),
        )

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Servers that have no `/api/embed` yet are asked for one text after the other."""
        if not request.texts:
            return Embeddings(())
        try:
            return await self._wire.read(
                self._embedding,
                encode_texts(request),
                lambda body: embeddings(body, len(request.texts)),
                lambda reply: fault(reply, request.model),
            )
        except ProviderError as error:
            if not unknown_route(error):
                raise
            return Embeddings(tuple([await self._embedded(request, text) for text in request.texts]))

    async def count_tokens(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - the port's own
        """Ollama does not count what it is not to answer: None, always."""
        return None

    async def models(self) -> list[ModelCard]:
        return await self._wire.read(self._listing, None, cards, fault)

    async def close(self) -> None:
        await self._wire.close()

    async def _embedded(self, request: EmbedRequest, text: str) -> tuple[float, ...]:
        return await self._wire.read(
            self._embedding_once,
            encode_text(request, text),
            embedding,
            lambda reply: fault(reply, request.model),
        )

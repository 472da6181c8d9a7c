"""Mistral as a ChatModel."""

from collections.abc import AsyncGenerator, Iterator, Sequence

from prosa.adapters.models.http import IN_GENERAL, Timeouts, Wire, endpoint
from prosa.adapters.models.mistral.cards import cards, embeddings
from prosa.adapters.models.mistral.decode import MistralDecoder, whole
from prosa.adapters.models.mistral.encode import encode, encode_texts
from prosa.adapters.models.mistral.errors import PROVIDER, fault
from prosa.adapters.models.vectors import joined
from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent

BASE_URL = "https://api.mistral.ai"
TEXTS_AT_ONCE = 128
BYTES_AT_ONCE = 32_000
"""One request for embeddings may hold 16,384 tokens, and a token is seldom less than two bytes."""


class MistralModel:
    """`base_url` is what the official client takes, without `/v1`."""

    def __init__(self, *, api_key: str, base_url: str | None = None, timeouts: Timeouts = IN_GENERAL) -> None:
        base = base_url or BASE_URL
        self._embedding = endpoint(PROVIDER, base, "v1/embeddings")
        self._listing = endpoint(PROVIDER, base, "v1/models")
        self._wire = Wire(
            PROVIDER,
            endpoint(PROVIDER, base, "v1/chat/completions"),
            headers={"authorization": f"Bearer {api_key}"},
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
                encode=lambda: encode(request),
                decode=lambda body: whole(body, model),
                fault=lambda reply: fault(reply, model),
            )
        return self._wire.answer(
            encode=lambda: encode(request),
            decoder=MistralDecoder(model),
            fault=lambda reply: fault(reply, model),
        )

    async def embed(self, request: EmbedRequest) -> Embeddings:
        return joined([await self._embed(request, texts) for texts in batches(request.texts)])

    async def count_tokens(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - the port's own
        """Mistral does not count what it is not to answer: None, always."""
        return None

    async def models(self) -> list[ModelCard]:
        return await self._wire.read(self._listing, None, cards, fault)

    async def close(self) -> None:
        await self._wire.close()

    async def _embed(self, request: EmbedRequest, texts: Sequence[str]) -> Embeddings:
        return await self._wire.read(
            self._embedding,
            encode_texts(request, texts),
            lambda body: embeddings(body, len(texts)),
            lambda reply: fault(reply, request.model),
        )


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in their order, as many at once as one request may hold."""
    batch: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode("utf-8", "replace"))
        if batch and (len(batch) == TEXTS_AT_ONCE or size + length > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch

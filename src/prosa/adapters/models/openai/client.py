"""OpenAI, or any server that speaks its chat completions, as a ChatModel."""

from collections.abc import AsyncGenerator
from functools import partial

from prosa.adapters.models.http import IN_GENERAL, Timeouts, Wire
from prosa.adapters.models.openai.cards import cards, input_tokens
from prosa.adapters.models.openai.decode import OpenAIDecoder, whole
from prosa.adapters.models.openai.dialect import OPENAI, Dialect, localised
from prosa.adapters.models.openai.encode import encode, encode_texts
from prosa.adapters.models.openai.errors import fault
from prosa.adapters.models.openai.routes import Routes
from prosa.adapters.models.openai.vectors import embeddings
from prosa.adapters.models.vectors import joined
from prosa.domain.errors import ProviderNotConfigured
from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent

TEXTS_AT_ONCE = 2048
"""OpenAI takes no more in one request."""


class OpenAIModel:
    """`base_url` is what the official client takes, and usually ends in `/v1`."""

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        dialect: Dialect = OPENAI,
        timeouts: Timeouts = IN_GENERAL,
    ) -> None:
        self._dialect = dialect = localised(dialect, base_url)
        setting = dialect.name.upper().replace("-", "_")
        if dialect.needs_key and not api_key:
            raise ProviderNotConfigured(dialect.name, f"{setting}_API_KEY")
        if not dialect.base_url:
            raise ProviderNotConfigured(dialect.name, f"{setting}_BASE_URL")
        self._routes = Routes(dialect)
        self._wire = Wire(
            dialect.name,
            self._routes.chat,
            headers=_headers(dialect, api_key),
            secrets=(api_key or "",),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return self._dialect.name

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        dialect, model = self._dialect, request.model
        returning = bool(dialect.thoughts)
        url = partial(self._routes.to, "chat/completions", model) if dialect.deployments else None
        if request.whole:
            return self._wire.answer_whole(
                encode=lambda: encode(request, dialect),
                decode=lambda body: whole(body, OpenAIDecoder(dialect.name, model, returning=returning)),
                fault=lambda reply: fault(dialect.name, reply, model),
                url=url,
            )
        return self._wire.answer(
            encode=lambda: encode(request, dialect),
            decoder=OpenAIDecoder(dialect.name, model, returning=returning),
            fault=lambda reply: fault(dialect.name, reply, model),
            url=url,
        )

    async def embed(self, request: EmbedRequest) -> Embeddings:
        starts = range(0, len(request.texts), TEXTS_AT_ONCE)
        some = [request.texts[start : start + TEXTS_AT_ONCE] for start in starts]
        return joined([await self._embed(request, texts) for texts in some])

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """OpenAI has no route that counts; a few servers like it do."""
        dialect, url = self._dialect, self._routes.counting
        if url is None:
            return None
        return await self._wire.read(
            url,
            encode(request, dialect),
            decode=input_tokens,
            fault=lambda reply: fault(dialect.name, reply, request.model),
        )

    async def models(self) -> list[ModelCard]:
        name = self._dialect.name
        return await self._wire.read(
            self._routes.listing,
            None,
            decode=lambda body: cards(name, body),
            fault=lambda reply: fault(name, reply),
        )

    async def close(self) -> None:
        await self._wire.close()

    async def _embed(self, request: EmbedRequest, texts: tuple[str, ...]) -> Embeddings:
        dialect, model = self._dialect, request.model
        return await self._wire.read(
            self._routes.to("embeddings", model),
            encode_texts(request, texts, dialect),
            decode=lambda body: embeddings(dialect.name, body, len(texts), model),
            fault=lambda reply: fault(dialect.name, reply, model),
        )


def _headers(dialect: Dialect, api_key: str | None) -> dict[str, str]:
    headers = {} if dialect.lasting else {"connection": "close"}
    if api_key:
        bearer = dialect.key_header == "authorization"
        headers[dialect.key_header] = f"Bearer {api_key}" if bearer else api_key
    return headers

"""Seed 002's providers: one class over whatever answers, with all policies around it, and its factory."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, Unpack

from prosa import bootstrap
from prosa.bootstrap import Models
from prosa.direct.asking import Asking, asking, texts
from prosa.direct.options import PromptOptions
from prosa.domain.errors import ContentRefused, InvalidRequest, NotSupported
from prosa.domain.models import EmbedRequest, FinishReason
from prosa.ports.models import ChatModel
from prosa.services.models.generate import generate

EMBEDDING_MODELS = {
    "openai": "text-embedding-3-small",
    "mistral": "mistral-embed",
    "ollama": "nomic-embed-text",
    "gemini": "gemini-embedding-001",
}
"""What makes vectors where a program names no model."""

_SPOKEN = ("tools", "functions")


class LLMProvider:
    """What answers with plain text: made by `create_provider`, behind the retries, queues, timeouts and
    the circuit breaker of docs/models.md. Nothing is stored. It belongs to one event loop.

    `options` are the fields of OpenAI's chat completions, whoever answers: `model`, `temperature`,
    `max_tokens`, `top_p`, `stop`, `seed`, `response_format`, `reasoning_effort`. All methods raise
    ProviderError, InvalidRequest (which says which option is wrong) and NotSupported.
    """

    def __init__(
        self, models: Models, provider: str, model: str | None = None, embedding_model: str | None = None
    ) -> None:
        self._models = models
        self._provider = provider
        self._model = model
        self._embedding_model = embedding_model

    @property
    def provider(self) -> str:
        """Its name: "openai", "anthropic", …"""
        return self._provider

    @property
    def model(self) -> str:
        """What answers where no option names another model."""
        return self._models.catalogue.choose((self._provider, self._model)).model

    async def generate_response(
        self, prompt: str, *, system: str | None = None, **options: Unpack[PromptOptions]
    ) -> str:
        """The whole answer to `prompt`. Raises ContentRefused where there is not a word of one."""
        messages: list[dict[str, str]] = [{"role": "user", "content": prompt}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        asked = self._asking(messages, options)
        answer = await generate(asked.model, asked.request)
        if answer.reason is FinishReason.REFUSAL and not answer.text:
            raise ContentRefused(answer.provider)
        return answer.text

    async def handle_stream(
        self, messages: Sequence[Mapping[str, Any]], **options: Unpack[PromptOptions]
    ) -> AsyncGenerator[str, None]:
        """The pieces of the answer to `messages` (`{"role", "content"}`, as OpenAI has them) as they come.
        Closing it stops the provider."""
        async with aclosing(texts(self._asking(messages, options))) as pieces:
            async for piece in pieces:
                yield piece

    async def embed_text(
        self, text: str, *, model: str | None = None, dimensions: int | None = None
    ) -> list[float]:
        """The vector of `text`. Without a `model` it is the provider's usual one for this. Raises
        NotSupported where the provider has none."""
        name = model or self._embedding_model or EMBEDDING_MODELS.get(self._provider) or self.model
        asked = self._models.catalogue.model(self._provider)
        made = await asked.embed(EmbedRequest(name, (text,), dimensions))
        return list(made.vectors[0])

    async def close(self) -> None:
        """Frees its connections. Safe to repeat."""
        await self._models.catalogue.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _asking(self, messages: Sequence[Mapping[str, Any]], options: PromptOptions) -> Asking:
        for name in _SPOKEN:
            if options.get(name):
                raise NotSupported(f"`{name}` where the answer is bare text")
        return asking(self._models, self._provider, messages, {**options}, self._model)


def create_provider(
    type: str | ChatModel,  # noqa: A002 - the seed's own name
    *,
    model: str | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    embedding_model: str | None = None,
) -> LLMProvider:
    """A provider by its name: "openai", "anthropic", "mistral", "ollama", "local" (the model that comes with
    Prosa), any server that is known ("groq", "deepseek", "vllm", …) or named in prosa.toml; or a ChatModel of
    your own.

    What is not given comes from the settings: the key from the environment, the model from
    `DEFAULT_AI_MODEL` or the provider's usual one. Raises NoSuchProvider; ProviderNotConfigured, which tells
    the setting that is missing; InvalidRequest (a provider without a usual model, and none given);
    MisconfiguredError.
    """
    placed = (api_key, base_url) != (None, None)
    if placed and (type == "local" or not isinstance(type, str)):
        raise InvalidRequest("the local model, and one of your own, have no api_key and no base_url.")
    models = bootstrap.models(type, api_key=api_key, base_url=base_url)
    name = type if isinstance(type, str) else type.provider
    models.catalogue.choose((name, model))
    return LLMProvider(models, name, model, embedding_model)


class LLMFactory:
    """Seed 002's factory."""

    create_provider = staticmethod(create_provider)

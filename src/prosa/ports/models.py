"""Whoever can answer a conversation: a provider's adapter, or a policy around one."""

from collections.abc import AsyncGenerator
from typing import Protocol

from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent


class ChatModel(Protocol):
    @property
    def provider(self) -> str:
        """The provider's name: "openai", "anthropic", "mistral", "ollama", "local", …"""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Answers `request`, event by event; the last event is a `Finish`.

        Text that arrives together comes as one `TextDelta`, never empty; an answer in one piece (`whole`)
        comes as the same events. An adapter is an async generator: closing it (`aclose`, or cancelling the
        task that reads it) closes the provider's connection at once.

        Raises `domain.errors.ProviderError` of the kind that fits, before the first event or after any.
        """
        ...

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Raises `ProviderError`, `NotSupported` where this provider has no embeddings."""
        ...

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """The tokens of the input as the provider counts them, before anything is generated; None where it
        can't say. Raises `ProviderError`."""
        ...

    async def models(self) -> list[ModelCard]:
        """The models that the provider says it has, in its order. Raises `ProviderError`, `NotSupported`."""
        ...

    async def close(self) -> None:
        """Frees what the model holds: connections, processes. Safe to call twice."""
        ...

"""Anthropic as a ChatModel."""

from collections.abc import AsyncGenerator

from prosa.adapters.models.anthropic.decode import AnthropicDecoder
from prosa.adapters.models.anthropic.encode import encode
from prosa.adapters.models.anthropic.errors import PROVIDER, fault
from prosa.adapters.models.http import IN_GENERAL, Timeouts, Wire, endpoint
from prosa.domain.models import ChatRequest, ModelEvent

BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"


class AnthropicModel:
    """`base_url` is what the official client takes, without `/v1`."""

    def __init__(self, *, api_key: str, base_url: str | None = None, timeouts: Timeouts = IN_GENERAL) -> None:
        self._wire = Wire(
            PROVIDER,
            endpoint(PROVIDER, base_url or BASE_URL, "v1/messages"),
            headers={"x-api-key": api_key, "anthropic-version": VERSION},
            secrets=(api_key,),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return PROVIDER

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._wire.answer(
            encode=lambda: encode(request),
            decoder=AnthropicDecoder(request.model),
            fault=lambda reply: fault(reply, request.model),
        )

    async def close(self) -> None:
        await self._wire.close()

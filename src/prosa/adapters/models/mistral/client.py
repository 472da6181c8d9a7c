"""Mistral as a ChatModel."""

from collections.abc import AsyncGenerator

from prosa.adapters.models.http import IN_GENERAL, Timeouts, Wire, endpoint
from prosa.adapters.models.mistral.decode import MistralDecoder
from prosa.adapters.models.mistral.encode import encode
from prosa.adapters.models.mistral.errors import PROVIDER, fault
from prosa.domain.models import ChatRequest, ModelEvent

BASE_URL = "https://api.mistral.ai"


class MistralModel:
    """`base_url` is what the official client takes, without `/v1`."""

    def __init__(self, *, api_key: str, base_url: str | None = None, timeouts: Timeouts = IN_GENERAL) -> None:
        self._wire = Wire(
            PROVIDER,
            endpoint(PROVIDER, base_url or BASE_URL, "v1/chat/completions"),
            headers={"authorization": f"Bearer {api_key}"},
            secrets=(api_key,),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return PROVIDER

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._wire.answer(
            encode=lambda: encode(request),
            decoder=MistralDecoder(request.model),
            fault=lambda reply: fault(reply, request.model),
        )

    async def close(self) -> None:
        await self._wire.close()

"""Ollama as a ChatModel."""

from collections.abc import AsyncGenerator

from prosa.adapters.models.http import Timeouts, Wire, endpoint
from prosa.adapters.models.ollama.address import server_base
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.ollama.encode import encode
from prosa.adapters.models.ollama.errors import PROVIDER, fault
from prosa.domain.models import ChatRequest, ModelEvent

PATIENT = Timeouts(first=300.0)
"""A model that is not in memory yet is loaded before the first byte comes."""


class OllamaModel:
    """`base_url` is anything that `server_base` takes; a key is for servers behind a proxy that wants one."""

    def __init__(self, *, base_url: str, api_key: str | None = None, timeouts: Timeouts = PATIENT) -> None:
        self._wire = Wire(
            PROVIDER,
            endpoint(PROVIDER, server_base(base_url), "api/chat"),
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            secrets=(api_key or "",),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return PROVIDER

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._wire.answer(
            encode=lambda: encode(request),
            decoder=OllamaDecoder(request.model),
            fault=lambda reply: fault(reply, request.model),
        )

    async def close(self) -> None:
        await self._wire.close()

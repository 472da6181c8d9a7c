"""OpenAI, or any server that speaks its chat completions, as a ChatModel."""

from collections.abc import AsyncGenerator

from prosa.adapters.models.http import IN_GENERAL, Timeouts, Wire, endpoint
from prosa.adapters.models.openai.decode import OpenAIDecoder
from prosa.adapters.models.openai.dialect import OPENAI, Dialect, localised
from prosa.adapters.models.openai.encode import encode
from prosa.adapters.models.openai.errors import fault
from prosa.domain.errors import ProviderNotConfigured
from prosa.domain.models import ChatRequest, ModelEvent


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
        self._dialect = localised(dialect, base_url)
        name = dialect.name
        if self._dialect.needs_key and not api_key:
            raise ProviderNotConfigured(name, f"{name.upper()}_API_KEY")
        self._wire = Wire(
            name,
            endpoint(name, self._dialect.base_url, "chat/completions"),
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            secrets=(api_key or "",),
            timeouts=timeouts,
        )

    @property
    def provider(self) -> str:
        return self._dialect.name

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        name = self._dialect.name
        return self._wire.answer(
            encode=lambda: encode(request, self._dialect),
            decoder=OpenAIDecoder(name, request.model),
            fault=lambda reply: fault(name, reply, request.model),
        )

    async def close(self) -> None:
        await self._wire.close()

"""A ChatModel around a ChatModel: the frame of every policy, which passes on what it does not change."""

from collections.abc import AsyncGenerator, Sequence

from msgspec.structs import replace

from prosa.domain.errors import ProsaError, QueueFull
from prosa.domain.models import Asked, ChatRequest, Embeddings, EmbedRequest, ModelCard, ModelEvent
from prosa.ports.models import ChatModel


class Policy:
    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    @property
    def provider(self) -> str:
        return self._inner.provider

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._inner.stream(request)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        return await self._inner.embed(request)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await self._inner.count_tokens(request)

    async def models(self) -> list[ModelCard]:
        return await self._inner.models()

    async def close(self) -> None:
        await self._inner.close()

    def refuses(self, user: str) -> QueueFull | None:
        """What a request of `user` would meet at this moment if there is no room for it, else None. It reads
        a few numbers; any thread may ask. It promises nothing: a moment later it may be otherwise."""
        return refusal(self._inner, user)


def refusal(model: ChatModel, user: str) -> QueueFull | None:
    """What `Policy.refuses` says of any model: one without policies refuses nobody."""
    return model.refuses(user) if isinstance(model, Policy) else None


def told_after(event: ModelEvent, errors: Sequence[ProsaError]) -> ModelEvent:
    """`event` as it is told after these errors, the last of which is why a provider is `Asked` now; what one
    further in has said of that is nearer."""
    if type(event) is not Asked or not errors or event.after is not None:
        return event
    return replace(event, after=errors[-1].code)

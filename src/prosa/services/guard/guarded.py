"""A ChatModel behind the operator's masking and moderation: nothing passes around them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, ModelEvent
from prosa.ports.models import ChatModel
from prosa.services.guard.documents import filled
from prosa.services.guard.masking import masked, texts
from prosa.services.guard.placeholders import Masker, Restorer, Vault
from prosa.services.guard.screen import LONG, Kind, Screen, Stage
from prosa.services.guard.tables import MaskingTable
from prosa.services.models.attached import Read
from prosa.services.models.policy import Policy

T = TypeVar("T")


class Plan(Struct, frozen=True):
    """What stands around the models of a route."""

    masking: MaskingTable | None = None

    def __bool__(self) -> bool:
        return self.masking is not None


class Guarded(Policy):
    """`read` gets the bytes of users' files: what is text in them is looked at like the rest."""

    def __init__(self, inner: ChatModel, plan: Plan, read: Read | None = None) -> None:
        super().__init__(inner)
        self._plan = plan
        self._read = read

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        vault, request = await self._masked(await self._filled(request))
        events = self._inner.stream(request)
        if self._screened(vault):
            events = Screen(self._stages(vault)).pass_on(events)
        async with aclosing(events):
            async for event in events:
                yield event

    async def count_tokens(self, request: ChatRequest) -> int | None:
        _, request = await self._masked(await self._filled(request))
        return await self._inner.count_tokens(request)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Vectors of what is left of the texts."""
        masking = self._plan.masking
        if masking is not None and "input" in masking.on:
            vault, kinds = Vault(request.texts), masking.kinds
            made = await _apart(
                request.texts, lambda: tuple(vault.mask(text, kinds) for text in request.texts)
            )
            request = replace(request, texts=made)
        return await self._inner.embed(request)

    async def _masked(self, request: ChatRequest) -> tuple[Vault, ChatRequest]:
        masking, said = self._plan.masking, list(texts(request))
        vault = Vault(said)
        if masking is None or "input" not in masking.on:
            return vault, request
        return vault, await _apart(said, lambda: masked(request, vault, masking.kinds))

    def _screened(self, vault: Vault) -> bool:
        """Whether an answer has to be looked at."""
        masking = self._plan.masking
        return masking is not None and ("output" in masking.on or (masking.restore and bool(vault.values)))

    def _stages(self, vault: Vault) -> Callable[[Kind], Sequence[Stage]]:
        """Values that the model finds by itself are not put back."""
        masking, values = self._plan.masking, dict(vault.values)
        written = _in_json(values)

        def stages(kind: Kind) -> list[Stage]:
            made: list[Stage] = []
            if masking is not None and "output" in masking.on:
                made.append(Masker(vault, masking.kinds))
            if masking is not None and masking.restore and values and kind != "thinking":
                made.append(Restorer(written if kind == "arguments" else values))
            return made

        return stages

    async def _filled(self, request: ChatRequest) -> ChatRequest:
        return request if self._read is None else await filled(request, self._read)


def _in_json(values: Mapping[str, str]) -> dict[str, str]:
    """As they are written within a string of JSON."""
    return {name: msgspec.json.encode(value)[1:-1].decode() for name, value in values.items()}


async def _apart(said: Iterable[str], work: Callable[[], T]) -> T:
    """Long texts are no work for the loop."""
    return await asyncio.to_thread(work) if sum(map(len, said)) > LONG else work()

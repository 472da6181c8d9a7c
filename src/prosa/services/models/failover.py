"""The targets of a route in their order: where one fails, even in mid-answer, the next one answers."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from msgspec.structs import replace

from prosa.domain.errors import ProsaError, QueueFull
from prosa.domain.models import (
    ChatRequest,
    Embeddings,
    EmbedRequest,
    Finish,
    ModelCard,
    ModelEvent,
    Reset,
)
from prosa.ports.models import ChatModel
from prosa.services.models.policy import Policy, refusal, told_after
from prosa.services.models.verdict import QUIET, curable_elsewhere, held_back

T = TypeVar("T")
Target = tuple[ChatModel, str]
"""Who is asked, and for which of its models."""


class Failover(Policy):
    """A ChatModel over at least one target. Closing it does not close them: several routes may share one."""

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__(targets[0][0])
        self._targets = tuple(targets)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """The first target's answer, or the next one's: `Reset` goes before the first word of a target that
        takes up an answer which broke off, and after the `Asked` that led to it. Where none takes it up, what
        was told of it stays, and its error is raised; else that of `telling`."""
        errors: list[ProsaError] = []
        broken: ProsaError | None = None
        for model, name in self._targets:
            last: ModelEvent | None = None
            answering = False
            try:
                async with aclosing(model.stream(replace(request, model=name))) as events:
                    async for event in events:
                        if not answering:
                            answering = type(event) not in QUIET
                            if answering and broken is not None:
                                yield Reset(broken.code)
                                broken = None
                            event = told_after(event, errors)  # noqa: PLW2901 - the same, and why
                        last = event
                        yield event
            except ProsaError as error:
                if type(last) is Finish:  # the answer was complete: what failed is only the way back
                    return
                errors.append(error)
                if answering:
                    broken = error
                if not curable_elsewhere(error):
                    break
            else:
                return
        raise broken or telling(errors)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Vectors of different models can't be compared: only targets with the first one's model can help."""
        same = [target for target in self._targets if target[1] == self._targets[0][1]]

        async def embed(model: ChatModel, name: str) -> Embeddings:
            made = await model.embed(replace(request, model=name))
            return replace(made, provider=model.provider)

        return await first(same, embed)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return await first(
            self._targets, lambda model, name: model.count_tokens(replace(request, model=name))
        )

    async def models(self) -> list[ModelCard]:
        return await first(self._targets, lambda model, _: model.models())

    async def close(self) -> None:
        pass

    def refuses(self, user: str) -> QueueFull | None:
        """Only where all targets do: then the one that is free again first."""
        refusals = [refusal(model, user) for model, _ in self._targets]
        told = [refusal for refusal in refusals if refusal is not None]
        if len(told) < len(refusals):
            return None
        return min(told, key=lambda refusal: refusal.details["retryAfter"])


async def first(targets: Sequence[Target], ask: Callable[[ChatModel, str], Awaitable[T]]) -> T:
    """What the first target that can answer says."""
    errors: list[ProsaError] = []
    for model, name in targets:
        try:
            return await ask(model, name)
        except ProsaError as error:
            errors.append(error)
            if not curable_elsewhere(error):
                break
    raise telling(errors)


def telling(errors: Sequence[ProsaError]) -> ProsaError:
    """The error that says most to whoever asked: one that passes by itself before one that stays, what a
    provider said before that we held it back; and of several such the first target's."""
    return min(errors, key=lambda error: (not error.retryable, held_back(error)))

"""A whole answer at once, from any model and through any policy."""

from contextlib import aclosing

from msgspec.structs import replace

from prosa.domain.assembly import Assembly
from prosa.domain.content import text_of
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Completion,
    Finish,
    FinishReason,
    ModelEvent,
    Reset,
    Usage,
    UsageReport,
)
from prosa.ports.models import ChatModel


class Gathering:
    """Makes the whole answer of its events; `provider` and `model` are who is asked, until a policy tells.
    `finished` says that it is whole."""

    def __init__(self, provider: str, model: str) -> None:
        self.provider = provider
        self.model = model
        self.finished = False
        self._assembly = Assembly()
        self._usage: Usage | None = None
        self._finish = Finish(FinishReason.STOP)

    def add(self, event: ModelEvent) -> None:
        match event:
            case Asked(provider, model):
                self.provider, self.model = provider, model
                self._usage = None
            case Reset():
                self._assembly.forget()
            case UsageReport(reported):
                self._usage = reported
            case Finish():
                self._finish = event
                self.finished = True
            case _:
                self._assembly.add(event)

    @property
    def completion(self) -> Completion:
        parts = self._assembly.parts
        refusal = text_of(parts) if self._assembly.refused else None
        finish = self._finish
        return Completion(self.provider, self.model, parts, finish.reason, self._usage, refusal, finish.stop)


async def generate(model: ChatModel, request: ChatRequest) -> Completion:
    """Waits for the answer to `request` in one piece. Raises what `ChatModel.stream` raises."""
    gathering = Gathering(model.provider, request.model)
    async with aclosing(model.stream(replace(request, whole=True))) as events:
        async for event in events:
            gathering.add(event)
    return gathering.completion

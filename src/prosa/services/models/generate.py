"""A whole answer at once, from any model and through any policy."""

from contextlib import aclosing

from msgspec.structs import replace

from prosa.domain.assembly import Assembly
from prosa.domain.content import Part, text_of
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Completion,
    Finish,
    FinishReason,
    Reset,
    Usage,
    UsageReport,
)
from prosa.ports.models import ChatModel


async def generate(model: ChatModel, request: ChatRequest) -> Completion:
    """Waits for the answer to `request` in one piece. Raises what `ChatModel.stream` raises."""
    assembly = Assembly()
    provider, name = model.provider, request.model
    usage: Usage | None = None
    finish = Finish(FinishReason.STOP)
    async with aclosing(model.stream(replace(request, whole=True))) as events:
        async for event in events:
            match event:
                case Asked(asked, asked_model):
                    provider, name = asked, asked_model
                case Reset():
                    assembly.forget()
                    usage = None
                case UsageReport(reported):
                    usage = reported
                case Finish():
                    finish = event
                case _:
                    assembly.add(event)
    parts: tuple[Part, ...] = assembly.parts
    refusal = text_of(parts) if assembly.refused else None
    return Completion(provider, name, parts, finish.reason, usage, refusal, finish.stop)

"""Reads the answers of Ollama's chat, line by line or whole: a whole answer is one line."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import counted
from prosa.adapters.models.arguments import as_text
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.ollama.errors import PROVIDER, midstream
from prosa.adapters.models.repair import UNREADABLE, Unreadable, reread
from prosa.domain.errors import BrokenStream
from prosa.domain.models import FinishReason, ModelEvent
from prosa.kit.ndjson import Lines

REASONS = {"length": FinishReason.LENGTH}
"""All others are a plain stop; it stays `stop` where tools are called."""


class Function(Struct, gc=False):
    name: str | None = None
    arguments: Any = None


class Call(Struct, gc=False):
    """A call, always whole. Servers of before 2025 give it no id."""

    id: Any = None
    function: Function | None = None


class Message(Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None


class Line(Struct, gc=False):
    message: Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: Any = None
    """With what was cached. Servers of before 2026 leave it out where the whole prompt was: then nobody knows
    how long it was."""
    prompt_eval_cached_count: Any = None
    eval_count: Any = None
    error: Any = None


_decode = Json(Line).decode


class OllamaDecoder(Decoder):
    def __init__(self, model: str = "") -> None:
        super().__init__(PROVIDER, Lines())
        self.answer.returning = True
        self._model = model
        self._calls = 0

    def read(self, payload: bytes) -> None:
        try:
            line = _decode(payload)
        except UNREADABLE:
            self.answer.expect_oddities()
            line = reread(payload, Line)
        message = line.message
        if message is not None:
            if message.thinking:
                self.answer.thinking(message.thinking)
            if message.content:
                self.answer.text(message.content)
            if message.tool_calls:
                self._call(message.tool_calls)
        if line.error:
            self.answer.fail(midstream(payload, self._model))
        elif line.done:
            usage = counted(line.prompt_eval_count, line.eval_count, line.prompt_eval_cached_count)
            self.answer.usage(usage)
            self.answer.finish(REASONS.get(line.done_reason or "", FinishReason.STOP))
            self.answer.over = True

    def _call(self, calls: list[Call]) -> None:
        for call in calls:
            function = call.function or Function()
            place = self._calls
            self._calls += 1
            self.answer.call(place, call.id if isinstance(call.id, str) else None, function.name or "")
            self.answer.arguments(place, as_text(function.arguments) or "{}")
            self.answer.called(place)


def whole(body: bytes, model: str = "") -> list[ModelEvent]:
    """The events of an answer in one piece. Raises what the body complains of, or `BrokenStream`."""
    decoder = OllamaDecoder(model)
    try:
        decoder.read(body)
    except Unreadable:
        raise BrokenStream(PROVIDER) from None
    return decoder.end()

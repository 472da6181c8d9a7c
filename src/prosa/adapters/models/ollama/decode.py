"""Reads the lines of Ollama's chat."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import counted
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.ollama.errors import PROVIDER, midstream
from prosa.adapters.models.repair import UNREADABLE, reread
from prosa.domain.models import FinishReason
from prosa.kit.ndjson import Lines

REASONS = {"length": FinishReason.LENGTH}
"""All others are a plain stop; it stays `stop` where tools are called."""


class Message(Struct, gc=False):
    content: str | None = None
    thinking: str | None = None


class Line(Struct, gc=False):
    message: Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


class OllamaDecoder(Decoder):
    def __init__(self, model: str = "") -> None:
        super().__init__(PROVIDER, Lines())
        self._model = model
        self._decode = Json(Line).decode

    def read(self, payload: bytes) -> None:
        try:
            line = self._decode(payload)
        except UNREADABLE:
            self.answer.expect_oddities()
            line = reread(payload, Line)
        message = line.message
        if message is not None:
            if message.thinking:
                self.answer.thinking(message.thinking)
            if message.content:
                self.answer.text(message.content)
        if line.error:
            self.answer.fail(midstream(payload, self._model))
        elif line.done:
            self.answer.usage(counted(line.prompt_eval_count, line.eval_count))
            self.answer.finish(REASONS.get(line.done_reason or "", FinishReason.STOP))
            self.answer.over = True

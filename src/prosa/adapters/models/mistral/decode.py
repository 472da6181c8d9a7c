"""Reads the stream of Mistral's chat completions."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import counted
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.mistral.errors import PROVIDER, midstream
from prosa.adapters.models.repair import UNREADABLE, reread
from prosa.domain.models import FinishReason, Usage
from prosa.kit.sse import Splitter

DONE = b"[DONE]"
FAILED = "error"
REASONS = {"length": FinishReason.LENGTH, "model_length": FinishReason.LENGTH}
"""All others, also those of tools, are a plain stop."""


class Part(Struct, gc=False):
    """A piece of an answer that also thinks; of other kinds (references, images) nothing is read."""

    text: str | None = None
    thinking: list["Part"] | str | None = None


class Delta(Struct, gc=False):
    content: str | list[Part] | None = None


class Choice(Struct, gc=False):
    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    message: Any = None
    """Only in an error frame."""


class MistralDecoder(Decoder):
    def __init__(self, model: str = "") -> None:
        super().__init__(PROVIDER, Splitter())
        self._model = model
        self._decode = Json(Chunk).decode

    def read(self, payload: bytes) -> None:
        try:
            chunk = self._decode(payload)
        except UNREADABLE:
            if payload.strip() == DONE:
                self.answer.over = True
                return
            self.answer.expect_oddities()
            chunk = reread(payload, Chunk)
        reason = None
        for choice in chunk.choices or ():
            if not choice.index:
                reason = choice.finish_reason
                content = choice.delta.content if choice.delta is not None else None
                if isinstance(content, str):
                    self.answer.text(content)
                elif content:
                    self._read_parts(content)
        if chunk.usage is not None:
            self.answer.usage(usage(chunk.usage))
        if chunk.error or chunk.message or reason == FAILED:
            self.answer.fail(midstream(payload, self._model))
        elif reason:
            self.answer.finish(REASONS.get(reason, FinishReason.STOP))

    def _read_parts(self, content: list[Part]) -> None:
        for part in content:
            if part.thinking:
                self.answer.thinking(spoken(part.thinking))
            elif part.text:
                self.answer.text(part.text)


def spoken(thinking: str | list[Part]) -> str:
    return thinking if isinstance(thinking, str) else "".join(part.text or "" for part in thinking)


def usage(told: Any) -> Usage | None:
    if not isinstance(told, dict):
        return None
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else told.get("num_cached_tokens")
    return counted(told.get("prompt_tokens"), told.get("completion_tokens"), cached)

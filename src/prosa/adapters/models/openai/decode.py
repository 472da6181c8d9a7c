"""Reads the stream of OpenAI's chat completions."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import believed, counted
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.openai.errors import midstream
from prosa.adapters.models.repair import UNREADABLE, reread
from prosa.domain.models import FinishReason, Usage
from prosa.kit.sse import Splitter

DONE = b"[DONE]"
REASONS = {"length": FinishReason.LENGTH, "content_filter": FinishReason.REFUSAL}
"""All others, also those of tools, are a plain stop."""


class Delta(Struct, gc=False):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    """Thinking, as DeepSeek and vLLM send it; others call it `reasoning`."""
    reasoning: str | None = None


class Choice(Struct, gc=False):
    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    message: Any = None
    """Only in the error frames of some compatible servers, which have no `error` around them."""


_decode = Json(Chunk).decode


class OpenAIDecoder(Decoder):
    def __init__(self, provider: str = "openai", model: str = "") -> None:
        super().__init__(provider, Splitter())
        self._model = model

    def read(self, payload: bytes) -> None:
        try:
            chunk = _decode(payload)
        except UNREADABLE:
            if payload.strip() == DONE:
                self.answer.over = True
                return
            self.answer.expect_oddities()
            chunk = reread(payload, Chunk)
        for choice in chunk.choices or ():
            if choice.index:  # a second answer, that nobody asked for
                continue
            delta = choice.delta
            if delta is not None:
                if content := delta.content:
                    self.answer.text(content)
                else:
                    self._read_less_usual(delta)
            if choice.finish_reason:
                self.answer.finish(REASONS.get(choice.finish_reason, FinishReason.STOP))
        if chunk.usage is not None:
            self.answer.usage(usage(chunk.usage))
        if chunk.error or chunk.message:
            self.answer.fail(midstream(self.answer.provider, payload, self._model))

    def _read_less_usual(self, delta: Delta) -> None:
        if thought := delta.reasoning_content or delta.reasoning:
            self.answer.thinking(thought)
        elif delta.refusal:
            self.answer.text(delta.refusal)
            self.answer.finish(FinishReason.REFUSAL)


def usage(told: Any) -> Usage | None:
    """Adds the reasoning to the completion for the servers that count it beside, as their total shows."""
    if not isinstance(told, dict):
        return None
    prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens")
    cached = part(told.get("prompt_tokens_details"), "cached_tokens")
    reasoning = believed(part(told.get("completion_tokens_details"), "reasoning_tokens")) or 0
    counts = counted(prompt, completion, cached)
    if counts is None:
        return None
    beside = told.get("total_tokens") == counts.total_tokens + reasoning
    return counted(prompt, counts.completion_tokens + (reasoning if beside else 0), cached, reasoning)


def part(details: Any, name: str) -> Any:
    return details.get(name) if isinstance(details, dict) else None

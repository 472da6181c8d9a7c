"""Reads the stream of Anthropic's messages."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import believed, counted
from prosa.adapters.models.anthropic.errors import PROVIDER, midstream
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.repair import UNREADABLE, reread
from prosa.domain.models import FinishReason, Usage
from prosa.kit.sse import Splitter

REASONS = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.REFUSAL,
}
"""All others, also those of tools, are a plain stop."""


class Delta(Struct, gc=False):
    """The `delta` of a block or of the message, and the `content_block` that opens a block."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class Message(Struct, gc=False):
    usage: Any = None


class Frame(Struct, gc=False):
    type: str = ""
    delta: Delta | None = None
    content_block: Delta | None = None
    message: Message | None = None
    usage: Any = None


class AnthropicDecoder(Decoder):
    def __init__(self, model: str = "") -> None:
        super().__init__(PROVIDER, Splitter())
        self._model = model
        self._decode = Json(Frame).decode
        self._counts: dict[str, Any] = {}

    def read(self, payload: bytes) -> None:
        try:
            frame = self._decode(payload)
        except UNREADABLE:
            self.answer.expect_oddities()
            frame = reread(payload, Frame)
        delta = frame.delta
        if delta is not None and delta.text:
            self.answer.text(delta.text)
        else:
            self._read_less_usual(frame, payload)

    def _read_less_usual(self, frame: Frame, payload: bytes) -> None:
        answer = self.answer
        match frame.type:
            case "content_block_start" | "content_block_delta":
                self._read_block(frame.content_block or frame.delta or Delta())
            case "message_start" if frame.message is not None:
                self._count(frame.message.usage)
            case "message_delta":
                if frame.delta is not None and frame.delta.stop_reason:
                    answer.finish(REASONS.get(frame.delta.stop_reason, FinishReason.STOP))
                self._count(frame.usage)
            case "message_stop":
                answer.over = True
            case "error":
                answer.fail(midstream(payload, self._model))

    def _read_block(self, block: Delta) -> None:
        if block.thinking:
            self.answer.thinking(block.thinking)
        elif block.text:
            self.answer.text(block.text)

    def _count(self, told: Any) -> None:
        """Usage comes in parts that grow: what is told later replaces what was told before."""
        if isinstance(told, dict):
            self._counts |= {name: value for name, value in told.items() if value is not None}
            self.answer.usage(usage(self._counts))


def usage(told: dict[str, Any]) -> Usage | None:
    """Anthropic counts what it read from its cache, and what it wrote there, beside the other input."""
    parts = [told.get("input_tokens")]
    parts += [told.get(name, 0) for name in ("cache_read_input_tokens", "cache_creation_input_tokens")]
    counts = [believed(part) for part in parts]
    if None in counts:
        return None
    details = told.get("output_tokens_details")
    reasoning = details.get("thinking_tokens") if isinstance(details, dict) else 0
    prompt = sum(count or 0 for count in counts)
    return counted(prompt, told.get("output_tokens"), counts[1], reasoning)

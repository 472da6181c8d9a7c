"""Reads Anthropic's messages, in a stream or whole."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import believed, counted
from prosa.adapters.models.anthropic.blocks import Blocks, Delta
from prosa.adapters.models.anthropic.errors import PROVIDER, midstream
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.repair import UNREADABLE, Unreadable, reread
from prosa.domain.errors import BrokenStream
from prosa.domain.models import FinishReason, ModelEvent, Usage
from prosa.kit.sse import Splitter

REASONS = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "pause_turn": FinishReason.LENGTH,  # the provider's own tools took too long: there is more to come
    "refusal": FinishReason.REFUSAL,
    "tool_use": FinishReason.TOOL_CALLS,
}
"""All others are a plain stop."""


class Message(Struct, gc=False):
    """A whole answer; of the one that opens a stream only the usage counts."""

    type: str = ""
    content: list[Any] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    usage: Any = None


class Frame(Struct, gc=False):
    type: str = ""
    index: int = 0
    delta: Delta | None = None
    content_block: Any = None
    message: Message | None = None
    usage: Any = None


class AnthropicDecoder(Decoder):
    def __init__(self, model: str = "") -> None:
        super().__init__(PROVIDER, Splitter())
        self._model = model
        self._decode = Json(Frame).decode
        self._blocks = Blocks(self.answer)
        self._counts: dict[str, Any] = {}

    def end(self) -> list[ModelEvent]:
        if self.answer.fault is None:
            self._blocks.end_all()
        return super().end()

    def read(self, payload: bytes) -> None:
        try:
            frame = self._decode(payload)
        except UNREADABLE:
            self.answer.expect_oddities()
            frame = reread(payload, Frame)
        delta = frame.delta
        if delta is not None and delta.text and delta.type == "text_delta":
            self.answer.text(delta.text)
        else:
            self._read_less_usual(frame, payload)

    def read_whole(self, body: bytes) -> None:
        """Reads an answer that came in one piece, by the same rules. Raises `Unreadable`."""
        try:
            message = Json(Message).decode(body)
        except UNREADABLE:
            self.answer.expect_oddities()
            message = reread(body, Message)
        if message.type == "error":
            self.answer.fail(midstream(body, self._model))
        elif message.type == "message":
            for index, block in enumerate(message.content or ()):
                self._blocks.begin(index, block)
                self._blocks.end(index)
            self._count(message.usage)
            self._stop(message)
            self.answer.over = True

    def _read_less_usual(self, frame: Frame, payload: bytes) -> None:
        match frame.type:
            case "content_block_delta" if frame.delta is not None:
                self._add(frame.index, frame.delta)
            case "content_block_start":
                self._blocks.begin(frame.index, frame.content_block)
            case "content_block_stop":
                self._blocks.end(frame.index)
            case "message_start" if frame.message is not None:
                self._count(frame.message.usage)
            case "message_delta":
                if frame.delta is not None:
                    self._stop(frame.delta)
                self._count(frame.usage)
            case "message_stop":
                self.answer.over = True
            case "error":
                self.answer.fail(midstream(payload, self._model))

    def _add(self, index: int, delta: Delta) -> None:
        if delta.partial_json:
            self._blocks.argue(index, delta.partial_json)
        elif delta.thinking:
            self._blocks.think(index, delta.thinking)
        elif delta.signature:
            self._blocks.sign(index, delta.signature)

    def _stop(self, told: Delta | Message) -> None:
        """Notes why the answer ended. A refusal without a word of the model's is told in the provider's."""
        if not told.stop_reason:
            return
        reason = REASONS.get(told.stop_reason, FinishReason.STOP)
        if reason is FinishReason.REFUSAL and not self._blocks.spoken and (why := explanation(told)):
            self.answer.refusal(why)
        self.answer.finish(reason, told.stop_sequence)

    def _count(self, told: Any) -> None:
        """Usage comes in parts that grow: what is told later replaces what was told before."""
        if isinstance(told, dict):
            self._counts |= {name: value for name, value in told.items() if value is not None}
            self.answer.usage(usage(self._counts))


def whole(body: bytes, model: str = "") -> Sequence[ModelEvent]:
    """The events of an answer in one piece. Raises what the body complains of, or `BrokenStream`."""
    decoder = AnthropicDecoder(model)
    try:
        decoder.read_whole(body)
    except Unreadable:
        raise BrokenStream(PROVIDER) from None
    return decoder.end()


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
    return counted(prompt, told.get("output_tokens"), counts[1], reasoning, counts[2])


def explanation(told: Delta | Message) -> str | None:
    """The provider's sentence on why it refused, where it gives one."""
    details = told.stop_details
    why = details.get("explanation") if isinstance(details, dict) else None
    return why if isinstance(why, str) else None


def input_tokens(body: bytes) -> int | None:
    """The count in a response of `POST /v1/messages/count_tokens`; None where it can't be believed."""
    try:
        told = reread(body, dict[str, Any])
    except Unreadable:
        raise BrokenStream(PROVIDER) from None
    return believed(told.get("input_tokens"))

"""Reads the answers of Mistral's chat completions, in a stream or whole: a message is one large delta."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import counted
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.envelope import Envelope
from prosa.adapters.models.mistral.calls import Calls, Piece
from prosa.adapters.models.mistral.errors import PROVIDER, midstream
from prosa.adapters.models.repair import UNREADABLE, reread
from prosa.domain.models import FinishReason, ModelEvent, Usage

DONE = b"[DONE]"
FAILED = "error"
REASONS = {
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
}
"""All others are a plain stop."""


class Part(Struct, gc=False):
    """A piece of an answer that also thinks; of other kinds (references, images) nothing is read."""

    text: str | None = None
    thinking: list["Part"] | str | None = None
    signature: str | None = None


class Message(Struct, gc=False):
    """What is said: piece by piece, or all at once."""

    content: str | list[Part] | None = None
    tool_calls: list[Piece] | None = None


class Choice(Struct, gc=False):
    index: int | None = None
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None


class Chunk(Struct, gc=False):
    """One event of a stream, or the whole answer."""

    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    message: Any = None
    """Only in an error frame, like `detail`."""
    detail: Any = None


_decode = Json(Chunk).decode


class MistralDecoder(Decoder):
    def __init__(self, model: str = "") -> None:
        super().__init__(PROVIDER, Envelope())
        self.answer.returning = True
        self._model = model
        self._calls = Calls(self.answer)

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
            said = choice.delta or choice.message
            if said is not None:
                self._say(said)
            if choice.finish_reason:
                self._finish(choice.finish_reason, payload)
        if chunk.usage is not None:
            self.answer.usage(usage(chunk.usage))
        if chunk.error or chunk.message or chunk.detail:
            self.answer.fail(midstream(payload, self._model))

    def _say(self, said: Message) -> None:
        content = said.content
        if isinstance(content, str):
            if content:
                self.answer.text(content)
        elif content:
            self._say_parts(content)
        if said.tool_calls:
            self._calls.write(said.tool_calls)

    def _say_parts(self, content: list[Part]) -> None:
        for part in content:
            if part.thinking:
                self.answer.thinking(spoken(part.thinking))
            elif part.text:
                self.answer.text(part.text)
            if part.signature:
                self.answer.sign(part.signature)

    def _finish(self, reason: str, payload: bytes) -> None:
        if reason == FAILED:
            self.answer.fail(midstream(payload, self._model))
        else:
            self.answer.finish(REASONS.get(reason, FinishReason.STOP))


def whole(body: bytes, model: str = "") -> list[ModelEvent]:
    """The events of an answer in one piece. Raises what the body complains of, or `BrokenStream`."""
    decoder = MistralDecoder(model)
    return decoder.feed(body) + decoder.end()


def spoken(thinking: str | list[Part]) -> str:
    return thinking if isinstance(thinking, str) else "".join(part.text or "" for part in thinking)


def usage(told: Any) -> Usage | None:
    if not isinstance(told, dict):
        return None
    cached = detail(told.get("prompt_tokens_details"), "cached_tokens")
    if cached is None:
        cached = told.get("num_cached_tokens")
    reasoning = detail(told.get("completion_tokens_details"), "reasoning_tokens")
    return counted(told.get("prompt_tokens"), told.get("completion_tokens"), cached, reasoning)


def detail(details: Any, name: str) -> Any:
    return details.get(name) if isinstance(details, dict) else None

"""Reads the answers of OpenAI's chat completions, in a stream or whole: a message is one large delta."""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder as Json

from prosa.adapters.models.answer import believed, counted
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.envelope import Envelope
from prosa.adapters.models.openai.calls import Calls, Function, Piece
from prosa.adapters.models.openai.errors import complained, midstream
from prosa.adapters.models.repair import UNREADABLE, Unreadable, loose, reread
from prosa.domain.errors import ProviderError, ProviderOverloaded
from prosa.domain.models import FinishReason, ModelEvent, Usage

DONE = b"[DONE]"
REASONS = {
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.REFUSAL,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}
"""All others are a plain stop."""
BREAKS: dict[str, type[ProviderError]] = {
    "error": ProviderError,
    "insufficient_system_resource": ProviderOverloaded,
}
"""Reasons that are none: how OpenRouter and DeepSeek say that an answer broke."""


class Message(Struct, gc=False):
    """What is said: piece by piece, or all at once."""

    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    """Thinking, as DeepSeek and others send it; yet others call it `reasoning`."""
    reasoning: Any = None
    tool_calls: list[Piece] | None = None
    function_call: Function | None = None
    """The form of before `tool_calls`: one call without an id."""


class Choice(Struct, gc=False):
    index: int | None = None
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    stop_reason: Any = None
    """vLLM's: the stop sequence that ended the answer."""
    error: Any = None


class Chunk(Struct, gc=False):
    """One event of a stream, or the whole answer."""

    choices: list[Choice] | None = None
    usage: Any = None
    x_groq: Any = None
    error: Any = None
    message: Any = None
    """Only in the error frames of some compatible servers, which have no `error` around them."""


_decode = Json(Chunk).decode


class OpenAIDecoder(Decoder):
    """With `returning`, thoughts are told as they have to go back, too."""

    def __init__(self, provider: str = "openai", model: str = "", *, returning: bool = False) -> None:
        super().__init__(provider, Envelope())
        self.answer.returning = returning
        self._model = model
        self._calls = Calls(self.answer)

    def read(self, payload: bytes) -> None:
        try:
            chunk = _decode(payload)
        except UNREADABLE:
            chunk = self._reread(payload)
        for choice in chunk.choices or ():
            if choice.index:  # a second answer, that nobody asked for
                continue
            delta = choice.delta
            if delta is not None:
                self._say(delta)
            elif choice.message is not None:
                self._say_whole(choice.message)
            if choice.finish_reason:
                self._end(chunk, choice, payload)
        if chunk.usage is not None:
            self.answer.usage(usage(chunk.usage))
        if chunk.error or chunk.message:
            self.answer.fail(midstream(self.answer.provider, payload, self._model))

    def last(self) -> None:
        self._calls.end()

    def _reread(self, payload: bytes) -> Chunk:
        if payload.strip() == DONE:
            self.answer.over = True
            return Chunk()
        self.answer.expect_oddities()
        try:
            return reread(payload, Chunk)
        except Unreadable:
            if not complained(loose(payload)):
                raise
            return Chunk(error=True)

    def _say(self, said: Message) -> None:
        answer = self.answer
        thought = said.reasoning_content or said.reasoning
        if thought and isinstance(thought, str):
            answer.thinking(thought)
        if content := said.content:
            if isinstance(content, str):
                answer.text(content)
            else:
                self._say_parts(content)
        if said.refusal:
            answer.refusal(said.refusal)
        if said.tool_calls:
            for piece in said.tool_calls:
                self._calls.piece(piece)
        elif said.function_call is not None:
            self._calls.piece(Piece(index=0, function=said.function_call))

    def _say_whole(self, message: Message) -> None:
        """Each entry of its `tool_calls` is one call, however it is marked."""
        calls, message.tool_calls = message.tool_calls, None
        self._say(message)
        for piece in calls or ():
            self._calls.whole(piece)

    def _say_parts(self, parts: list[Any]) -> None:
        """Content in parts, which the wire has for requests and some servers answer with."""
        for said in parts:
            if isinstance(text := part(said, "text"), str):
                self.answer.text(text)
            elif isinstance(text := part(said, "refusal"), str):
                self.answer.refusal(text)

    def _end(self, chunk: Chunk, choice: Choice, payload: bytes) -> None:
        answer = self.answer
        reason = choice.finish_reason or ""
        if reason in BREAKS:
            told = midstream(answer.provider, payload, self._model) if choice.error else None
            answer.fail(told or BREAKS[reason](answer.provider))
        else:
            stop = choice.stop_reason if isinstance(choice.stop_reason, str) else None
            answer.finish(REASONS.get(reason, FinishReason.STOP), stop or None)
        if chunk.usage is None:
            answer.usage(usage(part(chunk.x_groq, "usage")))


def whole(body: bytes, decoder: OpenAIDecoder) -> list[ModelEvent]:
    """The events of an answer in one piece. Raises what it means where it is no answer."""
    return decoder.feed(body) + decoder.end()


def usage(told: Any) -> Usage | None:
    """Adds the reasoning to the completion for the servers that count it beside, as their total shows:
    xAI, and Gemini, which tells it by its total alone."""
    if not isinstance(told, dict):
        return None
    prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens")
    details = told.get("prompt_tokens_details")
    cached = part(details, "cached_tokens") or told.get("prompt_cache_hit_tokens")
    written = part(details, "cache_write_tokens")
    reasoning = believed(part(told.get("completion_tokens_details"), "reasoning_tokens")) or 0
    counts = counted(prompt, completion, cached, reasoning, written)
    if counts is None:
        return None
    beside = (believed(told.get("total_tokens")) or 0) - counts.total_tokens
    if beside > 0 and reasoning in (0, beside):
        return counted(prompt, counts.completion_tokens + beside, cached, beside, written)
    return counts


def part(details: Any, name: str) -> Any:
    return details.get(name) if isinstance(details, dict) else None

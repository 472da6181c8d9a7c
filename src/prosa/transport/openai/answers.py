"""What chat completions give: a whole answer, and the chunks of one that is streamed."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from prosa.domain.assembly import Assembly
from prosa.domain.content import Part, ThinkingPart, ToolCall, text_of
from prosa.domain.models import (
    Finish,
    FinishReason,
    ModelEvent,
    RefusalDelta,
    Reset,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
)

Reason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class FunctionForm(Struct, frozen=True):
    name: str
    arguments: str


class ToolCallForm(Struct, frozen=True):
    id: str
    function: FunctionForm
    type: Literal["function"] = "function"


class CompletionMessage(Struct, frozen=True, kw_only=True):
    """`reasoning_content` is what the model thought, where it tells."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCallForm] | UnsetType = UNSET
    function_call: FunctionForm | UnsetType = UNSET


class ChoiceForm(Struct, frozen=True):
    index: int
    message: CompletionMessage
    finish_reason: Reason
    logprobs: None = None


class PromptDetails(Struct, frozen=True):
    cached_tokens: int


class CompletionDetails(Struct, frozen=True):
    reasoning_tokens: int


class CompletionUsage(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class CompletionForm(Struct, frozen=True):
    id: str
    created: int
    model: str
    choices: list[ChoiceForm]
    usage: CompletionUsage
    object: Literal["chat.completion"] = "chat.completion"
    system_fingerprint: str | None = None


class UsageChunk(Struct, frozen=True):
    """The chunk after the last choice's end, for those who asked for it."""

    id: str
    created: int
    model: str
    usage: CompletionUsage
    choices: tuple[()] = ()
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    system_fingerprint: str | None = None


_WORDS = {TextDelta: "content", ThinkingDelta: "reasoning_content", RefusalDelta: "refusal"}
_encode = msgspec.json.encode


class Whole:
    """Puts one choice together."""

    def __init__(self, index: int, *, of_old: bool) -> None:
        self._index = index
        self._of_old = of_old
        self._assembly = Assembly()
        self._reason = FinishReason.STOP

    async def tell(self, event: ModelEvent) -> None:
        if isinstance(event, Reset):
            self._assembly.forget()
        elif isinstance(event, Finish):
            self._reason = event.reason
        else:
            self._assembly.add(event)

    @property
    def form(self) -> ChoiceForm:
        refused = self._assembly.refused
        message = message_of(self._assembly.parts, refused=refused, of_old=self._of_old)
        return ChoiceForm(self._index, message, reason_of(self._reason, refused=refused, of_old=self._of_old))


def message_of(parts: Sequence[Part], *, refused: bool, of_old: bool) -> CompletionMessage:
    """A whole answer; `refused` says that its text is a refusal."""
    text = text_of(parts)
    thoughts = "".join(part.text for part in parts if isinstance(part, ThinkingPart))
    calls = [ToolCallForm(part.id, FunctionForm(part.name, part.arguments))
             for part in parts if isinstance(part, ToolCall)]  # fmt: skip
    return CompletionMessage(
        content=None if refused or (calls and not text) else text,
        refusal=text if refused else None,
        reasoning_content=thoughts or UNSET,
        tool_calls=calls if calls and not of_old else UNSET,
        function_call=calls[0].function if calls and of_old else UNSET,
    )


class Chunks:
    """Encodes one choice's events. `head` is a chunk up to its choices, `usage` says whether the last chunk
    of the stream will bear it (the others then have a null there)."""

    def __init__(self, head: bytes, index: int, *, usage: bool, of_old: bool) -> None:
        self._head = b'%b[{"index":%d,"delta":' % (head, index)
        rest = b',"usage":null}\n\n' if usage else b"}\n\n"
        self._tail = b',"logprobs":null,"finish_reason":null}]' + rest
        self._text_head = self._head + b'{"content":'
        self._text_tail = b"}" + self._tail
        self._end = b'%b{},"logprobs":null,"finish_reason":%%b}]%b' % (
            self._head.replace(b"%", b"%%"),
            rest,
        )
        self._of_old = of_old
        self._begun = False
        self._refused = False
        self._calls: dict[str, int] = {}

    def encode(self, event: ModelEvent) -> bytes:
        """Nothing for what this wire has no word for."""
        if type(event) is TextDelta and self._begun:
            return self._text_head + _encode(event.text) + self._text_tail
        chunk = self._chunk(event)
        if self._begun or not chunk:
            return chunk
        self._begun = True
        called = isinstance(event, ToolCallStart)
        opening = {"role": "assistant", "content": None if called else "", "refusal": None}
        return self._delta(opening) + chunk

    def _chunk(self, event: ModelEvent) -> bytes:
        match event:
            case TextDelta(text) | ThinkingDelta(text) | RefusalDelta(text):
                self._refused = self._refused or isinstance(event, RefusalDelta)
                return self._delta({_WORDS[type(event)]: text})
            case ToolCallStart(identity, name):
                self._calls[identity] = place = len(self._calls)
                return self._call(place, {"name": name, "arguments": ""}, identity)
            case ToolCallDelta(identity, text):
                return self._call(self._calls[identity], {"arguments": text})
            case Finish(reason):
                said = reason_of(reason, refused=self._refused, of_old=self._of_old)
                return self._end % _encode(said)
            case _:
                return b""

    def _call(self, place: int, function: dict[str, str], identity: str | None = None) -> bytes:
        if self._of_old:  # that form has room for one call
            return b"" if place else self._delta({"function_call": function})
        named = {} if identity is None else {"id": identity, "type": "function"}
        return self._delta({"tool_calls": [{"index": place, **named, "function": function}]})

    def _delta(self, delta: object) -> bytes:
        return self._head + _encode(delta) + self._tail


def head_of(identity: str, created: int, model: str) -> bytes:
    """A chunk up to its choices."""
    return b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,%b,"choices":' % (
        _encode(identity),
        created,
        _encode(model),
        b'"system_fingerprint":null',
    )


def reason_of(reason: FinishReason, *, refused: bool, of_old: bool) -> Reason:
    """A refusal in words is an answer that stopped; one without is a filter's."""
    match reason:
        case FinishReason.LENGTH:
            return "length"
        case FinishReason.TOOL_CALLS:
            return "function_call" if of_old else "tool_calls"
        case FinishReason.REFUSAL if not refused:
            return "content_filter"
        case _:
            return "stop"


def usage_form(usage: Usage) -> CompletionUsage:
    return CompletionUsage(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        PromptDetails(usage.cached_tokens),
        CompletionDetails(usage.reasoning_tokens),
    )

"""What is asked of a language model and what it tells: the values that every provider's adapter speaks."""

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct

from prosa.domain.content import Part, ThinkingPart, ToolCall, plain, text_of
from prosa.domain.principal import Principal
from prosa.domain.time import Instant
from prosa.domain.timing import Timing


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Turn(Struct, frozen=True):
    """One message as a model sees it.

    `parts` is empty where the text is all there is; else it is the whole turn, and `content` its text. Calls
    stand in turns of the assistant; results in turns of the role `tool`, which hold nothing else.
    """

    role: Role
    content: str
    parts: tuple[Part, ...] = ()


def turn(role: Role, *parts: Part) -> Turn:
    """A turn of these parts."""
    return Turn(role, text_of(parts), () if plain(parts) else parts)


class ToolSpec(Struct, frozen=True):
    """A tool that a model may call. `parameters` is the JSON Schema of its arguments (an object); `strict`
    asks the provider to hold the model to it."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class ToolChoice(Struct, frozen=True):
    """Whether the model calls tools: as it likes, never, at least one, or the one called `name`."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str | None = None


class ResponseFormat(Struct, frozen=True):
    """The answer has to be JSON: any object, or what fits `schema` (JSON Schema)."""

    mode: Literal["json_object", "json_schema"] = "json_object"
    name: str = "answer"
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
"""How long a model may think. What a provider does not know is sent as the nearest it knows."""


class Origin(Struct, frozen=True):
    """On whose behalf a request is made, and in which conversation, for which message, if in any. `fresh`
    says that an answer which is kept will not do; one that is not `shared` is not kept, either."""

    principal: Principal
    conversation_id: str | None = None
    message_id: str | None = None
    fresh: bool = False
    shared: bool = True


class ChatRequest(Struct, frozen=True):
    """One generation. What a request does not say is None and is left to the provider.

    `max_tokens` bounds the answer and is always sent. `whole` asks for the answer in one piece: the same
    events, all at the end. `user` is who asks, for fair queues, `origin` on whose behalf: no provider is
    told.
    """

    model: str
    turns: tuple[Turn, ...]
    system: str | None = None
    temperature: float | None = None
    max_tokens: int = 4096
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Effort | None = None
    whole: bool = False
    user: str = ""
    origin: Origin | None = None


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"
    TOOL_CALLS = "tool_calls"


class TextDelta(Struct, frozen=True):
    """The next piece of the answer; pieces that arrive together may be one."""

    text: str


class ThinkingDelta(Struct, frozen=True):
    text: str


class Thought(Struct, frozen=True):
    """A block of thinking as it has to go back with tool results, once it is complete. What of its text there
    is was told by `ThinkingDelta`s before. Providers that want nothing back have none of these."""

    part: ThinkingPart


class RefusalDelta(Struct, frozen=True):
    """A piece of the sentence with which the model refuses to answer; the `Finish` then says REFUSAL."""

    text: str


class ToolCallStart(Struct, frozen=True):
    """The model begins to call a tool. `id` is not empty and unique within the answer, whatever the wire."""

    id: str
    name: str


class ToolCallDelta(Struct, frozen=True):
    """The next piece of the arguments' JSON, never empty. Pieces of several calls may alternate."""

    id: str
    text: str


class ToolCallEnd(Struct, frozen=True):
    """The arguments are complete. Every call that was started ends before the `Finish`."""

    id: str


MOST_TOKENS = 1_000_000_000
"""No count above this is believed."""


class Usage(Struct, frozen=True, rename="camel"):
    """Tokens as the provider counted them. `prompt_tokens` includes those read from the provider's cache
    (`cached_tokens`) and those written to it, `completion_tokens` the reasoning ones."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def credible(self) -> bool:
        """Whether one answer can have these: none is negative, absurd, or a part that exceeds its whole."""
        return (
            self.cached_tokens >= 0
            and self.cache_write_tokens >= 0
            and self.cached_tokens + self.cache_write_tokens <= self.prompt_tokens <= MOST_TOKENS
            and 0 <= self.reasoning_tokens <= self.completion_tokens <= MOST_TOKENS
        )


class UsageReport(Struct, frozen=True):
    """May come more than once; each report replaces the one before."""

    usage: Usage


class Finish(Struct, frozen=True):
    """The last event. `stop` is the stop sequence that ended the answer, where the provider tells."""

    reason: FinishReason
    stop: str | None = None


class Asked(Struct, frozen=True):
    """A policy is about to ask a provider: a new attempt begins, and nothing was spent on it yet. `key` is
    the id of the provider's key that is used, where it is one of the store's; `after` is the code of the
    error that it is asked after."""

    provider: str
    model: str
    key: str | None = None
    after: str | None = None


class Queued(Struct, frozen=True):
    """The request waits for its turn behind `place` - 1 others. Told again whenever the place changes."""

    place: int


class Recalled(Struct, frozen=True):
    """What follows is an answer that was kept: `provider` and `model` gave it at `made_at`, and nothing is
    spent on it now."""

    provider: str
    model: str
    made_at: Instant


class Reset(Struct, frozen=True):
    """What was told so far is void: the answer begins anew, elsewhere. `reason` is an error's code. It comes
    after the `Asked` of the attempt that says something else, right before its first word."""

    reason: str


class Withheld(Struct, frozen=True):
    """So many characters of the answer were written and nobody gets to see them."""

    characters: int


class Aside(Struct, frozen=True):
    """A policy asked another model in between, which is in the ledger by itself: when its attempts were."""

    timings: tuple[Timing, ...]


BLOCKED = "blocked"


class Flagged(Struct, frozen=True):
    """Something in what goes to the model ("input") or comes from it ("output") is worth a look: the check
    that says so, and what it calls it, where it has words for it; BLOCKED among them where it went no
    further."""

    check: str
    side: str
    categories: tuple[str, ...] = ()


ModelEvent = (
    TextDelta
    | ThinkingDelta
    | Thought
    | RefusalDelta
    | ToolCallStart
    | ToolCallDelta
    | ToolCallEnd
    | UsageReport
    | Finish
    | Asked
    | Queued
    | Recalled
    | Reset
    | Withheld
    | Aside
    | Flagged
)


class Completion(Struct, frozen=True):
    """A whole answer. `provider` and `model` are who gave it; `usage` is None where nobody told."""

    provider: str
    model: str
    parts: tuple[Part, ...]
    reason: FinishReason
    usage: Usage | None = None
    refusal: str | None = None
    stop: str | None = None

    @property
    def text(self) -> str:
        return text_of(self.parts)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class EmbedRequest(Struct, frozen=True):
    """Texts to turn into vectors, all of one length: `dimensions`, where the model can choose."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None


class Embeddings(Struct, frozen=True):
    """One vector for each text, in their order. `provider` is who made them, where it may be another than
    was asked."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage | None = None
    provider: str | None = None


class ModelCard(Struct, frozen=True):
    """A model that a provider says it has. `created` is in seconds since 1970, `window` in tokens."""

    id: str
    name: str | None = None
    created: int | None = None
    window: int | None = None
    owner: str | None = None
